//! VM extensions, and which of them is the one for managed identities.

use crate::ResourceId;

/// Publisher of the managed-identity extension (MicrosoftDocs/entra-docs `howto-migrate-vm-extension.md`).
pub const MANAGED_IDENTITY_PUBLISHER: &str = "Microsoft.ManagedIdentity";
/// Type of the managed-identity extension on Linux (same source).
pub const MANAGED_IDENTITY_LINUX: &str = "ManagedIdentityExtensionForLinux";
/// Type of the managed-identity extension on Windows (same source).
pub const MANAGED_IDENTITY_WINDOWS: &str = "ManagedIdentityExtensionForWindows";

/// An extension of a virtual machine: `Microsoft.Compute/virtualMachines/extensions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VmExtension {
    /// Its resource id, a child of the machine's.
    pub id: ResourceId,
    /// The machine it is on.
    pub vm: ResourceId,
    /// Its name on that machine; need not be its type.
    pub name: String,
    /// Who publishes it.
    pub publisher: String,
    /// Its type; publisher and type together name the software.
    pub extension_type: String,
    /// The handler version asked for, e.g. `1.0`.
    pub type_handler_version: String,
    /// The public settings, as the JSON text that was given.
    pub settings: String,
}

impl VmExtension {
    /// Whether this is the managed-identity extension, on Linux or Windows; publisher and type compare without case.
    #[must_use]
    pub fn is_managed_identity(&self) -> bool {
        self.publisher.eq_ignore_ascii_case(MANAGED_IDENTITY_PUBLISHER)
            && [MANAGED_IDENTITY_LINUX, MANAGED_IDENTITY_WINDOWS]
                .iter()
                .any(|known| self.extension_type.eq_ignore_ascii_case(known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extension(publisher: &str, extension_type: &str) -> VmExtension {
        let sub = "00000000-0000-4000-8000-000000000001".parse().unwrap();
        let vm = ResourceId::for_virtual_machine(sub, "dev", "dev").unwrap();
        VmExtension {
            id: vm.child("extensions", "msi").unwrap(),
            vm,
            name: "msi".to_owned(),
            publisher: publisher.to_owned(),
            extension_type: extension_type.to_owned(),
            type_handler_version: "1.0".to_owned(),
            settings: r#"{"port": 50342}"#.to_owned(),
        }
    }

    #[test]
    fn recognised_by_publisher_and_type_and_not_by_name() {
        assert!(extension(MANAGED_IDENTITY_PUBLISHER, MANAGED_IDENTITY_LINUX).is_managed_identity());
        assert!(extension("microsoft.managedidentity", "managedidentityextensionforwindows").is_managed_identity());
        assert!(!extension("Microsoft.Azure.Extensions", MANAGED_IDENTITY_LINUX).is_managed_identity());
        assert!(!extension(MANAGED_IDENTITY_PUBLISHER, "CustomScript").is_managed_identity());
    }
}
