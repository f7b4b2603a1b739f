//! A tenant: the directory that service principals live in.

use crate::{TenantId, Timestamp};

/// A tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Its id (`tid` in a token).
    pub id: TenantId,
    /// Its short name; unique in an installation.
    pub name: String,
    /// When it was created. The store says so when the tenant is first put; whoever describes one leaves it out.
    pub created_at: Option<Timestamp>,
}
