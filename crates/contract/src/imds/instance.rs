//! `/metadata/instance`: what a VM is told of itself.
//!
//! Public sources: MicrosoftDocs/azure-compute-docs `instance-metadata-service.md` (fields, and the version that each came
//! with), Azure/azure-rest-api-specs `imds.json` 2023-11-15, and an answer of the real service in Azure/azure-init
//! `testinit/testing-server/api-responses/imds/two-bad-then-success.json`. What isn't known of a VM is the empty text.

mod document;
mod request;
mod storage;

pub use request::{Format, InstanceRequest};
pub use storage::{DataDisk, DiskEncryption, ImageReference, ManagedDisk, OsDisk, StorageProfile, UltraDisk};

use super::node::Node;

/// A VM as `/metadata/instance` describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instance {
    /// What it is and what it runs.
    pub compute: Compute,
    /// Its network interfaces, the primary one first.
    pub interfaces: Vec<Interface>,
}

/// What a VM is and what it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field means what the wire's field of its name does")]
pub struct Compute {
    pub hibernation_enabled: bool,
    pub eviction_policy: String,
    pub extended_location_name: String,
    pub extended_location_type: String,
    /// Whether it was handed custom data, which is never told here.
    pub has_custom_data: bool,
    pub host_id: String,
    pub host_group_id: String,
    pub license_type: String,
    pub location: String,
    pub name: String,
    pub os_profile: OsProfile,
    /// `Linux` or `Windows`.
    pub os_type: String,
    pub plan: Plan,
    pub platform_fault_domain: String,
    pub platform_sub_fault_domain: String,
    pub platform_update_domain: String,
    pub priority: String,
    pub public_keys: Vec<PublicKey>,
    pub resource_group_name: String,
    pub resource_id: String,
    pub security_profile: SecurityProfile,
    pub storage_profile: StorageProfile,
    pub subscription_id: String,
    /// Names and values.
    pub tags: Vec<(String, String)>,
    /// In base64, as it was given.
    pub user_data: String,
    /// The resource id of a scale set with flexible orchestration.
    pub virtual_machine_scale_set_id: String,
    pub vm_id: String,
    pub vm_scale_set_name: String,
    pub vm_size: String,
    pub zone: String,
}

/// Whom a VM is set up for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OsProfile {
    /// The administrator's name.
    pub admin_username: String,
    /// The machine's name for itself.
    pub computer_name: String,
    /// Of Linux alone.
    pub disable_password_authentication: Option<bool>,
}

/// The plan of an image from the marketplace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// The product.
    pub product: String,
    /// Who sells it.
    pub publisher: String,
}

/// An SSH key that may log in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublicKey {
    /// In OpenSSH's form.
    pub key_data: String,
    /// The file that it goes into.
    pub path: String,
}

/// How a VM is protected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecurityProfile {
    /// Whether what its disks hold is encrypted at the host.
    pub encryption_at_host: bool,
    /// Whether UEFI secure boot is on.
    pub secure_boot_enabled: bool,
    /// `TrustedLaunch`, `ConfidentialVM` or nothing.
    pub security_type: String,
    /// Whether it has a virtual TPM.
    pub virtual_tpm_enabled: bool,
}

/// A network interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// Its IPv4 addresses.
    pub ipv4: Vec<Ipv4>,
    /// The subnets of those, each with its prefix's length.
    pub subnets: Vec<(String, u8)>,
    /// Its IPv6 addresses.
    pub ipv6: Vec<String>,
    /// Twelve hexadecimal digits in upper case.
    pub mac_address: String,
}

/// An IPv4 address of an interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ipv4 {
    /// The address itself.
    pub private: String,
    /// The public address that leads to it; empty for one of the standard SKU, which the load balancer's document has.
    pub public: String,
}

/// Why there is no answer for a request that could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoElement {
    /// Nothing is at that path, or not in that version.
    Missing,
    /// It is a value, which has no form in JSON.
    Leaf,
}

impl Instance {
    /// The body of an answer.
    ///
    /// # Errors
    /// When the path leads nowhere, or to a value and JSON is wanted.
    pub fn render<'p>(
        &self,
        request: &InstanceRequest,
        path: impl IntoIterator<Item = &'p str>,
    ) -> Result<String, NoElement> {
        let mut path = path.into_iter().peekable();
        let extended = request.extended && path.peek().is_none();
        let version = request.api_version;
        let document = document::document(self);
        let node = document.find(version, path).ok_or(NoElement::Missing)?;
        match request.format {
            Format::Text if extended => Ok(format!("{}\nextended/", node.text(version))),
            Format::Text => Ok(node.text(version)),
            Format::Json if node.is_leaf() => Err(NoElement::Leaf),
            Format::Json if extended => Ok(with_extended(node.json(version), &document::extended(&self.compute))),
            Format::Json => Ok(node.json(version)),
        }
    }
}

/// The whole document with what `extended=true` adds, which comes last (as in azure-init's answer of the real service).
fn with_extended(mut json: String, extended: &Node) -> String {
    json.pop();
    json.push_str(",\"extended\":");
    json.push_str(&extended.json(crate::api_version::ApiVersion::NEWEST));
    json.push('}');
    json
}
