//! The built-in roles: which actions each of them allows.
//!
//! Public source: MicrosoftDocs/azure-docs `role-based-access-control/built-in-roles.md` (ids, names, actions). Of each
//! role the actions on providers that exist here, and those that its owner would miss, are kept.

use uuid::{Uuid, uuid};

use crate::RoleDefinitionId;

/// A role: what its holder may do.
#[derive(Debug, PartialEq, Eq)]
pub struct RoleDefinition {
    /// Its id, the same in every tenant.
    id: Uuid,
    /// Its name, e.g. `Reader`.
    pub name: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// What it allows; `*` stands for any text.
    pub actions: &'static [&'static str],
    /// What it doesn't allow although an action of it would.
    pub not_actions: &'static [&'static str],
}

/// Every built-in role.
pub const BUILT_IN: [RoleDefinition; 7] = [
    RoleDefinition {
        id: uuid!("8e3af657-a8ff-443c-a75c-2fe8c4bcb635"),
        name: "Owner",
        description: "Grants full access to manage all resources, including the ability to assign roles in Azure RBAC.",
        actions: &["*"],
        not_actions: &[],
    },
    RoleDefinition {
        id: uuid!("b24988ac-6180-42a0-ab88-20f7382dd24c"),
        name: "Contributor",
        description: "Grants full access to manage all resources, but does not allow you to assign roles in Azure RBAC.",
        actions: &["*"],
        not_actions: &[
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
            "Microsoft.Blueprint/blueprintAssignments/write",
            "Microsoft.Blueprint/blueprintAssignments/delete",
            "Microsoft.Compute/galleries/share/action",
        ],
    },
    RoleDefinition {
        id: uuid!("acdd72a7-3385-48ef-bd42-f606fba81ae7"),
        name: "Reader",
        description: "View all resources, but does not allow you to make any changes.",
        actions: &["*/read"],
        not_actions: &[],
    },
    RoleDefinition {
        id: uuid!("18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"),
        name: "User Access Administrator",
        description: "Lets you manage user access to Azure resources.",
        actions: &["*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"],
        not_actions: &[],
    },
    RoleDefinition {
        id: uuid!("f1a07417-d97a-45cb-824c-7a7467783830"),
        name: "Managed Identity Operator",
        description: "Read and Assign User Assigned Identity",
        actions: &[
            "Microsoft.ManagedIdentity/userAssignedIdentities/*/read",
            "Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action",
            "Microsoft.Authorization/*/read",
            "Microsoft.Insights/alertRules/*",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            "Microsoft.Resources/deployments/*",
            "Microsoft.Support/*",
        ],
        not_actions: &[],
    },
    RoleDefinition {
        id: uuid!("e40ec5ca-96e0-45a2-b4ff-59039f2c2b59"),
        name: "Managed Identity Contributor",
        description: "Create, Read, Update, and Delete User Assigned Identity",
        actions: &[
            "Microsoft.ManagedIdentity/userAssignedIdentities/read",
            "Microsoft.ManagedIdentity/userAssignedIdentities/write",
            "Microsoft.ManagedIdentity/userAssignedIdentities/delete",
            "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/*",
            "Microsoft.Authorization/*/read",
            "Microsoft.Insights/alertRules/*",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            "Microsoft.Resources/deployments/*",
            "Microsoft.Support/*",
        ],
        not_actions: &[],
    },
    RoleDefinition {
        id: uuid!("9980e02c-c2be-4d73-94e8-173b1dc7cf3c"),
        name: "Virtual Machine Contributor",
        description: "Lets you manage virtual machines, but not access to them, and not the virtual network or storage \
                      account they're connected to.",
        actions: &[
            "Microsoft.Authorization/*/read",
            "Microsoft.Compute/availabilitySets/*",
            "Microsoft.Compute/locations/*",
            "Microsoft.Compute/virtualMachines/*",
            "Microsoft.Compute/virtualMachineScaleSets/*",
            "Microsoft.Compute/disks/write",
            "Microsoft.Compute/disks/read",
            "Microsoft.Compute/disks/delete",
            "Microsoft.Insights/alertRules/*",
            "Microsoft.Network/networkInterfaces/*",
            "Microsoft.Network/networkSecurityGroups/join/action",
            "Microsoft.Network/networkSecurityGroups/read",
            "Microsoft.Network/publicIPAddresses/join/action",
            "Microsoft.Network/publicIPAddresses/read",
            "Microsoft.Network/virtualNetworks/read",
            "Microsoft.Network/virtualNetworks/subnets/join/action",
            "Microsoft.ResourceHealth/availabilityStatuses/read",
            "Microsoft.Resources/deployments/*",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            "Microsoft.Support/*",
        ],
        not_actions: &[],
    },
];

