//! VM extensions, and which of them is the one for managed identities.

use std::collections::BTreeMap;

use crate::{ProvisioningState, ResourceId, Sealed, Timestamp};

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
    /// Its region; that of the machine.
    pub location: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// What is to run there.
    pub spec: ExtensionSpec,
    /// Whether it stays on the machine and does nothing until it is wanted again.
    pub disabled: bool,
    /// Counts what its guest is to do anew: a guest runs the handler once for each number.
    pub sequence: u64,
    /// How far that has come.
    pub state: ProvisioningState,
    /// What its handler said last.
    pub status: Option<HandlerStatus>,
}

/// What runs as an extension, of a machine or in the model of a scale set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtensionSpec {
    /// Who publishes it.
    pub publisher: String,
    /// Its type; publisher and type together name the software.
    pub extension_type: String,
    /// The handler version asked for, e.g. `1.0`.
    pub type_handler_version: String,
    /// Whether a newer minor version may take its place.
    pub auto_upgrade_minor_version: bool,
    /// Whether newer versions are installed by themselves, where that was said.
    pub enable_automatic_upgrade: Option<bool>,
    /// Another value than before makes the handler run again.
    pub force_update_tag: Option<String>,
    /// The public settings, as the JSON text that was given.
    pub settings: Option<String>,
    /// The settings that only the guest may read, sealed.
    pub protected_settings: Option<Sealed>,
}

/// What a handler says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandlerStatus {
    /// Which number of the extension it speaks of.
    pub sequence: u64,
    /// How it went.
    pub outcome: HandlerOutcome,
    /// The handler's full version, e.g. `1.0.0.0`.
    pub version: String,
    /// For people.
    pub message: String,
    /// When.
    pub at: Timestamp,
}

/// How a handler fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HandlerOutcome {
    /// At work.
    Transitioning,
    /// Done.
    Success,
    /// Failed, with the handler's own code; the same again may succeed.
    Error(i32),
    /// Failed for good, with the handler's own code.
    Terminal(i32),
}

impl VmExtension {
    /// Whether this is the managed-identity extension.
    #[must_use]
    pub fn is_managed_identity(&self) -> bool {
        self.spec.is_managed_identity()
    }
}

impl ExtensionSpec {
    /// Whether this is the managed-identity extension, on Linux or Windows; publisher and type compare without case.
    #[must_use]
    pub fn is_managed_identity(&self) -> bool {
        self.publisher.eq_ignore_ascii_case(MANAGED_IDENTITY_PUBLISHER)
            && [MANAGED_IDENTITY_LINUX, MANAGED_IDENTITY_WINDOWS]
                .iter()
                .any(|known| self.extension_type.eq_ignore_ascii_case(known))
    }

    /// Whether both name the same software: publisher and type, without case.
    #[must_use]
    pub fn same_handler(&self, other: &Self) -> bool {
        self.publisher.eq_ignore_ascii_case(&other.publisher)
            && self.extension_type.eq_ignore_ascii_case(&other.extension_type)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extension(publisher: &str, extension_type: &str) -> ExtensionSpec {
        ExtensionSpec {
            publisher: publisher.to_owned(),
            extension_type: extension_type.to_owned(),
            type_handler_version: "1.0".to_owned(),
            auto_upgrade_minor_version: true,
            enable_automatic_upgrade: None,
            force_update_tag: None,
            settings: Some(r#"{"port": 50342}"#.to_owned()),
            protected_settings: None,
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
