//! `compute`: what a machine is and what it runs.

use contract::imds::{Compute, OsProfile, Plan, PublicKey, SecurityProfile};
use store::Error;

use super::said::Said;
use super::storage;
use super::{Machine, World};
use crate::arm::{HAS_CUSTOM_DATA, image_os};

pub(super) fn read(world: &World<'_>, machine: &Machine<'_>) -> Result<Compute, Error> {
    let Machine { vm, resource, profile } = machine;
    let storage_profile = storage::read(world, profile.at("storageProfile"))?;
    let os_type = os_type(machine, &storage_profile.os_disk.os_type, &storage_profile.image_reference.publisher);
    let flexible = if vm.instance.is_none() { profile.text("virtualMachineScaleSet.id") } else { String::new() };
    let scale_set = vm.instance.as_ref().map_or(flexible.as_str(), |instance| instance.scale_set.as_str());
    let priority = profile.text("priority");
    Ok(Compute {
        hibernation_enabled: profile.flag("additionalCapabilities.hibernationEnabled"),
        eviction_policy: eviction_policy(*profile, &priority),
        extended_location_name: resource.text("extendedLocation.name"),
        extended_location_type: resource.text("extendedLocation.type"),
        has_custom_data: resource.flag(HAS_CUSTOM_DATA),
        host_id: profile.text("host.id"),
        host_group_id: profile.text("hostGroup.id"),
        license_type: profile.text("licenseType"),
        location: vm.location.clone(),
        name: name(machine),
        os_profile: os_profile(machine, os_type),
        os_type: os_type.to_owned(),
        plan: Plan {
            name: resource.text("plan.name"),
            product: resource.text("plan.product"),
            publisher: resource.text("plan.publisher"),
        },
        platform_fault_domain: first(profile.text("platformFaultDomain"), "0"),
        platform_sub_fault_domain: String::new(),
        platform_update_domain: "0".to_owned(),
        priority,
        public_keys: public_keys(*profile),
        resource_group_name: vm.id.resource_group().unwrap_or_default().to_owned(),
        resource_id: vm.id.to_string(),
        security_profile: SecurityProfile {
            encryption_at_host: profile.flag("securityProfile.encryptionAtHost"),
            secure_boot_enabled: profile.flag("securityProfile.uefiSettings.secureBootEnabled"),
            security_type: profile.text("securityProfile.securityType"),
            virtual_tpm_enabled: profile.flag("securityProfile.uefiSettings.vTpmEnabled"),
        },
        storage_profile,
        subscription_id: vm.id.subscription().map(|id| id.to_string()).unwrap_or_default(),
        tags: vm.tags.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        user_data: profile.text("userData"),
        vm_scale_set_name: scale_set.rsplit('/').next().unwrap_or_default().to_owned(),
        virtual_machine_scale_set_id: flexible,
        vm_id: vm.vm_id.to_string(),
        vm_size: vm.size.clone(),
        zone: zone(machine),
    })
}

/// A machine of a scale set is called after it.
fn name(machine: &Machine<'_>) -> String {
    match &machine.vm.instance {
        Some(instance) => format!("{}_{}", instance.scale_set.name(), instance.number),
        None => machine.vm.name.clone(),
    }
}

fn os_type(machine: &Machine<'_>, of_disk: &str, publisher: &str) -> &'static str {
    let windows = of_disk.eq_ignore_ascii_case("Windows")
        || (of_disk.is_empty()
            && (machine.profile.at("osProfile.windowsConfiguration").is_there() || image_os(publisher) == "Windows"));
    if windows { "Windows" } else { "Linux" }
}

fn os_profile(machine: &Machine<'_>, os_type: &str) -> OsProfile {
    let profile = machine.profile.at("osProfile");
    let disabled = profile.maybe("linuxConfiguration.disablePasswordAuthentication");
    OsProfile {
        admin_username: profile.text("adminUsername"),
        computer_name: computer_name(machine, profile),
        disable_password_authentication: (os_type == "Linux").then(|| disabled.unwrap_or(false)),
    }
}

/// Machines of a scale set have the prefix of its model and their number in six digits of base 36.
fn computer_name(machine: &Machine<'_>, profile: Said<'_>) -> String {
    let Some(instance) = &machine.vm.instance else {
        return first(profile.text("computerName"), &machine.vm.name);
    };
    let mut digits = [b'0'; 6];
    let mut left = instance.number;
    for digit in digits.iter_mut().rev() {
        let value = u8::try_from(left % 36).unwrap_or_default();
        *digit = if value < 10 { b'0' + value } else { b'A' + value - 10 };
        left /= 36;
    }
    let prefix = first(profile.text("computerNamePrefix"), instance.scale_set.name());
    format!("{prefix}{}", String::from_utf8_lossy(&digits))
}

/// A machine that may be evicted is deallocated then, unless its owner said otherwise.
fn eviction_policy(profile: Said<'_>, priority: &str) -> String {
    let spot = ["Spot", "Low"].iter().any(|word| word.eq_ignore_ascii_case(priority));
    first(profile.text("evictionPolicy"), if spot { "Deallocate" } else { "" })
}

fn public_keys(profile: Said<'_>) -> Vec<PublicKey> {
    let keys = profile.items("osProfile.linuxConfiguration.ssh.publicKeys");
    keys.map(|key| PublicKey { key_data: key.text("keyData"), path: key.text("path") }).collect()
}

/// The machines of a scale set in several zones take turns.
fn zone(machine: &Machine<'_>) -> String {
    let zones: Vec<String> = machine
        .resource
        .at("zones")
        .value()
        .and_then(serde_json::Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|zone| zone.as_str().map(str::to_owned))
        .collect();
    let number = machine.vm.instance.as_ref().map_or(0, |instance| instance.number);
    let turn = usize::try_from(number).unwrap_or_default().checked_rem(zones.len());
    turn.and_then(|turn| zones.into_iter().nth(turn)).unwrap_or_default()
}

/// The first text, or the other where it is empty.
fn first(text: String, other: &str) -> String {
    if text.is_empty() { other.to_owned() } else { text }
}
