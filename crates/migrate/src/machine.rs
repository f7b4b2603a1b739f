//! A machine with the extension, as the control plane shows it (`Symbolon.Migration/machines`).

use domain::Step;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// A machine, or in the place of its machines a scale set whose model has the extension while none of them has.
#[derive(Clone, Debug, Deserialize)]
pub struct Machine {
    /// Its resource id.
    pub id: String,
    /// Its name; of a machine of a scale set the scale set's with its number.
    pub name: String,
    /// What there is to know of it.
    pub properties: Properties,
}

/// What there is to know of a machine.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Properties {
    /// The resource id of the scale set that it belongs to.
    pub scale_set: Option<String>,
    /// `running`, `stopped` or `deallocated`; none of a scale set.
    pub power: Option<String>,
    /// Its extension for managed identities.
    pub extension: Extension,
    /// The identities that it may act as.
    pub identities: Vec<Identity>,
    /// How many credentials of it the authority takes now.
    pub usable_credentials: usize,
    /// Who asks the extension.
    pub extension_calls: Calls,
    /// Who asks the metadata service.
    pub imds_calls: Calls,
    /// How far its cutover is.
    pub cutover: Progress,
}

impl Machine {
    /// Whether it is a scale set: there is nobody to cut over, and the extension is to be taken from its model.
    #[must_use]
    pub fn is_model(&self) -> bool {
        self.properties.power.is_none()
    }
}

/// An extension.
#[derive(Clone, Debug, Deserialize)]
pub struct Extension {
    /// Its name.
    pub name: String,
    /// Its provisioning state.
    pub state: String,
    /// The port of its endpoint; none when its settings name none that there is.
    pub port: Option<u16>,
}

/// An identity.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// Its client id.
    pub client_id: String,
    /// Its resource id.
    pub resource_id: String,
}

/// The calls at an endpoint.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Calls {
    /// When somebody called last, RFC 3339.
    pub last_call: Option<String>,
    /// Who called in the days that were asked for.
    pub callers: Vec<Caller>,
}

impl Calls {
    /// How many there were in the days that were asked for.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.callers.iter().fold(0, |sum, caller| sum.saturating_add(caller.calls))
    }
}

/// Somebody who calls.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Caller {
    /// The identity that a token was asked for, where that is known.
    pub client_id: Option<String>,
    /// What it calls itself.
    pub client: String,
    /// The name of its process, where it could be seen.
    pub process: Option<String>,
    /// The user that runs it, where that could be seen.
    pub uid: Option<u32>,
    /// How often it called.
    pub calls: u64,
    /// When last, RFC 3339.
    pub last_call: Option<String>,
}

impl Caller {
    /// In a few words.
    #[must_use]
    pub fn described(&self) -> String {
        let client = if self.client.is_empty() { "a client without a name" } else { &self.client };
        match (&self.process, self.uid) {
            (Some(process), Some(uid)) => format!("{client} (process {process}, uid {uid})"),
            (None, Some(uid)) => format!("{client} (uid {uid})"),
            (Some(process), None) => format!("{client} (process {process})"),
            (None, None) => client.to_owned(),
        }
    }
}

/// How far a cutover is.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// The step that is wanted.
    #[serde(deserialize_with = "step")]
    pub step: Step,
    /// The one that the guest has come to.
    #[serde(deserialize_with = "step")]
    pub reached: Step,
    /// Why it hasn't come to the one that is wanted.
    pub failed: Option<String>,
}

/// Reads a list of machines.
///
/// # Errors
/// When it isn't one.
pub fn machines(list: &Value) -> Result<Vec<Machine>, serde_json::Error> {
    Vec::deserialize(list.get("value").unwrap_or(&Value::Null))
}

pub(crate) fn step<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Step, D::Error> {
    let name = String::deserialize(deserializer)?;
    Step::of(&name).ok_or_else(|| serde::de::Error::custom("no step of a cutover"))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the serialiser's shape")]
pub(crate) fn named<S: Serializer>(step: &Step, serializer: S) -> Result<S::Ok, S::Error> {
    step.as_str().serialize(serializer)
}
