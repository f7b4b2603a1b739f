//! The requests that change something.

use domain::{ResourceId, Scope, SubscriptionId};

use super::super::authorization::Permission;
use super::super::cutover;
use super::super::kind::Kind;
use super::{at, need, scope_of, typed};

/// How one resource is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Change {
    Put,
    Patch,
    Delete,
}

/// What is to become of a machine's power.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum PowerAction {
    Start,
    Restart,
    PowerOff,
    Deallocate,
}

/// Whether an extension is to serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Switch {
    Enable,
    Disable,
}

/// What changes something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    Group(Change, ResourceId),
    Resource(Change, Kind, ResourceId),
    RoleAssignment(Change, Scope, String),
    Register(SubscriptionId, String),
    Power(PowerAction, ResourceId),
    FireEvent(ResourceId),
    SimulateEviction(ResourceId),
    /// Ours: Azure's control plane says nothing of it, though its agents know it.
    Switch(Switch, ResourceId),
    ManualUpgrade(ResourceId),
    DeleteInstances(ResourceId),
    DeleteDeployment(ResourceId),
    CancelDeployment(ResourceId),
    Cutover(ResourceId),
}

impl Write {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Group(Change::Put, _) => "group.put",
            Self::Group(Change::Patch, _) => "group.patch",
            Self::Group(Change::Delete, _) => "group.delete",
            Self::Resource(Change::Put, _, _) => "resource.put",
            Self::Resource(Change::Patch, _, _) => "resource.patch",
            Self::Resource(Change::Delete, _, _) => "resource.delete",
            Self::RoleAssignment(Change::Put, _, _) => "roleAssignment.put",
            Self::RoleAssignment(Change::Patch, _, _) => "roleAssignment.patch",
            Self::RoleAssignment(Change::Delete, _, _) => "roleAssignment.delete",
            Self::Register(..) => "register",
            Self::Power(action, _) => action.word(),
            Self::FireEvent(_) => "fireScheduledEvent",
            Self::SimulateEviction(_) => "simulateEviction",
            Self::Switch(switch, _) => switch.word(),
            Self::ManualUpgrade(_) => "manualupgrade",
            Self::DeleteInstances(_) => "deleteInstances",
            Self::DeleteDeployment(_) => "deployment.delete",
            Self::CancelDeployment(_) => "deployment.cancel",
            Self::Cutover(_) => "cutover.put",
        }
    }

    pub(crate) fn permission(&self) -> Permission {
        match self {
            Self::Group(change, id) => {
                need(&format!("Microsoft.Resources/subscriptions/resourceGroups/{}", change.word()), id)
            }
            Self::Resource(change, _, id) => need(&format!("{}/{}", typed(id), change.word()), id),
            Self::RoleAssignment(change, scope, _) => {
                at(&format!("Microsoft.Authorization/roleAssignments/{}", change.word()), scope)
            }
            Self::Register(id, namespace) => {
                need(&format!("{namespace}/register/action"), &ResourceId::for_subscription(*id))
            }
            Self::Power(action, id) => need(&format!("Microsoft.Compute/virtualMachines/{}/action", action.word()), id),
            Self::FireEvent(id) => need(&format!("{}/fireScheduledEvent/action", typed(id)), id),
            Self::SimulateEviction(id) => need(&format!("{}/simulateEviction/action", typed(id)), id),
            Self::Switch(_, id) => need("Microsoft.Compute/virtualMachines/extensions/write", id),
            Self::ManualUpgrade(id) => need("Microsoft.Compute/virtualMachineScaleSets/manualupgrade/action", id),
            Self::DeleteInstances(id) => need("Microsoft.Compute/virtualMachineScaleSets/delete/action", id),
            Self::DeleteDeployment(id) => need("Microsoft.Resources/deployments/delete", id),
            Self::CancelDeployment(id) => need("Microsoft.Resources/deployments/cancel/action", id),
            Self::Cutover(id) => at(&format!("{}/write", cutover::TYPE), &scope_of(id)),
        }
    }

    /// Whether it makes no sense without a body.
    pub(crate) fn needs_body(&self) -> bool {
        match self {
            Self::Group(change, _) | Self::Resource(change, _, _) | Self::RoleAssignment(change, _, _) => {
                match change {
                    Change::Put | Change::Patch => true,
                    Change::Delete => false,
                }
            }
            Self::ManualUpgrade(_) | Self::DeleteInstances(_) | Self::FireEvent(_) | Self::Cutover(_) => true,
            Self::Register(..)
            | Self::Power(..)
            | Self::Switch(..)
            | Self::SimulateEviction(_)
            | Self::DeleteDeployment(_)
            | Self::CancelDeployment(_) => false,
        }
    }
}

impl Change {
    /// The last word of the action.
    fn word(self) -> &'static str {
        match self {
            Self::Put | Self::Patch => "write",
            Self::Delete => "delete",
        }
    }
}

impl PowerAction {
    /// Its word in a path and in an action.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Restart => "restart",
            Self::PowerOff => "powerOff",
            Self::Deallocate => "deallocate",
        }
    }
}

impl Switch {
    /// Its word in a path.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Enable => "enable",
            Self::Disable => "disable",
        }
    }
}
