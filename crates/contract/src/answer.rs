//! An answer as data: status, body and what goes with it. A surface turns it into its framework's type.

use std::borrow::Cow;

/// An answer with a JSON body on one line, without a line end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: Cow<'static, [u8]>,
    /// `Allow`, with a 405.
    pub allow: Option<&'static str>,
    /// `Retry-After` in seconds, with a 429 and 503: one SDK retries only when it is there.
    pub retry_after: Option<u32>,
    /// Whether the connection is closed behind it.
    pub close: bool,
}

impl Answer {
    /// A 200; the connection stays open.
    #[must_use]
    pub fn ok(body: Vec<u8>) -> Self {
        Self { status: 200, body: Cow::Owned(body), allow: None, retry_after: None, close: false }
    }

    /// `{"error":…,"error_description":…}`; the connection is closed behind it.
    #[must_use]
    pub fn error(status: u16, error: &str, description: &str) -> Self {
        let body = format!("{{\"error\":{},\"error_description\":{}}}", json_string(error), json_string(description));
        Self { status, body: Cow::Owned(body.into_bytes()), allow: None, retry_after: None, close: true }
    }

    /// `{"error":…}`, as the paths of the metadata service outside of `identity` have it.
    #[must_use]
    pub fn bare_error(status: u16, error: &str) -> Self {
        let body = format!("{{\"error\":{}}}", json_string(error));
        Self { status, body: Cow::Owned(body.into_bytes()), allow: None, retry_after: None, close: true }
    }

    /// With `Allow`.
    #[must_use]
    pub fn allow(mut self, methods: &'static str) -> Self {
        self.allow = Some(methods);
        self
    }

    /// With `Retry-After`.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// With the connection kept open.
    #[must_use]
    pub fn keep_open(mut self) -> Self {
        self.close = false;
        self
    }
}

/// A JSON string with its quotes.
pub(crate) fn json_string(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    push_json_string(&mut json, text);
    json
}

/// Appends a JSON string with its quotes.
pub(crate) fn push_json_string(json: &mut String, text: &str) {
    json.push('"');
    push_json_text(json, text);
    json.push('"');
}

/// Appends the inside of a JSON string.
pub(crate) fn push_json_text(json: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            control if control < ' ' => json.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => json.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_survives_as_a_json_string(text: String) {
            let back: String = serde_json::from_str(&json_string(&text)).unwrap();
            prop_assert_eq!(back, text);
        }
    }
}
