//! The HostGAPlugin's form of a goal state: `GET /vmSettings`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{GoalState, Protected, WantedExtension, WantedState};

/// The oldest version of the plugin whose document agents take.
const PLUGIN_VERSION: &str = "1.0.8.133";

impl GoalState {
    /// The document, JSON. It goes out with the goal state's ETag.
    #[must_use]
    pub fn vm_settings(&self) -> String {
        let extensions: Vec<Value> = self.extensions.iter().map(extension).collect();
        json!({
            "hostGAPluginVersion": PLUGIN_VERSION,
            "vmSettingsSchemaVersion": "0.0",
            "activityId": self.activity_id,
            "correlationId": self.activity_id,
            "inSvdSeqNo": self.incarnation,
            "extensionsLastModifiedTickCount": self.ticks,
            "extensionGoalStatesSource": "FastTrack",
            "statusUploadBlob": {"statusBlobType": "BlockBlob", "value": self.status_blob_url},
            "inVMMetadata": {
                "subscriptionId": self.subscription_id,
                "resourceGroupName": self.resource_group,
                "vmName": self.vm_name,
                "location": self.location,
                "vmId": self.vm_id,
                "vmSize": self.vm_size,
                "osType": "Linux",
            },
            "gaFamilies": [{"name": "Prod", "uris": [self.agent_manifest_url()]}],
            "extensionGoalStates": extensions,
        })
        .to_string()
    }
}

fn extension(extension: &WantedExtension) -> Value {
    let mut settings = serde_json::Map::new();
    if let Some(public) = &extension.settings {
        settings.insert("publicSettings".to_owned(), public.as_str().into());
    }
    if let Some(Protected { cms_base64, thumbprint }) = &extension.protected {
        settings.insert("protectedSettings".to_owned(), cms_base64.as_str().into());
        settings.insert("protectedSettingsCertThumbprint".to_owned(), thumbprint.as_str().into());
    }
    let settings: Vec<Value> = if settings.is_empty() { Vec::new() } else { vec![settings.into()] };
    json!({
        "name": extension.name,
        "version": extension.version,
        "location": extension.manifest_url,
        "failoverlocation": extension.manifest_url,
        "state": extension.state.as_str(),
        "autoUpgrade": extension.auto_upgrade,
        "runAsStartupTask": false,
        "isJson": true,
        "useExactVersion": true,
        "settingsSeqNo": extension.sequence,
        "isMultiConfig": false,
        "settings": settings,
    })
}

/// What an agent takes from the document; members that it doesn't know are left aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VmSettings {
    /// Names the change, for logs.
    #[serde(default)]
    pub activity_id: String,
    /// Counts the changes: goes back with the status.
    pub in_svd_seq_no: u64,
    /// Where the status is put.
    pub status_upload_blob: StatusUploadBlob,
    /// Whether nothing is to be done for now.
    #[serde(default)]
    pub on_hold: bool,
    /// The extensions.
    #[serde(default)]
    pub extension_goal_states: Vec<ExtensionGoalState>,
}

/// Where a status is put.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusUploadBlob {
    /// The URL that a `PUT /status` names.
    pub value: String,
}

/// An extension in the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExtensionGoalState {
    /// `Publisher.Type`.
    pub name: String,
    /// The full version.
    pub version: String,
    /// Where its package is told.
    pub location: String,
    /// The same elsewhere.
    #[serde(default)]
    pub failoverlocation: Option<String>,
    /// `enabled`, `disabled` or `uninstall`.
    pub state: String,
    /// The number of the settings.
    #[serde(default)]
    pub settings_seq_no: u64,
    /// The settings: one or none.
    #[serde(default)]
    pub settings: Vec<ExtensionSettings>,
}

/// The settings of an extension in the document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ExtensionSettings {
    /// JSON text of an object.
    pub public_settings: Option<String>,
    /// A CMS envelope, base64 of DER.
    pub protected_settings: Option<String>,
    /// The certificate it is for.
    pub protected_settings_cert_thumbprint: Option<String>,
}

/// A document that isn't one.
#[derive(Debug, thiserror::Error)]
pub enum InvalidVmSettings {
    /// It isn't JSON of this shape.
    #[error("the host's vmSettings can't be read")]
    Malformed(#[from] serde_json::Error),
    /// An extension has a state that there isn't.
    #[error("extension '{name}' is to be '{state}', which this agent doesn't know")]
    State {
        /// The extension.
        name: String,
        /// The word.
        state: String,
    },
}

impl VmSettings {
    /// Reads the document.
    ///
    /// # Errors
    /// When it isn't one.
    pub fn parse(text: &[u8]) -> Result<Self, InvalidVmSettings> {
        let read: Self = serde_json::from_slice(text)?;
        for ExtensionGoalState { name, state, .. } in &read.extension_goal_states {
            if !WantedState::ALL.iter().any(|known| known.as_str() == state) {
                return Err(InvalidVmSettings::State { name: name.clone(), state: state.clone() });
            }
        }
        Ok(read)
    }

    /// The extensions as they are wanted.
    pub fn extensions(&self) -> impl Iterator<Item = WantedExtension> + '_ {
        self.extension_goal_states.iter().map(ExtensionGoalState::wanted)
    }
}

impl ExtensionGoalState {
    fn wanted(&self) -> WantedExtension {
        let settings = self.settings.first().cloned().unwrap_or_default();
        let known = WantedState::ALL.into_iter().find(|known| known.as_str() == self.state);
        WantedExtension {
            name: self.name.clone(),
            version: self.version.clone(),
            manifest_url: self.location.clone(),
            state: known.unwrap_or(WantedState::Disabled),
            auto_upgrade: false,
            sequence: self.settings_seq_no,
            settings: settings.public_settings,
            protected: settings
                .protected_settings
                .zip(settings.protected_settings_cert_thumbprint)
                .map(|(cms_base64, thumbprint)| Protected { cms_base64, thumbprint }),
        }
    }
}
