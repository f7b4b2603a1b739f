//! Types of resources: those that have a behaviour here, those that are kept as they were given, and those that
//! aren't there.

use domain::ResourceId;

/// How resources of a type behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    UserAssignedIdentity,
    FederatedCredential,
    VirtualMachine,
    VmExtension,
    ScaleSet,
    ScaleSetExtension,
    ScaleSetMachine,
    /// Extensions of a scale set's machine: to be seen, not to be written.
    ScaleSetMachineExtension,
    /// Kept as they were given.
    Generic,
}

/// Types with a behaviour, and which.
pub(crate) const TYPED: [(&str, Kind); 8] = [
    ("Microsoft.ManagedIdentity/userAssignedIdentities", Kind::UserAssignedIdentity),
    ("Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials", Kind::FederatedCredential),
    ("Microsoft.Compute/virtualMachines", Kind::VirtualMachine),
    ("Microsoft.Compute/virtualMachines/extensions", Kind::VmExtension),
    ("Microsoft.Compute/virtualMachineScaleSets", Kind::ScaleSet),
    ("Microsoft.Compute/virtualMachineScaleSets/extensions", Kind::ScaleSetExtension),
    ("Microsoft.Compute/virtualMachineScaleSets/virtualMachines", Kind::ScaleSetMachine),
    ("Microsoft.Compute/virtualMachineScaleSets/virtualMachines/extensions", Kind::ScaleSetMachineExtension),
];

/// Types of [`PROVIDERS`] which have no behaviour of their own. Of these providers there is no other type; of all other
/// providers there is any.
const PLAIN: &[&str] = &[
    "Microsoft.Compute/availabilitySets",
    "Microsoft.Compute/capacityReservationGroups",
    "Microsoft.Compute/diskAccesses",
    "Microsoft.Compute/diskEncryptionSets",
    "Microsoft.Compute/disks",
    "Microsoft.Compute/galleries",
    "Microsoft.Compute/galleries/applications",
    "Microsoft.Compute/galleries/images",
    "Microsoft.Compute/galleries/images/versions",
    "Microsoft.Compute/hostGroups",
    "Microsoft.Compute/images",
    "Microsoft.Compute/proximityPlacementGroups",
    "Microsoft.Compute/restorePointCollections",
    "Microsoft.Compute/snapshots",
    "Microsoft.Compute/sshPublicKeys",
    "Microsoft.Compute/virtualMachines/runCommands",
    "Microsoft.Authorization/locks",
    "Microsoft.Authorization/policyAssignments",
    "Microsoft.Authorization/policyDefinitions",
    "Microsoft.Resources/tags",
    "Microsoft.Resources/templateSpecs",
    "Microsoft.Resources/deploymentScripts",
];
/// The providers that are known here, and listed. Others are there too, with whatever types are asked of them.
pub(crate) const PROVIDERS: [&str; 4] =
    ["Microsoft.Authorization", "Microsoft.Compute", "Microsoft.ManagedIdentity", "Microsoft.Resources"];

impl Kind {
    /// How resources of this type behave; nothing when there is no such type.
    pub(crate) fn of_type(resource_type: &str) -> Option<Self> {
        if let Some((_, kind)) = TYPED.iter().find(|(name, _)| name.eq_ignore_ascii_case(resource_type)) {
            return Some(*kind);
        }
        let namespace = resource_type.split('/').next().unwrap_or_default();
        let known = PROVIDERS.iter().any(|name| name.eq_ignore_ascii_case(namespace));
        let plain = PLAIN.iter().any(|name| name.eq_ignore_ascii_case(resource_type));
        (plain || !known).then_some(Self::Generic)
    }

    /// How this resource behaves.
    pub(crate) fn of(id: &ResourceId) -> Option<Self> {
        id.provider().and_then(|_| Self::of_type(&id.resource_type()))
    }
}

/// A type as this program spells it, or as it was given.
pub(crate) fn spelt(resource_type: &str) -> String {
    let known = TYPED.iter().map(|(name, _)| *name).chain(PLAIN.iter().copied());
    let mut known = known.chain(["Microsoft.Resources/deployments", "Microsoft.Resources/resourceGroups"]);
    known.find(|name| name.eq_ignore_ascii_case(resource_type)).unwrap_or(resource_type).to_owned()
}

/// The types of a provider that is known here, without the provider; nothing when it isn't.
pub(crate) fn types_of(namespace: &str) -> Vec<&'static str> {
    let all = TYPED.iter().map(|(name, _)| *name).chain(PLAIN.iter().copied());
    all.filter_map(|name| {
        let (of, segment) = name.split_once('/')?;
        of.eq_ignore_ascii_case(namespace).then_some(segment)
    })
    .collect()
}

/// Type and all names of a resource as errors have them, e.g. `Microsoft.Compute/virtualMachines/extensions/vm1/x`.
pub(crate) fn described(id: &ResourceId) -> String {
    format!("{}/{}", spelt(&id.resource_type()), names(id).join("/"))
}

/// The names of a resource and of what it lies in, below its resource group: `vm1`, `x`.
pub(crate) fn names(id: &ResourceId) -> Vec<&str> {
    const SEGMENT: &str = "/providers/";
    let rest = id.key().rfind(SEGMENT).and_then(|at| id.as_str().get(at + SEGMENT.len()..));
    rest.unwrap_or_default().split('/').skip(2).step_by(2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_behave() {
        assert_eq!(Kind::of_type("microsoft.compute/VIRTUALMACHINES"), Some(Kind::VirtualMachine));
        assert_eq!(Kind::of_type("Microsoft.Compute/disks"), Some(Kind::Generic));
        assert_eq!(Kind::of_type("Microsoft.Network/anything/at/all"), Some(Kind::Generic));
        assert_eq!(Kind::of_type("Microsoft.Compute/nosuch"), None);
        let id = ResourceId::parse(
            "/subscriptions/00000000-0000-4000-8000-000000000001/resourcegroups/rg1/providers/microsoft.compute/virtualmachines/vm1/extensions/X",
        )
        .unwrap();
        assert_eq!(described(&id), "Microsoft.Compute/virtualMachines/extensions/vm1/X");
        assert!(types_of("microsoft.managedidentity").contains(&"userAssignedIdentities"));
    }
}
