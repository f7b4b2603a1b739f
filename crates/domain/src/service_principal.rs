//! Service principals: everything a token can be issued to, of whatever kind, living or dead.

use crate::{ClientId, PrincipalId, ResourceId, TenantId, Timestamp};

/// What stands behind a service principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrincipalKind {
    /// The identity of one resource.
    SystemAssigned,
    /// A user-assigned managed identity.
    UserAssigned,
    /// An application that signs in with its own credentials.
    Application,
}

/// A service principal. Its ids are never given to another, not even after its deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServicePrincipal {
    /// Its object id; unique in an installation for ever.
    pub principal_id: PrincipalId,
    /// Its application id; unique in an installation for ever.
    pub client_id: ClientId,
    /// Its tenant.
    pub tenant: TenantId,
    /// What stands behind it.
    pub kind: PrincipalKind,
    /// The resource it belongs to (a machine, a user-assigned identity); none for an application.
    pub owner: Option<ResourceId>,
    /// When it was deleted; its ids stay taken.
    pub deleted_at: Option<Timestamp>,
}
