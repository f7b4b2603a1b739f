//! Every request that the control plane answers, in one list: which method and path it is, and which permission it
//! needs.

mod resolve;

use domain::{OperationId, ResourceId, Scope, SubscriptionId};

use super::authorization::Permission;
use super::kind::{self, Kind};

pub(crate) use self::resolve::resolve;

/// How one resource is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Look {
    Get,
    Head,
}

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

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// For which it is enough to be somebody.
    Open(Open),
    /// Which changes nothing.
    Read(Read),
    /// Which changes something.
    Write(Write),
    /// Whose body is a template, which isn't always JSON.
    Template(Template, ResourceId),
    /// The playbook of a subscription, which is kept in no store.
    Playbook(SubscriptionId),
    /// The same, changed: its body is YAML.
    ChangePlaybook(PlaybookChange, SubscriptionId),
}

/// What everybody may ask; the answer shows only what is one's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Open {
    Tenants,
    Subscriptions,
    Operation(OperationId),
    OperationResult(OperationId),
}

/// What changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    Subscription(SubscriptionId),
    Locations(SubscriptionId),
    Providers(SubscriptionId),
    Provider(SubscriptionId, String),
    Groups(SubscriptionId),
    Group(Look, ResourceId),
    /// Resources of all types in a subscription or group.
    Resources(ResourceId),
    Export(ResourceId),
    Resource(Look, Kind, ResourceId),
    /// The resources of a type in a scope, or the children of a type of a resource.
    Collection {
        kind: Kind,
        scope: ResourceId,
        resource_type: String,
    },
    RoleAssignment(Look, Scope, String),
    RoleAssignments(Scope),
    RoleDefinition(Scope, String),
    RoleDefinitions(Scope),
    InstanceView(Kind, ResourceId),
    ScheduledEvents(ResourceId),
    AssociatedResources(ResourceId),
    Deployment(Look, ResourceId),
    Deployments(ResourceId),
    DeploymentOperations(ResourceId),
    DeploymentStatus(ResourceId, OperationId),
    /// Publishers, types or versions of extensions or images: the names that follow the location.
    Catalogue(SubscriptionId, Vec<String>),
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
}

/// What is done with a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Template {
    Deploy,
    Validate,
    WhatIf,
}

/// How a subscription's playbook is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlaybookChange {
    Run,
    Stop,
}

impl Route {
    /// Its name in metrics and in the table of tests, one of [`NAMES`].
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Open(open) => open.name(),
            Self::Read(read) => read.name(),
            Self::Write(write) => write.name(),
            Self::Template(Template::Deploy, _) => "deployment.put",
            Self::Template(Template::Validate, _) => "deployment.validate",
            Self::Template(Template::WhatIf, _) => "deployment.whatIf",
            Self::Playbook(_) => "playbook",
            Self::ChangePlaybook(PlaybookChange::Run, _) => "playbook.put",
            Self::ChangePlaybook(PlaybookChange::Stop, _) => "playbook.delete",
        }
    }

    /// What the caller needs to be allowed; nothing where it is enough to be somebody.
    pub(crate) fn permission(&self) -> Option<Permission> {
        match self {
            Self::Open(_) => None,
            Self::Read(read) => Some(read.permission()),
            Self::Write(write) => Some(write.permission()),
            Self::Template(template, id) => Some(need(template.action(), id)),
            Self::Playbook(id) => Some(need("Symbolon.Faults/playbooks/read", &ResourceId::for_subscription(*id))),
            Self::ChangePlaybook(change, id) => Some(need(change.action(), &ResourceId::for_subscription(*id))),
        }
    }
}

/// The name of every route.
pub const NAMES: [&str; 54] = [
    "tenants",
    "subscriptions",
    "operation",
    "operationResult",
    "subscription",
    "locations",
    "providers",
    "provider",
    "groups",
    "group",
    "resources",
    "exportTemplate",
    "resource",
    "collection",
    "roleAssignment",
    "roleAssignments",
    "roleDefinition",
    "roleDefinitions",
    "instanceView",
    "scheduledEvents",
    "listAssociatedResources",
    "deployment",
    "deployments",
    "deployment.operations",
    "deployment.status",
    "catalogue",
    "group.put",
    "group.patch",
    "group.delete",
    "resource.put",
    "resource.patch",
    "resource.delete",
    "roleAssignment.put",
    "roleAssignment.patch",
    "roleAssignment.delete",
    "register",
    "start",
    "restart",
    "powerOff",
    "deallocate",
    "fireScheduledEvent",
    "simulateEviction",
    "enable",
    "disable",
    "manualupgrade",
    "deleteInstances",
    "deployment.delete",
    "deployment.cancel",
    "deployment.put",
    "deployment.validate",
    "deployment.whatIf",
    "playbook.put",
    "playbook",
    "playbook.delete",
];

impl Open {
    fn name(&self) -> &'static str {
        match self {
            Self::Tenants => "tenants",
            Self::Subscriptions => "subscriptions",
            Self::Operation(_) => "operation",
            Self::OperationResult(_) => "operationResult",
        }
    }
}

