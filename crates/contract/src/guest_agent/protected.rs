//! What is in the protected settings of the extension for managed identities: the credentials of the VM's identities.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

/// What `CertificateFile` calls a PFX in a CMS envelope.
pub const CERTIFICATE_FORMAT: &str = "Pkcs7BlobWithPfxContents";
/// The member of the settings.
const MEMBER: &str = "managedIdentity";

/// The credentials of a VM, and where they are good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManagedIdentity {
    /// Who gives tokens for them.
    pub authority: Authority,
    /// The VM's resource id.
    pub vm: String,
    /// One for each identity of the VM.
    pub identities: Vec<Identity>,
}

/// An authority as a guest reaches it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authority {
    /// Its base URL, without a slash at the end.
    pub url: String,
    /// The certificates to trust in its TLS besides those of the machine, PEM; may be empty.
    #[serde(default)]
    pub certificates: String,
}

/// The credential of an identity.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// Which kind it is.
    pub kind: Kind,
    /// Its resource id; of a system-assigned one the VM's.
    pub resource_id: String,
    /// Its tenant.
    pub tenant_id: String,
    /// Its principal id.
    pub principal_id: String,
    /// Its client id.
    pub client_id: String,
    /// The end of the certificate's life, in Unix seconds.
    pub not_after: i64,
    /// The certificate, base64 of DER.
    pub certificate: String,
    /// Its private key, base64 of PKCS#8.
    pub private_key: Zeroizing<String>,
}

/// The kind of an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// The VM's own.
    SystemAssigned,
    /// One that exists by itself.
    UserAssigned,
}

impl fmt::Debug for Identity {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("client_id", &self.client_id)
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

impl ManagedIdentity {
    /// Reads it out of protected settings; none when they have none. Members beside it are their owner's.
    ///
    /// # Errors
    /// When the settings aren't a JSON object, or it isn't as it should be. The error holds nothing of what was read.
    pub fn of(settings: &[u8]) -> Result<Option<Self>, Malformed> {
        if settings.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        let settings: Settings = serde_json::from_slice(settings).map_err(|_| Malformed)?;
        Ok(settings.managed_identity)
    }

    /// Protected settings with this in them, beside what their owner protects: JSON text of an object. Anything else than
    /// an object is taken for none.
    #[must_use]
    pub fn beside(&self, owners: &str) -> Zeroizing<String> {
        let mut settings = match serde_json::from_str(owners) {
            Ok(Value::Object(settings)) => settings,
            Ok(_) | Err(_) => serde_json::Map::new(),
        };
        settings.insert(MEMBER.to_owned(), serde_json::to_value(self).unwrap_or_default());
        Zeroizing::new(Value::Object(settings).to_string())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    managed_identity: Option<ManagedIdentity>,
}

/// Protected settings that can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the protected settings aren't what this extension understands")]
pub struct Malformed;
