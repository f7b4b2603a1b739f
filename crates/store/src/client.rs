//! What the token endpoint needs to know about who asks, in one go.

use domain::{
    CertificateCredential, ClientId, FederatedCredential, ManagedIdentity, RoleAssignment, SecretVerifier,
    ServicePrincipal, TenantId,
};

use crate::Error;

/// A living service principal with everything it may sign in with and do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientRecord {
    /// The principal.
    pub principal: ServicePrincipal,
    /// What stands behind it.
    pub holder: Holder,
    /// Its secrets.
    pub secrets: Vec<SecretVerifier>,
    /// Its certificates, revoked and expired ones too.
    pub certificates: Vec<CertificateCredential>,
    /// The external identities it trusts.
    pub federated: Vec<FederatedCredential>,
    /// Its roles.
    pub roles: Vec<RoleAssignment>,
}

/// What stands behind a service principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A managed identity of either kind.
    ManagedIdentity(ManagedIdentity),
    /// An application.
    Application {
        /// Its name.
        name: String,
    },
}

/// Looks up clients of the token endpoint.
pub trait ClientReader {
    /// The living client of this id in this tenant. A deleted one is not there.
    ///
    /// # Errors
    /// When the store fails.
    fn client(&self, tenant: TenantId, client_id: ClientId) -> Result<Option<ClientRecord>, Error>;
}
