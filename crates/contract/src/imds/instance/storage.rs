//! The disks of a VM, as `compute.storageProfile` has them.

use super::super::node::{Node, field, object, object_of};
use crate::api_version::ApiVersion;

/// The image and disks of a VM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StorageProfile {
    /// Its disks beside that of its system.
    pub data_disks: Vec<DataDisk>,
    /// The image that it was made of.
    pub image_reference: ImageReference,
    /// The disk of its system.
    pub os_disk: OsDisk,
    /// The size of its temporary disk in kB; `0` without one.
    pub resource_disk_size: String,
}

/// An image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field means what the wire's field of its name does")]
pub struct ImageReference {
    pub community_gallery_image_id: String,
    pub exact_version: String,
    pub id: String,
    pub offer: String,
    pub publisher: String,
    pub shared_gallery_image_id: String,
    pub sku: String,
    pub version: String,
}

/// A managed disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ManagedDisk {
    /// Its resource id.
    pub id: String,
    /// E.g. `Premium_LRS`.
    pub storage_account_type: String,
}

/// Where the keys of an encrypted disk are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field means what the wire's field of its name does")]
pub struct DiskEncryption {
    pub enabled: bool,
    pub secret_url: String,
    pub secret_vault_id: String,
    pub key_url: String,
    pub key_vault_id: String,
}

/// The disk of a VM's system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field means what the wire's field of its name does")]
pub struct OsDisk {
    pub caching: String,
    pub create_option: String,
    pub diff_disk_option: String,
    pub disk_size_gb: String,
    pub encryption: DiskEncryption,
    pub image_uri: String,
    pub managed_disk: ManagedDisk,
    pub name: String,
    pub os_type: String,
    pub vhd_uri: String,
    pub write_accelerator_enabled: bool,
}

/// A disk beside that of the system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field means what the wire's field of its name does")]
pub struct DataDisk {
    pub caching: String,
    pub create_option: String,
    pub disk_size_gb: String,
    pub image_uri: String,
    pub is_shared_disk: bool,
    pub lun: String,
    pub managed_disk: ManagedDisk,
    pub name: String,
    /// What an ultra disk has beside; none for other disks.
    pub ultra: Option<UltraDisk>,
    pub vhd_uri: String,
    pub write_accelerator_enabled: bool,
}

/// How fast an ultra disk may be, and how large it is: in bytes, and reads and writes, a second.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field means what the wire's field of its name does")]
pub struct UltraDisk {
    pub bytes_per_second_throttle: String,
    pub disk_capacity_bytes: String,
    pub ops_per_second_throttle: String,
}

/// `storageProfile`; its own age is that of the field that holds it.
pub(super) fn storage_profile(storage: &StorageProfile) -> Node {
    use ApiVersion as V;
    let image = &storage.image_reference;
    let image_reference = object([
        field(V::V20230701, "communityGalleryImageId", &image.community_gallery_image_id),
        field(V::V20230701, "exactVersion", &image.exact_version),
        field(V::V20190601, "id", &image.id),
        field(V::V20190601, "offer", &image.offer),
        field(V::V20190601, "publisher", &image.publisher),
        field(V::V20230701, "sharedGalleryImageId", &image.shared_gallery_image_id),
        field(V::V20190601, "sku", &image.sku),
        field(V::V20190601, "version", &image.version),
    ]);
    object([
        field(V::V20190601, "dataDisks", storage.data_disks.iter().map(data_disk).collect::<Node>()),
        field(V::V20190601, "imageReference", image_reference),
        field(V::V20190601, "osDisk", os_disk(&storage.os_disk)),
        field(V::V20210201, "resourceDisk", object_of([("size", (&storage.resource_disk_size).into())])),
    ])
}

fn os_disk(disk: &OsDisk) -> Node {
    object_of([
        ("caching", (&disk.caching).into()),
        ("createOption", (&disk.create_option).into()),
        ("diffDiskSettings", object_of([("option", (&disk.diff_disk_option).into())])),
        ("diskSizeGB", (&disk.disk_size_gb).into()),
        ("encryptionSettings", encryption(&disk.encryption)),
        ("image", uri(&disk.image_uri)),
        ("managedDisk", managed_disk(&disk.managed_disk)),
        ("name", (&disk.name).into()),
        ("osType", (&disk.os_type).into()),
        ("vhd", uri(&disk.vhd_uri)),
        ("writeAcceleratorEnabled", disk.write_accelerator_enabled.into()),
    ])
}

fn data_disk(disk: &DataDisk) -> Node {
    use ApiVersion as V;
    let none = UltraDisk::default();
    let ultra = disk.ultra.as_ref().unwrap_or(&none);
    object([
        field(V::V20210501, "bytesPerSecondThrottle", &ultra.bytes_per_second_throttle),
        field(V::V20190601, "caching", &disk.caching),
        field(V::V20190601, "createOption", &disk.create_option),
        field(V::V20210501, "diskCapacityBytes", &ultra.disk_capacity_bytes),
        field(V::V20190601, "diskSizeGB", &disk.disk_size_gb),
        field(V::V20190601, "image", uri(&disk.image_uri)),
        field(V::V20210501, "isSharedDisk", disk.is_shared_disk),
        field(V::V20210501, "isUltraDisk", disk.ultra.is_some()),
        field(V::V20190601, "lun", &disk.lun),
        field(V::V20190601, "managedDisk", managed_disk(&disk.managed_disk)),
        field(V::V20190601, "name", &disk.name),
        field(V::V20210501, "opsPerSecondThrottle", &ultra.ops_per_second_throttle),
        field(V::V20190601, "vhd", uri(&disk.vhd_uri)),
        field(V::V20190601, "writeAcceleratorEnabled", disk.write_accelerator_enabled),
    ])
}

fn encryption(settings: &DiskEncryption) -> Node {
    let vault = |id: &String| object_of([("id", id.into())]);
    let secret =
        object_of([("secretUrl", (&settings.secret_url).into()), ("sourceVault", vault(&settings.secret_vault_id))]);
    let key = object_of([("keyUrl", (&settings.key_url).into()), ("sourceVault", vault(&settings.key_vault_id))]);
    object([
        field(ApiVersion::V20211101, "diskEncryptionKey", secret),
        field(ApiVersion::V20190601, "enabled", settings.enabled),
        field(ApiVersion::V20211101, "keyEncryptionKey", key),
    ])
}

fn managed_disk(disk: &ManagedDisk) -> Node {
    object_of([("id", (&disk.id).into()), ("storageAccountType", (&disk.storage_account_type).into())])
}

fn uri(uri: &String) -> Node {
    object_of([("uri", uri.into())])
}
