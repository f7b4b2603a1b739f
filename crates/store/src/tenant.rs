//! Tenants.

use domain::{Tenant, TenantId};

use crate::{Error, Put};

/// Looks up tenants.
pub trait TenantReader {
    /// By id.
    ///
    /// # Errors
    /// When the store fails.
    fn tenant(&self, id: TenantId) -> Result<Option<Tenant>, Error>;

    /// By name, without ASCII case.
    ///
    /// # Errors
    /// When the store fails.
    fn tenant_by_name(&self, name: &str) -> Result<Option<Tenant>, Error>;

    /// All, by name.
    ///
    /// # Errors
    /// When the store fails.
    fn tenants(&self) -> Result<Vec<Tenant>, Error>;
}

/// Changes tenants.
pub trait TenantWriter {
    /// Stores a tenant under its id. One that is new was created when it says, or else now; when one that is known
    /// was created stays as it is.
    ///
    /// # Errors
    /// [`Error::Taken`] when another has the name.
    fn put_tenant(&mut self, tenant: &Tenant) -> Result<Put, Error>;

    /// Removes a tenant; says whether it was there.
    ///
    /// # Errors
    /// [`Error::InUse`] while it has a subscription or ever had a service principal.
    fn remove_tenant(&mut self, id: TenantId) -> Result<bool, Error>;
}