impl Read {
    fn name(&self) -> &'static str {
        match self {
            Self::Subscription(_) => "subscription",
            Self::Locations(_) => "locations",
            Self::Providers(_) => "providers",
            Self::Provider(..) => "provider",
            Self::Groups(_) => "groups",
            Self::Group(..) => "group",
            Self::Resources(_) => "resources",
            Self::Export(_) => "exportTemplate",
            Self::Resource(..) => "resource",
            Self::Collection { .. } => "collection",
            Self::RoleAssignment(..) => "roleAssignment",
            Self::RoleAssignments(_) => "roleAssignments",
            Self::RoleDefinition(..) => "roleDefinition",
            Self::RoleDefinitions(_) => "roleDefinitions",
            Self::InstanceView(..) => "instanceView",
            Self::ScheduledEvents(_) => "scheduledEvents",
            Self::AssociatedResources(_) => "listAssociatedResources",
            Self::Deployment(..) => "deployment",
            Self::Deployments(_) => "deployments",
            Self::DeploymentOperations(_) => "deployment.operations",
            Self::DeploymentStatus(..) => "deployment.status",
            Self::Catalogue(..) => "catalogue",
        }
    }

    fn permission(&self) -> Permission {
        let sub = |id: &SubscriptionId| ResourceId::for_subscription(*id);
        match self {
            Self::Subscription(id) => within("Microsoft.Resources/subscriptions/read", &sub(id)),
            Self::Locations(id) => within("Microsoft.Resources/subscriptions/locations/read", &sub(id)),
            Self::Providers(id) | Self::Provider(id, _) => {
                within("Microsoft.Resources/subscriptions/providers/read", &sub(id))
            }
            Self::Groups(id) => within("Microsoft.Resources/subscriptions/resourceGroups/read", &sub(id)),
            Self::Group(_, id) => need("Microsoft.Resources/subscriptions/resourceGroups/read", id),
            Self::Resources(id) => within("Microsoft.Resources/subscriptions/resources/read", id),
            Self::Export(id) => need("Microsoft.Resources/subscriptions/resourceGroups/exportTemplate/action", id),
            Self::Resource(_, _, id) => need(&format!("{}/read", typed(id)), id),
            // What is below a resource is listed whole, so it takes a role on the resource.
            Self::Collection { scope, resource_type, .. } if scope.provider().is_some() => {
                need(&format!("{resource_type}/read"), scope)
            }
            Self::Collection { scope, resource_type, .. } => within(&format!("{resource_type}/read"), scope),
            Self::RoleAssignment(_, scope, _) | Self::RoleAssignments(scope) => {
                at("Microsoft.Authorization/roleAssignments/read", scope)
            }
            Self::RoleDefinition(scope, _) | Self::RoleDefinitions(scope) => {
                at("Microsoft.Authorization/roleDefinitions/read", scope)
            }
            Self::InstanceView(_, id) => need(&format!("{}/instanceView/read", typed(id)), id),
            Self::ScheduledEvents(id) => need(&format!("{}/scheduledEvents/read", typed(id)), id),
            Self::AssociatedResources(id) => need(&format!("{}/listAssociatedResources/action", typed(id)), id),
            Self::Deployment(_, id) | Self::Deployments(id) => need("Microsoft.Resources/deployments/read", id),
            Self::DeploymentOperations(id) => need("Microsoft.Resources/deployments/operations/read", id),
            Self::DeploymentStatus(id, _) => need("Microsoft.Resources/deployments/operationstatuses/read", id),
            Self::Catalogue(id, _) => within("Microsoft.Compute/locations/publishers/read", &sub(id)),
        }
    }
}

impl Write {
    fn name(&self) -> &'static str {
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
            Self::ManualUpgrade(_) | Self::DeleteInstances(_) | Self::FireEvent(_) => true,
            Self::Register(..)
            | Self::Power(..)
            | Self::SimulateEviction(_)
            | Self::Switch(..)
            | Self::DeleteDeployment(_)
            | Self::CancelDeployment(_) => false,
        }
    }
}

impl Template {
    /// The action that it is.
    pub(crate) fn action(self) -> &'static str {
        match self {
            Self::Deploy => "Microsoft.Resources/deployments/write",
            Self::Validate => "Microsoft.Resources/deployments/validate/action",
            Self::WhatIf => "Microsoft.Resources/deployments/whatIf/action",
        }
    }
}

impl PlaybookChange {
    /// The action that it is.
    fn action(self) -> &'static str {
        match self {
            Self::Run => "Symbolon.Faults/playbooks/write",
            Self::Stop => "Symbolon.Faults/playbooks/delete",
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

fn need(action: &str, scope: &ResourceId) -> Permission {
    at(action, &Scope::At(scope.clone()))
}

fn at(action: &str, scope: &Scope) -> Permission {
    Permission { action: action.to_owned(), scope: scope.clone(), within: false }
}

fn within(action: &str, scope: &ResourceId) -> Permission {
    Permission { within: true, ..need(action, scope) }
}

fn typed(id: &ResourceId) -> String {
    kind::spelt(&id.resource_type())
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
