//! What a handler says came of that.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{InvalidFile, first, pretty};
use crate::guest_agent::unreadable::Unreadable;

/// The largest status that agents carry on.
pub const MAX_STATUS: usize = 128 << 10;

/// Of a status that is too long, how many characters are kept of its message.
const SHORT_MESSAGE: usize = 1_024;
/// Of a status that is too long, how many bytes are kept of all that stands below it.
const SHORT_SUBSTATUS: usize = 10 << 10;

/// Of a status that is still too long, what is kept of it, and how long each of that may be, in bytes. All of it together
/// is within what agents carry on.
const STATUS_MEMBERS: [&str; 7] =
    ["name", "operation", "configurationAppliedTime", "status", "code", "formattedMessage", "substatus"];
const LONGEST_MEMBER: usize = 12 << 10;

/// How a handler fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StatusWord {
    /// At work.
    Transitioning,
    /// Done, but.
    Warning,
    /// Failed.
    Error,
    /// Done.
    Success,
}

/// `status/<N>.status`: what a handler says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandlerStatus {
    /// Its name, for people.
    pub name: String,
    /// What it did, e.g. `Enable`.
    pub operation: String,
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// How it fares.
    pub status: StatusWord,
    /// Its own code; 0 is well.
    pub code: i32,
    /// For people.
    pub message: String,
    /// More of the same, each with a name.
    pub substatus: Vec<(String, StatusWord, String)>,
}

impl HandlerStatus {
    /// As the file is written.
    #[must_use]
    pub fn text(&self) -> String {
        pretty(&json!([self.value()]))
    }

    /// Reads a handler's file and gives its entry as it goes into an agent's own status: as it is, or shortened where it
    /// is longer than agents carry on.
    ///
    /// # Errors
    /// When it isn't one, or says that it fares in a way that there isn't.
    pub fn entry(bytes: &[u8]) -> Result<Value, InvalidFile> {
        #[derive(Deserialize)]
        struct Entry {
            #[serde(rename = "status")]
            _status: Status,
        }
        #[derive(Deserialize)]
        struct Status {
            #[serde(rename = "status")]
            _word: StatusWord,
        }
        let what = "a status file";
        first::<Entry>(bytes, what)?;
        let mut entry: Value = first(bytes, what)?;
        if !entry.get("status").is_some_and(Value::is_object) {
            return Err(InvalidFile { what, why: Unreadable::Shape });
        }
        if bytes.len() > MAX_STATUS
            && let Some(status) = entry.get_mut("status")
        {
            if let Some(Value::String(message)) = status.pointer_mut("/formattedMessage/message") {
                *message = message.chars().take(SHORT_MESSAGE).collect();
            }
            if let Some(Value::Array(below)) = status.get_mut("substatus") {
                let mut left = SHORT_SUBSTATUS;
                below.retain(|one| {
                    let length = one.to_string().len();
                    let fits = length <= left;
                    left = if fits { left - length } else { 0 };
                    fits
                });
            }
            if entry.to_string().len() > MAX_STATUS {
                leave_out(&mut entry);
            }
        }
        Ok(entry)
    }

    /// The entry of the file; it goes into the agent's own status as it is.
    #[must_use]
    pub fn value(&self) -> Value {
        let message = |text: &str| json!({"lang": "en-US", "message": text});
        let substatus: Vec<Value> = self
            .substatus
            .iter()
            .map(|(name, status, text)| json!({"name": name, "status": status, "code": 0, "formattedMessage": message(text)}))
            .collect();
        json!({
            "version": 1.0,
            "timestampUTC": self.at,
            "status": {
                "name": self.name,
                "operation": self.operation,
                "configurationAppliedTime": self.at,
                "status": self.status,
                "code": self.code,
                "formattedMessage": message(&self.message),
                "substatus": substatus,
            },
        })
    }
}

/// Leaves out what keeps an entry too long when its texts are short already, and says so in its message.
fn leave_out(entry: &mut Value) {
    let mut count = 0;
    let mut keep = |members: &mut Value, known: &[&str]| {
        if let Value::Object(members) = members {
            let before = members.len();
            members.retain(|name, member| known.contains(&name.as_str()) && member.to_string().len() <= LONGEST_MEMBER);
            count += before - members.len();
        }
    };
    let mut status = entry.get_mut("status").map(Value::take).unwrap_or_default();
    let message = status.pointer("/formattedMessage/message").and_then(Value::as_str).unwrap_or_default().to_owned();
    keep(entry, &["version", "timestampUTC", "status"]);
    keep(&mut status, &STATUS_MEMBERS);
    let message = format!("{message} (the agent left out {count} members of this status: it is too long)");
    if let Value::Object(status) = &mut status {
        let message = json!({"lang": "en-US", "message": message.trim_start()});
        status.insert("formattedMessage".to_owned(), message);
    }
    if let Value::Object(entry) = entry {
        entry.insert("status".to_owned(), status);
    }
}
