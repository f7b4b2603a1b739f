//! The keys of a seed file, as they are written. Unknown keys are refused with line and column.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;

use crate::attachment::AttachmentWords;

/// A word of the file with its place, for errors that name it.
pub(super) type Word = Spanned<String>;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct SeedFile {
    pub(super) tenants: Vec<TenantSeed>,
    pub(super) subscriptions: Vec<SubscriptionSeed>,
    pub(super) resource_groups: Vec<ResourceGroupSeed>,
    pub(super) user_assigned_identities: Vec<UserAssignedSeed>,
    pub(super) virtual_machines: Vec<MachineSeed>,
    pub(super) issuers: Vec<IssuerSeed>,
    pub(super) applications: Vec<ApplicationSeed>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TenantSeed {
    pub(super) name: Word,
    pub(super) id: Option<Word>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SubscriptionSeed {
    pub(super) name: Word,
    pub(super) id: Option<Word>,
    pub(super) tenant: Option<Word>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ResourceGroupSeed {
    pub(super) name: Word,
    pub(super) subscription: Option<Word>,
    pub(super) location: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct UserAssignedSeed {
    pub(super) name: Word,
    pub(super) resource_group: Option<Word>,
    pub(super) location: Option<String>,
    pub(super) client_id: Option<Word>,
    pub(super) principal_id: Option<Word>,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct MachineSeed {
    pub(super) name: Word,
    pub(super) resource_group: Option<Word>,
    pub(super) vm_id: Option<Word>,
    pub(super) location: Option<String>,
    pub(super) size: Option<String>,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) identity: MachineIdentitySeed,
    pub(super) attachment: Option<Spanned<AttachmentWords>>,
    #[serde(default)]
    pub(super) extensions: Vec<ExtensionSeed>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct MachineIdentitySeed {
    pub(super) system_assigned: SystemAssignedSeed,
    pub(super) user_assigned: Vec<Word>,
}

/// `true`, `false`, or the ids to take.
#[derive(Debug)]
pub(super) enum SystemAssignedSeed {
    Enabled(bool),
    Ids(SystemAssignedIds),
}

impl Default for SystemAssignedSeed {
    fn default() -> Self {
        Self::Enabled(false)
    }
}

/// By hand, because an untagged enum forgets where the ids stand.
impl<'de> Deserialize<'de> for SystemAssignedSeed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = SystemAssignedSeed;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false, or a map of clientId and principalId for systemAssigned")
            }

            fn visit_bool<E>(self, enabled: bool) -> Result<Self::Value, E> {
                Ok(SystemAssignedSeed::Enabled(enabled))
            }

            fn visit_map<A: MapAccess<'de>>(self, ids: A) -> Result<Self::Value, A::Error> {
                SystemAssignedIds::deserialize(MapAccessDeserializer::new(ids)).map(SystemAssignedSeed::Ids)
            }
        }

        deserializer.deserialize_any(Either)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SystemAssignedIds {
    pub(super) client_id: Option<Word>,
    pub(super) principal_id: Option<Word>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ExtensionSeed {
    pub(super) name: Option<Word>,
    #[serde(rename = "type")]
    pub(super) extension_type: Word,
    pub(super) publisher: Option<String>,
    pub(super) type_handler_version: Option<String>,
    pub(super) settings: Option<serde_json::Map<String, serde_json::Value>>,
    /// Allowed, as in the templates of its time, and of no meaning to this extension.
    pub(super) protected_settings: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct IssuerSeed {
    pub(super) url: Word,
    pub(super) jwks: Option<Word>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ApplicationSeed {
    pub(super) name: Word,
    pub(super) tenant: Option<Word>,
    pub(super) client_id: Option<Word>,
    pub(super) principal_id: Option<Word>,
    pub(super) secret: Option<Word>,
    pub(super) certificate: Option<Word>,
    #[serde(default)]
    pub(super) federated_credentials: Vec<FederatedSeed>,
    #[serde(default)]
    pub(super) roles: Vec<RoleSeed>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct FederatedSeed {
    pub(super) name: Option<String>,
    pub(super) issuer: Word,
    pub(super) subject: String,
    pub(super) audience: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RoleSeed {
    pub(super) role: Word,
    pub(super) scope: Word,
}
