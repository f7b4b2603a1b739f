//! That a handler lives.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{InvalidFile, first};

/// `heartbeat.log`: that a handler lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// `Ready` or `NotReady`.
    pub status: String,
    /// 0 is well.
    pub code: i32,
    /// For people.
    pub message: String,
}

impl Heartbeat {
    /// How old one may be before its handler counts as unresponsive, in seconds.
    pub const MAX_AGE: u64 = 600;

    /// As the file is written.
    #[must_use]
    pub fn text(&self) -> String {
        json!([{"version": 1.0, "heartbeat": self}]).to_string()
    }

    /// Reads the file.
    ///
    /// # Errors
    /// When it isn't one.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidFile> {
        #[derive(Deserialize)]
        struct Entry {
            heartbeat: Heartbeat,
        }
        first::<Entry>(bytes, "a heartbeat").map(|entry| entry.heartbeat)
    }
}
