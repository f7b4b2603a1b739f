//! A credential as its file has it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use broker::credential::NewCredential;
use domain::{IdentityKind, ManagedIdentity, ResourceId, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

/// The file as it is written.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Stored {
    format: u32,
    kind: StoredKind,
    resource_id: String,
    tenant_id: String,
    principal_id: String,
    client_id: String,
    vm: String,
    not_after: i64,
    certificate: String,
    private_key: String,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
enum StoredKind {
    SystemAssigned,
    UserAssigned,
}

impl Drop for Stored {
    fn drop(&mut self) {
        self.private_key.zeroize();
    }
}

const FORMAT: u32 = 1;

impl From<&NewCredential> for Stored {
    fn from(credential: &NewCredential) -> Self {
        Self {
            format: FORMAT,
            kind: match credential.identity.kind {
                IdentityKind::SystemAssigned => StoredKind::SystemAssigned,
                IdentityKind::UserAssigned => StoredKind::UserAssigned,
            },
            resource_id: credential.identity.id.to_string(),
            tenant_id: credential.identity.tenant.to_string(),
            principal_id: credential.identity.principal_id.to_string(),
            client_id: credential.identity.client_id.to_string(),
            vm: credential.vm.to_string(),
            not_after: credential.not_after.unix(),
            certificate: STANDARD.encode(&credential.certificate),
            private_key: STANDARD.encode(&*credential.key),
        }
    }
}

impl Stored {
    pub(super) fn open(&self) -> Result<NewCredential, String> {
        if self.format != FORMAT {
            return Err(format!("format {} is not known to this version", self.format));
        }
        let text = |why: &dyn std::fmt::Display| why.to_string();
        Ok(NewCredential {
            identity: ManagedIdentity {
                kind: match self.kind {
                    StoredKind::SystemAssigned => IdentityKind::SystemAssigned,
                    StoredKind::UserAssigned => IdentityKind::UserAssigned,
                },
                id: ResourceId::parse(&self.resource_id).map_err(|why| text(&why))?,
                tenant: self.tenant_id.parse().map_err(|why| text(&why))?,
                principal_id: self.principal_id.parse().map_err(|why| text(&why))?,
                client_id: self.client_id.parse().map_err(|why| text(&why))?,
            },
            vm: ResourceId::parse(&self.vm).map_err(|why| text(&why))?,
            certificate: STANDARD.decode(&self.certificate).map_err(|why| text(&why))?,
            key: Zeroizing::new(STANDARD.decode(&self.private_key).map_err(|_| "privateKey is not base64")?),
            not_after: Timestamp::from_unix(self.not_after),
        })
    }
}
