//! Virtual machines: the record, and the snapshot that a metadata service answers from.

use std::collections::BTreeMap;

use crate::{AssignedIdentities, Attachment, ManagedIdentity, ResourceId, TenantId, Timestamp, VmId};

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
    /// What its owner said of it and nobody here interprets: a JSON object, kept as it was given. Of a scale set's machine: the
    /// model that it has, which may be older than the scale set's.
    pub document: String,
    /// Whether it runs.
    pub power: PowerState,
    /// Counts the changes of power that were asked for; its guest says which one it has reached.
    pub generation: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// What it is of a scale set, when it belongs to one. Such a machine has no identity of its own: the scale set's
    /// are its.
    pub instance: Option<Instance>,
}

/// Whether a virtual machine runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PowerState {
    /// It runs.
    #[default]
    Running,
    /// Switched off, with its place on the host kept.
    Stopped,
    /// Switched off, with nothing kept.
    Deallocated,
}

/// A virtual machine's place in its scale set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The scale set.
    pub scale_set: ResourceId,
    /// Its number, never given again.
    pub number: u32,
    /// The version of the scale set's model that it has.
    pub model: u64,
}

impl PowerState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Running, Self::Stopped, Self::Deallocated];

    /// Its name, as in `PowerState/running`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Deallocated => "deallocated",
        }
    }
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
