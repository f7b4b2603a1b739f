//! The files that an agent and the handler of an extension share.

mod environment;
mod heartbeat;
mod manifest;
mod settings;
mod status;

use serde::Deserialize;
use serde_json::Value;

use super::unreadable::{Unreadable, read};

pub use self::environment::HandlerEnvironment;
pub use self::heartbeat::Heartbeat;
pub use self::manifest::HandlerManifest;
pub use self::settings::Settings;
pub use self::status::{HandlerStatus, MAX_STATUS, StatusWord};

/// The largest file that is read.
const MAX_FILE: usize = 1 << 20;

/// A file that isn't what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it isn't {what}: {why}")]
pub struct InvalidFile {
    /// What it should be.
    pub what: &'static str,
    /// What is wrong with it, without what stands in it.
    pub why: Unreadable,
}

/// The only entry of an array; some writers leave the array out.
fn first<T: for<'de> Deserialize<'de>>(bytes: &[u8], what: &'static str) -> Result<T, InvalidFile> {
    let invalid = |why| InvalidFile { what, why };
    let entry = match read(bytes, MAX_FILE).map_err(invalid)? {
        Value::Array(mut entries) if !entries.is_empty() => entries.swap_remove(0),
        Value::Array(_) => return Err(invalid(Unreadable::Shape)),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => other,
    };
    serde_json::from_value(entry).map_err(|why| invalid(why.into()))
}

fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
