//! What the extension for managed identities tells of itself in the `substatus` of its status file, which agents carry to
//! the control plane as it is: how far its cutover has come, and who calls its endpoint. Both are this program's own.

use serde::{Deserialize, Serialize};

/// The name of the entry that says how far the cutover is.
pub const CUTOVER: &str = "cutover";
/// The name of the entry that says who calls.
pub const CALLERS: &str = "callers";
/// How many counts are told at most: those of two days.
pub const MAX_CALLERS: usize = 128;

/// The text of [`CUTOVER`]: the step that the endpoint has come to, and why it isn't the one that is wanted.
#[must_use]
pub fn cutover_text(step: &str, failed: Option<&str>) -> String {
    failed.map_or_else(|| step.to_owned(), |why| format!("{step}: {why}"))
}

/// Reads it.
#[must_use]
pub fn cutover(text: &str) -> (&str, Option<&str>) {
    text.split_once(": ").map_or((text, None), |(step, why)| (step, Some(why)))
}

/// The calls of a caller on one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallerCount {
    /// The day, counted from 1970-01-01.
    pub day: i64,
    /// The identity, if one was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Its `User-Agent`.
    #[serde(default)]
    pub client: String,
    /// The name of its process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<String>,
    /// The user that runs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// How often, on that day.
    pub calls: u64,
    /// When last, in Unix seconds.
    pub last: i64,
}

/// The text of [`CALLERS`]; of too many, the first.
#[must_use]
pub fn callers_text(callers: &[CallerCount]) -> String {
    let told = callers.get(..MAX_CALLERS).unwrap_or(callers);
    serde_json::to_string(told).unwrap_or_default()
}

/// Reads it. What isn't one says nothing: a guest says it again.
#[must_use]
pub fn callers(text: &str) -> Vec<CallerCount> {
    let mut read: Vec<CallerCount> = serde_json::from_str(text).unwrap_or_default();
    read.truncate(MAX_CALLERS);
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back() {
        assert_eq!(cutover(&cutover_text("forwarding", None)), ("forwarding", None));
        assert_eq!(cutover(&cutover_text("serving", Some("a: b"))), ("serving", Some("a: b")));
        let one = CallerCount {
            day: 20_000,
            client_id: None,
            client: "curl/8".to_owned(),
            process: Some("curl".to_owned()),
            uid: Some(0),
            calls: 3,
            last: 1_800_000_000,
        };
        let text = callers_text(std::slice::from_ref(&one));
        assert_eq!(text, r#"[{"day":20000,"client":"curl/8","process":"curl","uid":0,"calls":3,"last":1800000000}]"#);
        assert_eq!(callers(&text), std::slice::from_ref(&one));
        assert_eq!(callers(&callers_text(&vec![one; 500])).len(), MAX_CALLERS);
        assert_eq!(callers("{"), []);
    }
}
