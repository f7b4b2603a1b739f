//! The members that typed resources may have. Another is a slip of the pen, and told with its place.
//!
//! Public source: Azure/azure-rest-api-specs, `specification/compute/resource-manager/Microsoft.Compute`, of the
//! resource types named below.

use contract::arm::{ArmError, Code};

use super::body::Object;

/// The members of one kind of object.
pub(crate) struct Members {
    /// The object's name in errors.
    pub(crate) object: &'static str,
    pub(crate) known: &'static [&'static str],
}

pub(crate) const VIRTUAL_MACHINE: Members = Members {
    object: "VirtualMachineProperties",
    known: &[
        "additionalCapabilities",
        "applicationProfile",
        "availabilitySet",
        "billingProfile",
        "capacityReservation",
        "diagnosticsProfile",
        "evictionPolicy",
        "extensionsTimeBudget",
        "hardwareProfile",
        "host",
        "hostGroup",
        "instanceView",
        "licenseType",
        "networkProfile",
        "osProfile",
        "platformFaultDomain",
        "priority",
        "provisioningState",
        "proximityPlacementGroup",
        "scheduledEventsPolicy",
        "scheduledEventsProfile",
        "securityProfile",
        "storageProfile",
        "timeCreated",
        "userData",
        "virtualMachineScaleSet",
        "vmId",
    ],
};

pub(crate) const SCALE_SET: Members = Members {
    object: "VirtualMachineScaleSetProperties",
    known: &[
        "additionalCapabilities",
        "automaticRepairsPolicy",
        "constrainedMaximumCapacity",
        "doNotRunExtensionsOnOverprovisionedVMs",
        "highSpeedInterconnectPlacement",
        "hostGroup",
        "orchestrationMode",
        "overprovision",
        "platformFaultDomainCount",
        "priorityMixPolicy",
        "provisioningState",
        "proximityPlacementGroup",
        "resiliencyPolicy",
        "scaleInPolicy",
        "scheduledEventsPolicy",
        "singlePlacementGroup",
        "skuProfile",
        "spotRestorePolicy",
        "timeCreated",
        "uniqueId",
        "upgradePolicy",
        "virtualMachineProfile",
        "zonalPlatformFaultDomainAlignMode",
        "zoneBalance",
    ],
};

pub(crate) const SCALE_SET_PROFILE: Members = Members {
    object: "VirtualMachineScaleSetVMProfile",
    known: &[
        "applicationProfile",
        "billingProfile",
        "capacityReservation",
        "diagnosticsProfile",
        "evictionPolicy",
        "extensionProfile",
        "hardwareProfile",
        "licenseType",
        "networkProfile",
        "osProfile",
        "priority",
        "scheduledEventsProfile",
        "securityPostureReference",
        "securityProfile",
        "serviceArtifactReference",
        "storageProfile",
        "timeCreated",
        "userData",
    ],
};

pub(crate) const EXTENSION_PROFILE: Members =
    Members { object: "VirtualMachineScaleSetExtensionProfile", known: &["extensions", "extensionsTimeBudget"] };

pub(crate) const EXTENSION: Members = Members {
    object: "VirtualMachineExtensionProperties",
    known: &[
        "autoUpgradeMinorVersion",
        "enableAutomaticUpgrade",
        "forceUpdateTag",
        "instanceView",
        "protectedSettings",
        "protectedSettingsFromKeyVault",
        "provisionAfterExtensions",
        "provisioningState",
        "publisher",
        "settings",
        "suppressFailures",
        "type",
        "typeHandlerVersion",
    ],
};

impl Members {
    /// That an object has no other member than these. `path` is where it stands in the body.
    pub(crate) fn check(&self, object: &Object, path: &str) -> Result<(), ArmError> {
        let known = |name: &str| self.known.iter().any(|known| known.eq_ignore_ascii_case(name));
        match object.keys().find(|name| !known(name)) {
            None => Ok(()),
            Some(name) => {
                let name = super::document::shortened(name);
                Err(ArmError::new(
                    Code::BadRequest,
                    format!(
                        "Could not find member '{name}' on object of type '{}'. Path '{path}.{name}'.",
                        self.object
                    ),
                )
                .target(format!("{path}.{name}")))
            }
        }
    }
}
