//! The resources of one writer, as a client sees them.

use super::*;

/// What is there, by what it is; nothing of what isn't.
pub(super) type World = BTreeMap<What, Value>;

/// The resources of a writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    /// A deployment, which makes the next three. It comes first: whoever has waited for its end finds them.
    Deployment,
    DeployedNetwork,
    DeployedIdentity,
    DeployedMachine,
    Machine,
    Extension,
    ScaleSet,
    Identity,
    /// What the identity may do.
    Role,
    Group,
    /// In that group.
    GroupMachine,
    GroupIdentity,
}

impl What {
    pub(super) const ALL: [Self; 12] = [
        Self::Deployment,
        Self::DeployedNetwork,
        Self::DeployedIdentity,
        Self::DeployedMachine,
        Self::Machine,
        Self::Extension,
        Self::ScaleSet,
        Self::Identity,
        Self::Role,
        Self::Group,
        Self::GroupMachine,
        Self::GroupIdentity,
    ];

    pub(super) fn path(self, arm: &Arm, writer: u32) -> String {
        let dev = &arm.providers;
        let of = |owner: Self, rest: &str| format!("{}/{rest}", owner.path(arm, writer));
        match self {
            Self::Deployment => format!("{dev}/Microsoft.Resources/deployments/d{writer}"),
            Self::DeployedNetwork => format!("{dev}/Microsoft.Network/networkInterfaces/d{writer}"),
            Self::DeployedIdentity => format!("{dev}/Microsoft.ManagedIdentity/userAssignedIdentities/d{writer}"),
            Self::DeployedMachine => format!("{dev}/Microsoft.Compute/virtualMachines/d{writer}"),
            Self::Machine => format!("{dev}/Microsoft.Compute/virtualMachines/vm{writer}"),
            Self::Extension => of(Self::Machine, &format!("extensions/{EXTENSION}")),
            Self::ScaleSet => format!("{dev}/Microsoft.Compute/virtualMachineScaleSets/ss{writer}"),
            Self::Identity => format!("{dev}/Microsoft.ManagedIdentity/userAssignedIdentities/id{writer}"),
            Self::Role => {
                format!("{dev}/Microsoft.Authorization/roleAssignments/60000000-0000-4000-8000-00000000000{writer}")
            }
            Self::Group => dev.replace("resourceGroups/dev/providers", &format!("resourceGroups/g{writer}")),
            Self::GroupMachine => of(Self::Group, "providers/Microsoft.Compute/virtualMachines/vm"),
            Self::GroupIdentity => of(Self::Group, "providers/Microsoft.ManagedIdentity/userAssignedIdentities/id"),
        }
    }

    /// What a client sees, once whatever is under way has ended; nothing when it isn't there.
    pub(super) fn seen(self, arm: &Arm, writer: u32) -> Option<Value> {
        let path = self.path(arm, writer);
        let get = |path: &str| {
            let answer = arm.send("GET", path, &Value::Null);
            assert!(matches!(answer.status, 200 | 404), "{path}: {answer:?}");
            (answer.status == 200).then_some(answer.body)
        };
        let settled = || {
            eventually(&format!("{path} ends"), || {
                let found = get(&path);
                let state = found.as_ref().map(|found| found["properties"]["provisioningState"].clone());
                state.is_none_or(|state| state == "Succeeded" || state == "Failed").then_some(found)
            })
        };
        match self {
            Self::Deployment => settled().map(|found| {
                let properties = &found["properties"];
                json!([properties["provisioningState"], properties["outputs"]["step"]["value"]])
            }),
            Self::Machine | Self::GroupMachine | Self::DeployedMachine => get(&format!("{path}?$expand=instanceView"))
                .map(|found| {
                    let statuses = found["properties"]["instanceView"]["statuses"].as_array().unwrap();
                    let power = statuses.iter().find(|status| status["code"].as_str().unwrap().starts_with("Power"));
                    machine(&found["tags"]["step"], &found["identity"]["type"], &power.unwrap()["code"])
                }),
            Self::Extension => settled().map(|found| extension(&found["properties"])),
            Self::ScaleSet => settled().map(|found| {
                let listed = get(&format!("{path}/virtualMachines")).unwrap_or_else(|| panic!("{path}: no machines"));
                let machines = listed["value"].as_array().unwrap().iter().map(|machine| {
                    let resources = machine["resources"].as_array().unwrap();
                    resources.iter().map(|one| extension(&one["properties"])).collect::<Value>()
                });
                json!([found["tags"]["step"], found["sku"]["capacity"], machines.collect::<Value>()])
            }),
            // It is given to the identity that is there, not to one that was.
            Self::Role => get(&path).map(|found| {
                let identity = get(&Self::Identity.path(arm, writer)).unwrap_or_else(|| panic!("{path}: whose?"));
                (found["properties"]["principalId"] == identity["properties"]["principalId"]).into()
            }),
            Self::DeployedNetwork | Self::DeployedIdentity | Self::Identity | Self::Group | Self::GroupIdentity => {
                get(&path).map(|found| found["tags"]["step"].clone())
            }
        }
    }
}

/// The name of the extension, and its type.
pub(super) const EXTENSION: &str = "ManagedIdentityExtensionForLinux";

/// A machine, by the step that wrote it, its identities and its power.
pub(super) fn machine(step: &Value, identity: &Value, power: &Value) -> Value {
    json!({"step": step, "identity": identity, "power": power})
}

/// An extension, by the step that wrote it.
pub(super) fn extension(properties: &Value) -> Value {
    json!([properties["provisioningState"], properties["forceUpdateTag"]])
}
