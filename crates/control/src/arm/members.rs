//! The members that typed resources may have. Another is a slip of the pen, and told with its place.
//!
//! Public source: Azure/azure-rest-api-specs, `specification/compute/resource-manager/Microsoft.Compute`, of the
//! resource types named below.

use contract::arm::{ArmError, Code};

use serde_json::Value;

use super::body::Object;
use super::kind::Kind;

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

/// What every resource may have.
const RESOURCE: &[&str] =
    &["id", "name", "type", "location", "tags", "properties", "identity", "sku", "etag", "resources"];
const IDENTITY: &[&str] = &["type", "userAssignedIdentities", "principalId", "tenantId"];
const SKU: &[&str] = &["name", "tier", "capacity"];
const UPGRADE_POLICY: &[&str] = &["mode"];
const HARDWARE_PROFILE: &[&str] = &["vmSize"];
const STORAGE_PROFILE: &[&str] = &["imageReference", "osDisk", "dataDisks"];
const IMAGE_REFERENCE: &[&str] = &["publisher", "offer", "sku", "version", "exactVersion"];
const OS_DISK: &[&str] = &[
    "osType",
    "name",
    "vhd",
    "caching",
    "diffDiskSettings",
    "createOption",
    "diskSizeGB",
    "managedDisk",
    "deleteOption",
];
const MANAGED_DISK: &[&str] = &["id", "storageAccountType"];
const OS_PROFILE: &[&str] = &["customData", "windowsConfiguration"];
const FEDERATED_CREDENTIAL: &[&str] = &["issuer", "subject", "audiences"];

/// A body with its members as this program spells them: clients may write them in any case, and what is looked for
/// under one name must not be kept under another.
pub(crate) fn spelt(kind: Kind, body: &Object) -> Object {
    let mut body = respelt(body, RESOURCE);
    within(&mut body, "identity", |identity| *identity = respelt(identity, IDENTITY));
    within(&mut body, "sku", |sku| *sku = respelt(sku, SKU));
    within(&mut body, "properties", |properties| match kind {
        Kind::VirtualMachine => {
            *properties = respelt(properties, VIRTUAL_MACHINE.known);
            within(properties, "hardwareProfile", |hardware| *hardware = respelt(hardware, HARDWARE_PROFILE));
            within(properties, "osProfile", |os| *os = respelt(os, OS_PROFILE));
            within(properties, "storageProfile", spell_storage);
        }
        Kind::ScaleSet => {
            *properties = respelt(properties, SCALE_SET.known);
            within(properties, "upgradePolicy", |policy| *policy = respelt(policy, UPGRADE_POLICY));
            within(properties, "virtualMachineProfile", spell_profile);
        }
        Kind::VmExtension | Kind::ScaleSetExtension | Kind::ScaleSetMachineExtension => {
            *properties = respelt(properties, EXTENSION.known);
        }
        Kind::FederatedCredential => *properties = respelt(properties, FEDERATED_CREDENTIAL),
        Kind::UserAssignedIdentity | Kind::ScaleSetMachine | Kind::Generic => {}
    });
    body
}

fn spell_storage(storage: &mut Object) {
    *storage = respelt(storage, STORAGE_PROFILE);
    within(storage, "imageReference", |image| *image = respelt(image, IMAGE_REFERENCE));
    within(storage, "osDisk", |disk| {
        *disk = respelt(disk, OS_DISK);
        within(disk, "managedDisk", |managed| *managed = respelt(managed, MANAGED_DISK));
    });
}

fn spell_profile(profile: &mut Object) {
    *profile = respelt(profile, SCALE_SET_PROFILE.known);
    within(profile, "extensionProfile", |profile| {
        *profile = respelt(profile, EXTENSION_PROFILE.known);
        let Some(Value::Array(extensions)) = profile.get_mut("extensions") else { return };
        for extension in extensions.iter_mut().filter_map(Value::as_object_mut) {
            *extension = respelt(extension, RESOURCE);
            within(extension, "properties", |properties| *properties = respelt(properties, EXTENSION.known));
        }
    });
}

fn within(object: &mut Object, name: &str, change: impl FnOnce(&mut Object)) {
    if let Some(Value::Object(members)) = object.get_mut(name) {
        change(members);
    }
}

/// The same members, the known ones in their own spelling; of two spellings of one the last counts.
fn respelt(object: &Object, known: &[&str]) -> Object {
    let mut spelt = Object::new();
    for (name, value) in object {
        let own = known.iter().find(|known| known.eq_ignore_ascii_case(name));
        spelt.insert(own.map_or_else(|| name.clone(), |own| (*own).to_owned()), value.clone());
    }
    spelt
}

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
