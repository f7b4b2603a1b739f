//! What an agent says of its VM: the status blob, and the call that carries it through the HostGAPlugin.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::names::is_version;
use super::unreadable::{Unreadable, read};

/// The longest blob that is taken: some extensions with the longest status that agents carry on.
pub const MAX: usize = 768 << 10;

/// The status blob, as far as it is known; agents of other versions say more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusBlob {
    /// `1.1`.
    #[serde(default)]
    pub version: String,
    /// When, RFC 3339.
    #[serde(rename = "timestampUTC", default)]
    pub timestamp_utc: String,
    /// How everything fares.
    pub aggregate_status: AggregateStatus,
    /// What system it is.
    #[serde(rename = "guestOSInfo", default, skip_serializing_if = "Option::is_none")]
    pub guest_os_info: Option<Value>,
    /// What the agent can do.
    #[serde(default)]
    pub supported_features: Value,
}

/// How everything fares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AggregateStatus {
    /// The agent.
    pub guest_agent_status: AgentStatus,
    /// The handlers.
    #[serde(default)]
    pub handler_aggregate_status: Vec<HandlerAggregate>,
    /// The goal state.
    #[serde(default)]
    pub vm_artifacts_aggregate_status: ArtifactsAggregate,
}

/// How the agent fares.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AgentStatus {
    /// Its version.
    pub version: String,
    /// `Ready` or `NotReady`.
    pub status: String,
    /// For people.
    pub formatted_message: Message,
}

/// Text for people. Whatever isn't that is taken for none: one handler's slip is no reason to hear nothing of the others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Value")]
pub struct Message {
    /// Its language.
    pub lang: String,
    /// The text.
    pub message: String,
}

impl From<Value> for Message {
    fn from(value: Value) -> Self {
        let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self { lang: text("lang"), message: text("message") }
    }
}

impl Message {
    /// English text.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { lang: "en-US".to_owned(), message: message.into() }
    }
}

/// How a handler fares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HandlerAggregate {
    /// Its full version; empty when what is said isn't one.
    #[serde(default, deserialize_with = "version")]
    pub handler_version: String,
    /// `Publisher.Type`.
    pub handler_name: String,
    /// `Ready`, `NotReady`, `Installing` or `Unresponsive`.
    #[serde(default)]
    pub status: String,
    /// 0 is well; what failed otherwise: 1007 install, 1008 update, 1009 enable, 1010 disable, 1001 download.
    #[serde(default)]
    pub code: i32,
    /// Whether exactly this version is wanted.
    #[serde(default)]
    pub use_exact_version: bool,
    /// For people.
    #[serde(default)]
    pub formatted_message: Message,
    /// What came of its settings; none when what is said isn't about a number of theirs.
    #[serde(default, deserialize_with = "runtime_settings", skip_serializing_if = "Option::is_none")]
    pub runtime_settings_status: Option<RuntimeSettingsStatus>,
}

/// What came of a handler's settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RuntimeSettingsStatus {
    /// Which settings; agents write it as a number.
    #[serde(deserialize_with = "required_number")]
    pub sequence_number: u64,
    /// The entry of the handler's own status file, or what the agent says in its place.
    pub settings_status: Value,
}

/// How the goal state fares.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ArtifactsAggregate {
    /// How the goal state fares.
    pub goal_state_aggregate_status: GoalStateAggregate,
}

/// How the goal state fares: that it was gone through, not that every handler did well.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GoalStateAggregate {
    /// `Success` or `Failed`.
    pub status: String,
    /// 0 is well.
    pub code: i32,
    /// The number that the goal state had; agents write it as text or as a number.
    #[serde(deserialize_with = "number")]
    pub in_svd_seq_no: Option<u64>,
    /// When.
    #[serde(rename = "timestampUTC")]
    pub timestamp_utc: String,
    /// For people.
    pub formatted_message: Message,
}

fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(value.as_u64().or_else(|| value.as_str()?.parse().ok()))
}

fn required_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    number(deserializer)?.ok_or_else(|| D::Error::custom("not a number of settings"))
}

fn runtime_settings<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RuntimeSettingsStatus>, D::Error> {
    Ok(RuntimeSettingsStatus::deserialize(Value::deserialize(deserializer)?).ok())
}

fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(value.as_str().filter(|version| is_version(version)).unwrap_or_default().to_owned())
}

/// A status that isn't one.
#[derive(Debug, thiserror::Error)]
pub enum InvalidStatus {
    /// Not JSON of this shape, or too long.
    #[error("the status isn't what agents say: {0}")]
    Malformed(#[from] Unreadable),
    /// The call's content isn't base64.
    #[error("the content of the call isn't base64")]
    Base64,
}

impl StatusBlob {
    /// Reads a blob.
    ///
    /// # Errors
    /// When it isn't one.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidStatus> {
        Ok(read(bytes, MAX)?)
    }

    /// Reads the body of `PUT /status`; none when it only creates a blob and has no content.
    ///
    /// # Errors
    /// When it isn't one.
    pub fn parse_call(bytes: &[u8]) -> Result<Option<Self>, InvalidStatus> {
        // In base64 it is a third longer.
        let call: Call = read(bytes, MAX / 3 * 4 + 4_096)?;
        let Some(content) = call.content.filter(|content| !content.is_empty()) else { return Ok(None) };
        let content = STANDARD.decode(content).map_err(|_| InvalidStatus::Base64)?;
        Self::parse(&content).map(Some)
    }

    /// The body of `PUT /status` that puts it at a URL.
    ///
    /// # Errors
    /// Never for what could be read.
    pub fn call(&self, url: &str) -> Result<String, Unreadable> {
        let header = |name: &str, value: &str| Header { name: name.to_owned(), value: value.to_owned() };
        let call = Call {
            request_uri: url.to_owned(),
            headers: vec![header("x-ms-version", "2014-02-14"), header("x-ms-blob-type", "BlockBlob")],
            content: Some(STANDARD.encode(serde_json::to_vec(self)?)),
        };
        Ok(serde_json::to_string(&call)?)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Call {
    #[serde(default)]
    request_uri: String,
    #[serde(default)]
    headers: Vec<Header>,
    #[serde(default)]
    content: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    #[serde(rename = "headerName")]
    name: String,
    #[serde(rename = "headerValue")]
    value: String,
}
