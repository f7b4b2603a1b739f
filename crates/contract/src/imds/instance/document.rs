//! The fields of the document, each with the version that it came with.

use super::super::node::{Field, Node, field, object, object_of};
use super::storage::storage_profile;
use super::{Compute, Instance, Interface, OsProfile, SecurityProfile};
use crate::api_version::ApiVersion as V;

/// The whole document, with the fields of every version.
pub(super) fn document(instance: &Instance) -> Node {
    let interfaces = instance.interfaces.iter().map(interface).collect::<Node>();
    object_of([
        ("compute", compute(&instance.compute)),
        ("network", object([field(V::V20170402, "interface", interfaces)])),
    ])
}

/// What `extended=true` adds. No VM waits here for its provisioning.
pub(super) fn extended(compute: &Compute) -> Node {
    let has_custom_data = Node::Flag(compute.has_custom_data);
    let compute = object_of([("hasCustomData", has_custom_data), ("ppsType", "None".into())]);
    object_of([("compute", compute)])
}

fn compute(compute: &Compute) -> Node {
    object(first_fields(compute).into_iter().chain(later_fields(compute)))
}

/// What the versions of 2017 to 2019 brought.
fn first_fields(compute: &Compute) -> Vec<Field> {
    let image = &compute.storage_profile.image_reference;
    let exact = if image.exact_version.is_empty() { &image.version } else { &image.exact_version };
    let plan = object_of([
        ("name", (&compute.plan.name).into()),
        ("product", (&compute.plan.product).into()),
        ("publisher", (&compute.plan.publisher).into()),
    ]);
    let keys = compute.public_keys.iter();
    let keys = keys.map(|key| object_of([("keyData", (&key.key_data).into()), ("path", (&key.path).into())]));
    vec![
        field(V::V20170402, "location", &compute.location),
        field(V::V20170402, "name", &compute.name),
        field(V::V20170402, "offer", &image.offer),
        field(V::V20170402, "osType", &compute.os_type),
        field(V::V20170402, "platformFaultDomain", &compute.platform_fault_domain),
        field(V::V20170402, "platformUpdateDomain", &compute.platform_update_domain),
        field(V::V20170402, "publisher", &image.publisher),
        field(V::V20170402, "sku", &image.sku),
        field(V::V20170402, "version", exact),
        field(V::V20170402, "vmId", &compute.vm_id),
        field(V::V20170402, "vmSize", &compute.vm_size),
        field(V::V20170801, "placementGroupId", ""),
        field(V::V20170801, "resourceGroupName", &compute.resource_group_name),
        field(V::V20170801, "subscriptionId", &compute.subscription_id),
        field(V::V20170801, "tags", tags(&compute.tags).as_str()),
        field(V::V20171201, "vmScaleSetName", &compute.vm_scale_set_name),
        field(V::V20171201, "zone", &compute.zone),
        field(V::V20180402, "plan", plan),
        field(V::V20180402, "publicKeys", keys.collect::<Node>()),
        field(V::V20181001, "azEnvironment", "AzurePublicCloud"),
        field(V::V20181001, "provider", "Microsoft.Compute"),
        field(V::V20190201, "customData", ""),
        field(V::V20190311, "resourceId", &compute.resource_id),
        field(V::V20190601, "storageProfile", storage_profile(&compute.storage_profile)),
        field(V::V20190604, "tagsList", tags_list(&compute.tags)),
    ]
}

/// What the versions since 2020 brought.
fn later_fields(compute: &Compute) -> Vec<Field> {
    let extended_location = object_of([
        ("name", (&compute.extended_location_name).into()),
        ("type", (&compute.extended_location_type).into()),
    ]);
    let id = |id: &String| object_of([("id", id.into())]);
    let capabilities = object_of([("hibernationEnabled", compute.hibernation_enabled.into())]);
    vec![
        field(V::V20200601, "isHostCompatibilityLayerVm", false),
        field(V::V20200601, "securityProfile", security_profile(&compute.security_profile)),
        field(V::V20200715, "osProfile", os_profile(&compute.os_profile)),
        field(V::V20200901, "licenseType", &compute.license_type),
        field(V::V20201201, "evictionPolicy", &compute.eviction_policy),
        field(V::V20201201, "priority", &compute.priority),
        field(V::V20210101, "userData", &compute.user_data),
        field(V::V20210301, "extendedLocation", extended_location),
        field(V::V20210301, "virtualMachineScaleSet", id(&compute.virtual_machine_scale_set_id)),
        field(V::V20211001, "platformSubFaultDomain", &compute.platform_sub_fault_domain),
        field(V::V20211101, "additionalCapabilities", capabilities),
        field(V::V20211115, "host", id(&compute.host_id)),
        field(V::V20211115, "hostGroup", id(&compute.host_group_id)),
        field(V::V20231115, "isVmInStandbyPool", ""),
        field(V::V20231115, "physicalZone", ""),
    ]
}

fn os_profile(profile: &OsProfile) -> Node {
    let disabled = profile.disable_password_authentication.map(|disabled| disabled.to_string()).unwrap_or_default();
    object([
        field(V::V20200715, "adminUsername", &profile.admin_username),
        field(V::V20200715, "computerName", &profile.computer_name),
        field(V::V20201001, "disablePasswordAuthentication", &disabled),
    ])
}

fn security_profile(profile: &SecurityProfile) -> Node {
    object([
        field(V::V20211101, "encryptionAtHost", profile.encryption_at_host),
        field(V::V20200601, "secureBootEnabled", profile.secure_boot_enabled),
        field(V::V20211213, "securityType", &profile.security_type),
        field(V::V20200601, "virtualTpmEnabled", profile.virtual_tpm_enabled),
    ])
}

/// `name:value;name:value`, with nothing escaped.
fn tags(tags: &[(String, String)]) -> String {
    tags.iter().map(|(name, value)| format!("{name}:{value}")).collect::<Vec<_>>().join(";")
}

fn tags_list(tags: &[(String, String)]) -> Node {
    tags.iter().map(|(name, value)| object_of([("name", name.into()), ("value", value.into())])).collect()
}

fn interface(interface: &Interface) -> Node {
    let addresses = interface.ipv4.iter().map(|address| {
        object_of([("privateIpAddress", (&address.private).into()), ("publicIpAddress", (&address.public).into())])
    });
    let subnets = interface.subnets.iter().map(|(address, prefix)| {
        object_of([("address", address.into()), ("prefix", prefix.to_string().as_str().into())])
    });
    let ipv4 = object_of([("ipAddress", addresses.collect()), ("subnet", subnets.collect())]);
    let ipv6 = interface.ipv6.iter().map(|address| object_of([("privateIpAddress", address.into())]));
    object_of([
        ("ipv4", ipv4),
        ("ipv6", object_of([("ipAddress", ipv6.collect())])),
        ("macAddress", (&interface.mac_address).into()),
    ])
}
