//! Applications that sign in with credentials of their own: secrets, certificates, federated assertions.

use std::fmt;

use crate::{ClientId, PrincipalId, SecretId, TenantId, Timestamp};

/// An application with its service principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// The tenant it signs in to.
    pub tenant: TenantId,
    /// Its application id.
    pub client_id: ClientId,
    /// The object id of its service principal.
    pub principal_id: PrincipalId,
    /// Its display name; unique in its tenant.
    pub name: String,
    /// Its client secrets, as what verifies them.
    pub secrets: Vec<SecretVerifier>,
    /// The external identities it trusts.
    pub federated: Vec<FederatedCredential>,
}

/// What verifies a client secret, and from which the secret cannot be read.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretVerifier {
    /// The secret's key id.
    pub id: SecretId,
    /// Random bytes mixed into the tag.
    pub salt: Vec<u8>,
    /// A keyed or slow hash of salt and secret; who made it knows which.
    pub tag: Vec<u8>,
    /// The first characters of the secret, for people to tell secrets apart.
    pub hint: String,
    /// When it stops being accepted; never when absent.
    pub expires_on: Option<Timestamp>,
}

impl fmt::Debug for SecretVerifier {
    /// Without salt and tag.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretVerifier")
            .field("id", &self.id)
            .field("hint", &self.hint)
            .field("expires_on", &self.expires_on)
            .finish_non_exhaustive()
    }
}

/// Trust in tokens of an external issuer (a *federated identity credential*). All three values compare exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FederatedCredential {
    /// Its name; unique among its holder's.
    pub name: String,
    /// `iss` of the assertion.
    pub issuer: String,
    /// `sub` of the assertion.
    pub subject: String,
    /// `aud` of the assertion.
    pub audience: String,
}
