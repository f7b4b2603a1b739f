//! Federated credentials of user-assigned identities. Those of applications come with the application.

use domain::{FederatedCredential, PrincipalId};

use crate::{Error, Put};

/// Looks up federated credentials.
pub trait FederatedCredentialReader {
    /// All of a principal, by name.
    ///
    /// # Errors
    /// When the store fails.
    fn federated_credentials(&self, of: PrincipalId) -> Result<Vec<FederatedCredential>, Error>;
}

/// Changes federated credentials.
pub trait FederatedCredentialWriter {
    /// Stores a credential of a living principal under its name, in any case.
    ///
    /// # Errors
    /// [`Error::Missing`] when the principal is not there or is deleted.
    fn put_federated_credential(&mut self, of: PrincipalId, credential: &FederatedCredential) -> Result<Put, Error>;

    /// Removes a credential; says whether it was there.
    ///
    /// # Errors
    /// When the store fails.
    fn remove_federated_credential(&mut self, of: PrincipalId, name: &str) -> Result<bool, Error>;
}
