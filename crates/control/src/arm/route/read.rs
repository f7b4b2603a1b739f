//! The requests that change nothing.

use domain::{OperationId, ResourceId, Scope, SubscriptionId};

use super::super::authorization::Permission;
use super::super::cutover;
use super::super::kind::Kind;
use super::{at, need, scope_of, typed, within};

/// How one resource is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Look {
    Get,
    Head,
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
    /// How far a machine is on its way to the metadata service.
    Cutover(ResourceId),
    /// The machines with the extension in a subscription or group.
    Machines(ResourceId),
}

impl Read {
    pub(super) fn name(&self) -> &'static str {
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
            Self::Cutover(_) => "cutover",
            Self::Machines(_) => "machines",
        }
    }

    pub(super) fn permission(&self) -> Permission {
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
            Self::Cutover(id) => at(&format!("{}/read", cutover::TYPE), &scope_of(id)),
            Self::Machines(scope) => within(&format!("{}/read", cutover::MACHINES), scope),
        }
    }
}
