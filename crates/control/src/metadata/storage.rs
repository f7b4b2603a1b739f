//! `compute.storageProfile`: the image and the disks of a machine.

use contract::imds::{DataDisk, DiskEncryption, ImageReference, ManagedDisk, OsDisk, StorageProfile, UltraDisk};
use store::Error;

use super::said::Said;
use super::{Found, World};

/// A million bytes: what `diskMBpsReadWrite` counts in.
const MEGABYTE: u64 = 1_000_000;
/// What `diskSizeGB` counts in.
const GIGABYTE: u64 = 1 << 30;

pub(super) fn read(world: &World<'_>, storage: Said<'_>) -> Result<StorageProfile, Error> {
    let image = storage.at("imageReference");
    Ok(StorageProfile {
        data_disks: storage.items("dataDisks").map(|disk| data_disk(world, disk)).collect::<Result<_, _>>()?,
        image_reference: ImageReference {
            community_gallery_image_id: image.text("communityGalleryImageId"),
            exact_version: image.text("exactVersion"),
            id: image.text("id"),
            offer: image.text("offer"),
            publisher: image.text("publisher"),
            shared_gallery_image_id: image.text("sharedGalleryImageId"),
            sku: image.text("sku"),
            version: image.text("version"),
        },
        os_disk: os_disk(world, storage.at("osDisk"))?,
        // None has a temporary disk here.
        resource_disk_size: "0".to_owned(),
    })
}

fn os_disk(world: &World<'_>, disk: Said<'_>) -> Result<OsDisk, Error> {
    let resource = resource(world, disk)?;
    let settings = disk.at("encryptionSettings");
    Ok(OsDisk {
        caching: disk.text("caching"),
        create_option: disk.text("createOption"),
        diff_disk_option: disk.text("diffDiskSettings.option"),
        disk_size_gb: size(disk, resource.as_ref()),
        encryption: DiskEncryption {
            enabled: settings.flag("enabled"),
            secret_url: settings.text("diskEncryptionKey.secretUrl"),
            secret_vault_id: settings.text("diskEncryptionKey.sourceVault.id"),
            key_url: settings.text("keyEncryptionKey.keyUrl"),
            key_vault_id: settings.text("keyEncryptionKey.sourceVault.id"),
        },
        image_uri: disk.text("image.uri"),
        managed_disk: managed_disk(disk, resource.as_ref()),
        name: disk.text("name"),
        os_type: disk.text("osType"),
        vhd_uri: disk.text("vhd.uri"),
        write_accelerator_enabled: disk.flag("writeAcceleratorEnabled"),
    })
}

fn data_disk(world: &World<'_>, disk: Said<'_>) -> Result<DataDisk, Error> {
    let resource = resource(world, disk)?;
    let managed_disk = managed_disk(disk, resource.as_ref());
    let disk_size_gb = size(disk, resource.as_ref());
    let nothing = serde_json::Value::Null;
    let properties = resource.as_ref().map_or(Said::of(&nothing), |found| found.said().at("properties"));
    let ultra = managed_disk.storage_account_type.eq_ignore_ascii_case("UltraSSD_LRS");
    Ok(DataDisk {
        caching: disk.text("caching"),
        create_option: disk.text("createOption"),
        image_uri: disk.text("image.uri"),
        is_shared_disk: properties.number::<u32>("maxShares") > 1,
        lun: disk.text("lun"),
        name: disk.text("name"),
        ultra: ultra.then(|| UltraDisk {
            bytes_per_second_throttle: times(properties.number("diskMBpsReadWrite"), MEGABYTE),
            disk_capacity_bytes: times(disk_size_gb.parse().unwrap_or_default(), GIGABYTE),
            ops_per_second_throttle: properties.text("diskIOPSReadWrite"),
        }),
        vhd_uri: disk.text("vhd.uri"),
        write_accelerator_enabled: disk.flag("writeAcceleratorEnabled"),
        disk_size_gb,
        managed_disk,
    })
}

fn resource(world: &World<'_>, disk: Said<'_>) -> Result<Option<Found>, Error> {
    world.find(&disk.text("managedDisk.id"))
}

/// As the machine says it, or else its disk.
fn size(disk: Said<'_>, resource: Option<&Found>) -> String {
    let said = disk.text("diskSizeGB");
    if !said.is_empty() {
        return said;
    }
    resource.map(|found| found.said().text("properties.diskSizeGB")).unwrap_or_default()
}

fn managed_disk(disk: Said<'_>, resource: Option<&Found>) -> ManagedDisk {
    let said = disk.text("managedDisk.storageAccountType");
    let of_resource = resource.map(|found| found.said().text("sku.name"));
    ManagedDisk {
        id: disk.text("managedDisk.id"),
        storage_account_type: Some(said).filter(|said| !said.is_empty()).or(of_resource).unwrap_or_default(),
    }
}

/// A product as text; nothing of nothing.
fn times(number: u64, unit: u64) -> String {
    if number == 0 { String::new() } else { number.saturating_mul(unit).to_string() }
}
