//! Managed identities: a service principal that a resource may act as.

use std::collections::BTreeMap;

use crate::{ClientId, PrincipalId, ResourceId, TenantId};

/// Which of the two kinds a managed identity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentityKind {
    /// Lives and dies with one resource.
    SystemAssigned,
    /// A resource of its own, assigned to any number of others.
    UserAssigned,
}

/// What a token for a managed identity is made from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ManagedIdentity {
    /// System-assigned or user-assigned.
    pub kind: IdentityKind,
    /// A user-assigned identity's own id; for a system-assigned one the id of the resource it belongs to.
    pub id: ResourceId,
    /// The tenant of its service principal.
    pub tenant: TenantId,
    /// Its object id (`oid`).
    pub principal_id: PrincipalId,
    /// Its application id (`appid`).
    pub client_id: ClientId,
}

/// A user-assigned identity as a resource: `Microsoft.ManagedIdentity/userAssignedIdentities`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserAssignedIdentity {
    /// The identity; its `id` is this resource's id and its kind is user-assigned.
    pub identity: ManagedIdentity,
    /// Its name; see [`crate::names::user_assigned_identity`].
    pub name: String,
    /// Its region.
    pub location: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}
