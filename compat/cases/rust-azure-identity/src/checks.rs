//! What the case says in its last line of output.

use serde_json::{Value, json};

/// Why a check failed.
pub type Failure = Box<dyn std::error::Error>;

/// Collects checks.
#[derive(Default)]
pub struct Checks(Vec<Value>);

impl Checks {
    /// Takes note of one.
    pub fn push(&mut self, name: &str, outcome: Result<(), Failure>) {
        let detail = outcome.as_ref().err().map(ToString::to_string).unwrap_or_default();
        self.0.push(json!({"name": name, "ok": outcome.is_ok(), "detail": detail}));
    }

    /// The line.
    pub fn to_json(&self) -> Value {
        json!({"checks": self.0})
    }
}
