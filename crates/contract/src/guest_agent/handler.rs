//! The files that an agent and the handler of an extension share.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Protected;
use super::names::is_thumbprint;
use super::unreadable::{Unreadable, read};

/// The largest status that agents carry on.
pub const MAX_STATUS: usize = 128 << 10;

/// The largest of the other files that is read.
const MAX_FILE: usize = 1 << 20;
/// Of a status that is too long, how many characters are kept of its message.
const SHORT_MESSAGE: usize = 1_024;
/// Of a status that is too long, how many bytes are kept of all that stands below it.
const SHORT_SUBSTATUS: usize = 10 << 10;

/// Of a status that is still too long, what is kept of it, and how long each of that may be, in bytes. All of it together
/// is within what agents carry on.
const STATUS_MEMBERS: [&str; 7] =
    ["name", "operation", "configurationAppliedTime", "status", "code", "formattedMessage", "substatus"];
const LONGEST_MEMBER: usize = 12 << 10;

/// A file that isn't what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it isn't {what}: {why}")]
pub struct InvalidFile {
    /// What it should be.
    pub what: &'static str,
    /// What is wrong with it, without what stands in it.
    pub why: Unreadable,
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
        let read: Value = read(bytes, MAX_FILE).map_err(|why| InvalidFile { what, why })?;
        let invalid = InvalidFile { what, why: Unreadable::Shape };
        let Some(runtime) = read.get("runtimeSettings").and_then(Value::as_array) else { return Err(invalid) };
        let Some(handler) = runtime.first() else { return Ok(Self::default()) };
        let Some(handler) = handler.get("handlerSettings").and_then(Value::as_object) else { return Err(invalid) };
        let public = handler.get("publicSettings").filter(|public| !public.is_null()).cloned();
        let thumbprint = handler.get("protectedSettingsCertThumbprint").and_then(Value::as_str);
        let protected = match handler.get("protectedSettings") {
            None | Some(Value::Null) => None,
            Some(Value::String(cms)) if cms.is_empty() => None,
            Some(Value::Object(members)) if members.is_empty() => None,
            Some(Value::String(cms)) => {
                let thumbprint = thumbprint.filter(|thumbprint| is_thumbprint(thumbprint)).ok_or(invalid)?;
                Some(Protected { cms_base64: cms.clone(), thumbprint: thumbprint.to_owned() })
            }
            Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => return Err(invalid),
        };
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
