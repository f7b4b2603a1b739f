//! Service principals. They come and go with what stands behind them (an identity, a machine, an application), so
//! there is nothing to write here; a deleted one stays as a tombstone and its ids stay taken.

use domain::{ClientId, PrincipalId, ServicePrincipal, TenantId};

use crate::Error;

/// Looks up service principals, deleted ones too.
pub trait ServicePrincipalReader {
    /// By principal id.
    ///
    /// # Errors
    /// When the store fails.
    fn service_principal(&self, id: PrincipalId) -> Result<Option<ServicePrincipal>, Error>;

    /// By client id.
    ///
    /// # Errors
    /// When the store fails.
    fn service_principal_by_client(&self, id: ClientId) -> Result<Option<ServicePrincipal>, Error>;

    /// All of a tenant, deleted ones too, by principal id.
    ///
    /// # Errors
    /// When the store fails.
    fn service_principals(&self, tenant: TenantId) -> Result<Vec<ServicePrincipal>, Error>;
}
