//! Virtual machines: the record, and the snapshot that a metadata service answers from.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::{AssignedIdentities, ManagedIdentity, ResourceId, TenantId, VmId};

/// A virtual machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualMachine {
    /// Its resource id.
    pub id: ResourceId,
    /// Its unique id; a machine made anew under the same resource id has another.
    pub vm_id: VmId,
    /// The tenant of its subscription.
    pub tenant: TenantId,
    /// Its name; see [`crate::names::virtual_machine`].
    pub name: String,
    /// Its region.
    pub location: String,
    /// Its size, e.g. `Standard_B1s`.
    pub size: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Its system-assigned identity, when enabled.
    pub system_assigned: Option<ManagedIdentity>,
    /// The user-assigned identities it may act as, in the order they were given.
    pub user_assigned: Vec<ResourceId>,
    /// How its host recognises it.
    pub attachment: Option<Attachment>,
}

/// How a host recognises a virtual machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Attachment {
    /// By the address its metadata service listens on: whoever can connect there is this machine.
    Listen(SocketAddr),
}

/// What the metadata service needs to know about a virtual machine, resolved and cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VmSnapshot {
    /// Its resource id.
    pub id: ResourceId,
    /// Its unique id.
    pub vm_id: VmId,
    /// The tenant of its subscription.
    pub tenant: TenantId,
    /// Every identity it may act as.
    pub identities: AssignedIdentities,
}
