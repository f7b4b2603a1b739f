//! A tenant: the directory that service principals live in.

use crate::TenantId;

/// A tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Its id (`tid` in a token).
    pub id: TenantId,
    /// Its short name; unique in an installation.
    pub name: String,
}
