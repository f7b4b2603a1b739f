//! What is in the protected settings of the extension for managed identities: the credentials of the VM's identities.

use std::fmt;
use std::net::SocketAddr;

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
    /// The cutover to the metadata service, when one was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cutover: Option<Cutover>,
}

/// What is wanted of the endpoint of a VM that is cut over to its metadata service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cutover {
    /// How far.
    pub step: CutoverStep,
    /// Where the VM's metadata service is.
    pub imds: SocketAddr,
}

/// How far a cutover is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CutoverStep {
    /// The endpoint forwards, once the metadata service has answered for every identity.
    Forwarding,
    /// It forwards, and there is no credential.
    Revoked,
    /// It is closed.
    Closed,
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
        let settings: Settings<Option<Self>> = serde_json::from_slice(settings).map_err(|_| Malformed)?;
        Ok(settings.managed_identity)
    }

    /// Protected settings with this in them, beside what their owner protects: JSON text of an object. Anything else than
    /// an object is taken for none.
    #[must_use]
    pub fn beside(&self, owners: &str) -> Zeroizing<String> {
        let mut others: serde_json::Map<String, Value> = serde_json::from_str(owners).unwrap_or_default();
        others.remove(MEMBER);
        // Long enough at once: a text that grew would leave keys behind where it was before.
        let credentials = self.identities.iter().map(|one| one.private_key.len() + one.certificate.len() + 1_024);
        let length = credentials.sum::<usize>() + owners.len() * 2 + self.authority.certificates.len() * 2 + 4_096;
        let mut text = Zeroizing::new(String::with_capacity(length));
        let settings = Settings { managed_identity: self, others };
        if serde_json::to_writer(IntoText(&mut text), &settings).is_err() {
            text.clear();
        }
        text
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings<T> {
    managed_identity: T,
    #[serde(flatten)]
    others: serde_json::Map<String, Value>,
}

/// Text that is written into.
struct IntoText<'a>(&'a mut String);

impl std::io::Write for IntoText<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.push_str(std::str::from_utf8(bytes).map_err(std::io::Error::other)?);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Protected settings that can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the protected settings aren't what this extension understands")]
pub struct Malformed;
