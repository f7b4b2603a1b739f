//! Applications with their secrets and federated credentials.

use domain::{Application, ClientId, TenantId};

use crate::{Error, Put};

/// Looks up applications.
pub trait ApplicationReader {
    /// By tenant and client id.
    ///
    /// # Errors
    /// When the store fails.
    fn application(&self, tenant: TenantId, client_id: ClientId) -> Result<Option<Application>, Error>;

    /// By tenant and name, without ASCII case.
    ///
    /// # Errors
    /// When the store fails.
    fn application_by_name(&self, tenant: TenantId, name: &str) -> Result<Option<Application>, Error>;

    /// All of a tenant, by name.
    ///
    /// # Errors
    /// When the store fails.
    fn applications(&self, tenant: TenantId) -> Result<Vec<Application>, Error>;
}

/// Changes applications.
pub trait ApplicationWriter {
    /// Stores an application under its client id: its secrets and federated credentials are afterwards exactly those
    /// given. They are kept in the order of their ids and names.
    ///
    /// # Errors
    /// [`Error::Taken`] when its name, principal id, client id or a secret's id is (or for ids: was) another's;
    /// [`Error::Missing`] when the tenant is not there; [`Error::Contradiction`] when it exists with another tenant or
    /// principal id, or names a federated credential twice.
    fn put_application(&mut self, application: &Application) -> Result<Put, Error>;

    /// Removes an application: its service principal is tombstoned with its roles and certificates. Says whether it
    /// was there.
    ///
    /// # Errors
    /// When the store fails.
    fn remove_application(&mut self, tenant: TenantId, client_id: ClientId) -> Result<bool, Error>;
}
