//! Every request that the control plane answers, in one list: which method and path it is, and which permission it
//! needs.

mod read;
mod resolve;
mod write;

use domain::{OperationId, ResourceId, Scope, SubscriptionId};

use super::authorization::Permission;
use super::kind;

pub(crate) use self::read::{Look, Read};
pub(crate) use self::resolve::resolve;
pub(crate) use self::write::{Change, PowerAction, Switch, Write};

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
pub const NAMES: &[&str] = &[
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
    "cutover",
    "machines",
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
    "cutover.put",
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

fn need(action: &str, scope: &ResourceId) -> Permission {
    at(action, &Scope::At(scope.clone()))
}

fn at(action: &str, scope: &Scope) -> Permission {
    Permission { action: action.to_owned(), scope: scope.clone(), within: false }
}

fn within(action: &str, scope: &ResourceId) -> Permission {
    Permission { within: true, ..need(action, scope) }
}

/// What an extension resource is about.
fn scope_of(id: &ResourceId) -> Scope {
    id.parent().map_or(Scope::Root, Scope::At)
}

fn typed(id: &ResourceId) -> String {
    kind::spelt(&id.resource_type())
}
