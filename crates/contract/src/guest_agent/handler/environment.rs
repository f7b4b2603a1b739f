//! Where a handler's things are.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{InvalidFile, first, pretty};

/// `HandlerEnvironment.json`: where a handler's things are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HandlerEnvironment {
    /// Where it may log.
    pub log_folder: String,
    /// Where its settings are.
    pub config_folder: String,
    /// Where it says how it fares.
    pub status_folder: String,
    /// Where it says that it lives.
    pub heartbeat_file: String,
    /// Where it may tell events.
    #[serde(default)]
    pub events_folder: Option<String>,
}

impl HandlerEnvironment {
    /// As the file is written for a handler, `Publisher.Type`.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        let mut environment = serde_json::to_value(self).unwrap_or_default();
        if let (Value::Object(environment), Some(events)) = (&mut environment, &self.events_folder) {
            environment.insert("eventsFolder_preview".to_owned(), events.as_str().into());
        }
        pretty(&json!([{"name": name, "version": 1.0, "handlerEnvironment": environment}]))
    }

    /// Reads the file.
    ///
    /// # Errors
    /// When it isn't one.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidFile> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Entry {
            handler_environment: HandlerEnvironment,
        }
        first::<Entry>(bytes, "a handler environment").map(|entry| entry.handler_environment)
    }
}
