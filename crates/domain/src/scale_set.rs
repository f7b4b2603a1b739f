//! Virtual machine scale sets: a model, and how many machines are to be like it.

use std::collections::BTreeMap;

use crate::{ExtensionSpec, ManagedIdentity, ResourceId, ScaleSetId, TenantId, Timestamp};

/// A virtual machine scale set: `Microsoft.Compute/virtualMachineScaleSets`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScaleSet {
    /// Its resource id.
    pub id: ResourceId,
    /// Its unique id: one that follows from its resource id is that of every scale set made there.
    pub unique_id: ScaleSetId,
    /// The tenant of its subscription.
    pub tenant: TenantId,
    /// Its name.
    pub name: String,
    /// Its region.
    pub location: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Its size, how dear, and how many machines it is to have.
    pub sku: Sku,
    /// How its machines come to a changed model.
    pub upgrade_mode: UpgradeMode,
    /// Its system-assigned identity, when enabled; every machine of it acts as the same one.
    pub system_assigned: Option<ManagedIdentity>,
    /// The user-assigned identities of its machines, in the order they were given.
    pub user_assigned: Vec<ResourceId>,
    /// The extensions of its model, in the order they were given.
    pub extensions: Vec<ScaleSetExtension>,
    /// What its owner said of it and nobody here interprets: a JSON object, kept as it was given.
    pub document: String,
    /// Counts the changes of its model.
    pub model: u64,
    /// The number of the next machine.
    pub next_instance: u32,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Size and capacity of a scale set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sku {
    /// The size of each machine, e.g. `Standard_B1s`.
    pub name: String,
    /// The tier, e.g. `Standard`.
    pub tier: String,
    /// How many machines.
    pub capacity: u32,
}

/// How machines come to a changed model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum UpgradeMode {
    /// When they are told to, one by one.
    #[default]
    Manual,
    /// At once.
    Automatic,
    /// At once, in batches.
    Rolling,
}

/// An extension in the model of a scale set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScaleSetExtension {
    /// Its name in the model, and on every machine.
    pub name: String,
    /// What is to run.
    pub spec: ExtensionSpec,
}

impl UpgradeMode {
    /// Every mode.
    pub const ALL: [Self; 3] = [Self::Manual, Self::Automatic, Self::Rolling];

    /// Its name on the wire and in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "Manual",
            Self::Automatic => "Automatic",
            Self::Rolling => "Rolling",
        }
    }
}

impl ScaleSet {
    /// The extension of this name, in any case.
    #[must_use]
    pub fn extension(&self, name: &str) -> Option<&ScaleSetExtension> {
        self.extensions.iter().find(|extension| extension.name.eq_ignore_ascii_case(name))
    }
}