impl RoleDefinition {
    /// Its id, the same in every tenant.
    #[must_use]
    pub fn id(&self) -> RoleDefinitionId {
        RoleDefinitionId::from_uuid(self.id)
    }

    /// Whether its holder may do this, e.g. `Microsoft.Compute/virtualMachines/write`; case doesn't matter.
    #[must_use]
    pub fn allows(&self, action: &str) -> bool {
        let any = |patterns: &[&str]| patterns.iter().any(|pattern| matches(pattern, action));
        any(self.actions) && !any(self.not_actions)
    }
}

/// The built-in role of this name, in any case.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static RoleDefinition> {
    const ROLES: &[RoleDefinition] = &BUILT_IN;
    ROLES.iter().find(|role| role.name.eq_ignore_ascii_case(name))
}

/// The built-in role of this id.
#[must_use]
pub fn by_id(id: RoleDefinitionId) -> Option<&'static RoleDefinition> {
    const ROLES: &[RoleDefinition] = &BUILT_IN;
    ROLES.iter().find(|role| role.id == id.as_uuid())
}

/// Whether a text fits a pattern in which `*` stands for any text, also none. A `/*/` may stand for one `/`: so the
/// documented `userAssignedIdentities/*/read` allows `userAssignedIdentities/read`.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_ascii_lowercase(), text.to_ascii_lowercase());
    fits(&pattern, &text) || (pattern.contains("/*/") && fits(&pattern.replace("/*/", "/"), &text))
}

fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut pieces = rest.split('*').peekable();
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return text.ends_with(piece);
        }
        let Some((_, after)) = text.split_once(piece) else { return false };
        text = after;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const VM: &str = "Microsoft.Compute/virtualMachines";
    const IDENTITY: &str = "Microsoft.ManagedIdentity/userAssignedIdentities";
    const ASSIGNMENT: &str = "Microsoft.Authorization/roleAssignments";

    #[test]
    fn what_each_role_may_do() {
        let rows = [
            ("Owner", [true; 8]),
            ("Contributor", [true, true, true, true, true, true, false, true]),
            ("Reader", [true, false, false, false, true, false, false, false]),
            ("User Access Administrator", [true, false, false, false, true, false, true, false]),
            ("Managed Identity Operator", [false, false, false, true, true, false, false, true]),
            ("Managed Identity Contributor", [false, false, false, false, true, true, false, true]),
            ("Virtual Machine Contributor", [true, true, true, false, false, false, false, true]),
        ];
        for (name, expected) in rows {
            let role = by_name(&name.to_ascii_uppercase()).unwrap();
            let found = [
                format!("{VM}/read"),
                format!("{VM}/extensions/write"),
                format!("{VM}/restart/action"),
                format!("{IDENTITY}/assign/action"),
                format!("{IDENTITY}/read"),
                format!("{IDENTITY}/delete"),
                format!("{ASSIGNMENT}/write"),
                "microsoft.resources/DEPLOYMENTS/write".to_owned(),
            ]
            .map(|action| role.allows(&action));
            assert_eq!(found, expected, "{name}");
            assert_eq!(by_id(role.id()), Some(role));
        }
        assert!(by_name("Onwer").is_none());
    }

    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a/*", "a/", true),
            ("a/*", "b/a/", false),
            ("*/read", "a/b/READ", true),
            ("*/read", "read", false),
            ("a/*/c", "a/b/b/c", true),
            ("a/*/c", "a/c", true),
            ("a/*/c", "a/b", false),
            ("a*b*c", "axbxxc", true),
            ("a*b*c", "axcxb", false),
            ("a", "ab", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
