//! The files that an agent and the handler of an extension share.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Protected;

/// The largest status that agents carry on.
pub const MAX_STATUS: usize = 128 << 10;

/// A file that isn't what it should be.
#[derive(Debug, thiserror::Error)]
#[error("it isn't {what}")]
pub struct InvalidFile {
    /// What it should be.
    pub what: &'static str,
    /// What is wrong with it; without what stands in it.
    #[source]
    pub why: Option<serde_json::Error>,
}

/// `HandlerManifest.json`: how a package is run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HandlerManifest {
    /// Relative to the handler's folder, as are the others.
    pub install_command: String,
    /// Run for each change.
    pub enable_command: String,
    /// Run before it goes.
    pub disable_command: String,
    /// Run in a new version's folder before the old one goes.
    pub update_command: String,
    /// Run when it goes.
    pub uninstall_command: String,
    /// `UpdateWithInstall` or `UpdateWithoutInstall`.
    #[serde(default = "update_with_install")]
    pub update_mode: String,
    /// Whether the machine is restarted after the installation.
    #[serde(default)]
    pub reboot_after_install: bool,
    /// Whether it writes a heartbeat.
    #[serde(default)]
    pub report_heartbeat: bool,
    /// Whether an update goes on when a command of it failed.
    #[serde(default)]
    pub continue_on_update_failure: bool,
}

fn update_with_install() -> String {
    "UpdateWithInstall".to_owned()
}

impl HandlerManifest {
    /// The manifest of a program that takes the command as its argument.
    #[must_use]
    pub fn of_program(program: &str) -> Self {
        let command = |name: &str| format!("{program} {name}");
        Self {
            install_command: command("install"),
            enable_command: command("enable"),
            disable_command: command("disable"),
            update_command: command("update"),
            uninstall_command: command("uninstall"),
            update_mode: update_with_install(),
            reboot_after_install: false,
            report_heartbeat: true,
            continue_on_update_failure: false,
        }
    }

    /// As the file is written.
    #[must_use]
    pub fn text(&self) -> String {
        pretty(&json!([{"version": 1.0, "handlerManifest": self}]))
    }

    /// Reads the file.
    ///
    /// # Errors
    /// When it isn't one.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidFile> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Entry {
            handler_manifest: HandlerManifest,
        }
        first::<Entry>(bytes, "a handler manifest").map(|entry| entry.handler_manifest)
    }
}

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

/// `config/<N>.settings`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// The public settings.
    pub public: Option<Value>,
    /// The protected ones.
    pub protected: Option<Protected>,
}

impl Settings {
    /// As the file is written.
    #[must_use]
    pub fn text(&self) -> String {
        let protected = self.protected.as_ref();
        let settings = json!({
            "publicSettings": self.public,
            "protectedSettings": protected.map(|protected| &protected.cms_base64),
            "protectedSettingsCertThumbprint": protected.map(|protected| &protected.thumbprint),
        });
        json!({"runtimeSettings": [{"handlerSettings": settings}]}).to_string()
    }

    /// Reads the file. An empty one has no settings, and so has one whose protected settings are an empty object, as the
    /// original extension's own sample template has them.
    ///
    /// # Errors
    /// When it isn't one.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidFile> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::default());
        }
        let what = "a settings file";
        let read: Value = serde_json::from_slice(bytes).map_err(|why| InvalidFile { what, why: Some(why) })?;
        let invalid = InvalidFile { what, why: None };
        let Some(runtime) = read.get("runtimeSettings").and_then(Value::as_array) else { return Err(invalid) };
        let Some(handler) = runtime.first() else { return Ok(Self::default()) };
        let Some(handler) = handler.get("handlerSettings").and_then(Value::as_object) else { return Err(invalid) };
        let text = |name: &str| handler.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let public = handler.get("publicSettings").filter(|public| !public.is_null()).cloned();
        let protected = text("protectedSettings").zip(text("protectedSettingsCertThumbprint"));
        let protected = protected
            .map(|(cms, thumbprint)| Protected { cms_base64: cms.to_owned(), thumbprint: thumbprint.to_owned() });
        Ok(Self { public, protected })
    }
}

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

/// The only entry of an array; some writers leave the array out.
fn first<T: for<'de> Deserialize<'de>>(bytes: &[u8], what: &'static str) -> Result<T, InvalidFile> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let invalid = |why| InvalidFile { what, why: Some(why) };
    let read: Value = serde_json::from_slice(bytes).map_err(invalid)?;
    let entry = match read {
        Value::Array(mut entries) if !entries.is_empty() => entries.swap_remove(0),
        Value::Array(_) => return Err(InvalidFile { what, why: None }),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => other,
    };
    serde_json::from_value(entry).map_err(invalid)
}

fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
