//! Every request that the control plane answers, in one list: which method and path it is, and which permission it
//! needs.

use contract::arm::{ArmError, Code};
use domain::{OperationId, ResourceId, Scope, SubscriptionId};
use http::Method;

use super::authorization::Permission;
use super::kind::{self, Kind};
use super::target::Target;

/// What is to be done with one resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Verb {
    Get,
    Head,
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

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Tenants,
    Subscriptions,
    Subscription(SubscriptionId),
    Locations(SubscriptionId),
    Providers(SubscriptionId),
    Provider(SubscriptionId, String),
    Register(SubscriptionId, String),
    Groups(SubscriptionId),
    Group(Verb, ResourceId),
    /// Resources of all types in a subscription or group.
    Resources(ResourceId),
    Export(ResourceId),
    Resource(Verb, Kind, ResourceId),
    /// The resources of a type in a scope, or the children of a type of a resource.
    Collection {
        kind: Kind,
        scope: ResourceId,
        resource_type: String,
    },
    RoleAssignment(Verb, Scope, String),
    RoleAssignments(Scope),
    RoleDefinition(Scope, String),
    RoleDefinitions(Scope),
    InstanceView(Kind, ResourceId),
    Power(PowerAction, ResourceId),
    AssociatedResources(ResourceId),
    ManualUpgrade(ResourceId),
    DeleteInstances(ResourceId),
    Deployment(Verb, ResourceId),
    Deployments(ResourceId),
    Validate(ResourceId),
    WhatIf(ResourceId),
    CancelDeployment(ResourceId),
    DeploymentOperations(ResourceId),
    DeploymentStatus(ResourceId, OperationId),
    /// Publishers, types or versions of extensions or images: the names that follow the location.
    Catalogue(SubscriptionId, Vec<String>),
    Operation(OperationId),
    OperationResult(OperationId),
}

/// Which request a method and a path are.
pub(crate) fn resolve(method: &Method, target: Target) -> Result<Route, ArmError> {
    let verb = match *method {
        Method::GET => Verb::Get,
        Method::HEAD => Verb::Head,
        Method::PUT => Verb::Put,
        Method::PATCH => Verb::Patch,
        Method::DELETE => Verb::Delete,
        Method::POST => return post(target),
        _ => return Err(not_allowed(method)),
    };
    match target {
        Target::Item(id) => item(method, verb, id),
        Target::Under(scope, word) if verb == Verb::Get => collection(scope, &word),
        Target::OfType { scope, namespace, segment } if verb == Verb::Get => of_type(scope, &namespace, &segment),
        Target::Provider { scope, namespace } if verb == Verb::Get => {
            Ok(Route::Provider(subscription(scope.as_ref())?, namespace))
        }
        Target::Under(..) | Target::OfType { .. } | Target::Provider { .. } => Err(not_allowed(method)),
    }
}

fn item(method: &Method, verb: Verb, id: ResourceId) -> Result<Route, ArmError> {
    let resource_type = id.resource_type().to_ascii_lowercase();
    let read = verb == Verb::Get;
    let route = match (resource_type.as_str(), id.provider()) {
        ("microsoft.resources/subscriptions", None) if read => Route::Subscription(subscription(Some(&id))?),
        ("microsoft.resources/resourcegroups", None) => Route::Group(verb, id),
        ("microsoft.resources/operationresults", None) if read => Route::OperationResult(operation(&id)?),
        ("microsoft.authorization/roleassignments", Some(_)) => {
            Route::RoleAssignment(verb, scope_of(&id), id.name().to_owned())
        }
        ("microsoft.authorization/roledefinitions", Some(_)) if read => {
            Route::RoleDefinition(scope_of(&id), id.name().to_owned())
        }
        ("microsoft.resources/deployments", Some(_)) => Route::Deployment(verb, group_of(id)?),
        ("microsoft.resources/deployments/operationstatuses", Some(_)) if read => {
            let operation = operation(&id)?;
            Route::DeploymentStatus(id.parent().ok_or_else(|| unknown(&id))?, operation)
        }
        ("microsoft.compute/locations/operations", Some(_)) if read => Route::Operation(operation(&id)?),
        (catalogue, Some(_)) if read && catalogue.starts_with("microsoft.compute/locations/publishers") => {
            Route::Catalogue(subscription(Some(&id))?, catalogue_names(&id, None))
        }
        (_, Some(_)) => {
            let kind = Kind::of(&id).ok_or_else(|| unknown(&id))?;
            if verb != Verb::Get && verb != Verb::Head {
                writable(kind, verb, &id)?;
            }
            Route::Resource(verb, kind, id)
        }
        (_, None) if read => return Err(unknown(&id)),
        (_, None) => return Err(not_allowed(method)),
    };
    Ok(route)
}

fn collection(scope: Option<ResourceId>, word: &str) -> Result<Route, ArmError> {
    let word = word.to_ascii_lowercase();
    let Some(id) = scope else {
        return match word.as_str() {
            "subscriptions" => Ok(Route::Subscriptions),
            "tenants" => Ok(Route::Tenants),
            _ => Err(nothing(&word)),
        };
    };
    let is_subscription = id.provider().is_none() && id.resource_group().is_none();
    let is_group = id.provider().is_none() && id.resource_group().is_some();
    let resource_type = id.resource_type().to_ascii_lowercase();
    match word.as_str() {
        "resourcegroups" if is_subscription => Ok(Route::Groups(subscription(Some(&id))?)),
        "locations" if is_subscription => Ok(Route::Locations(subscription(Some(&id))?)),
        "providers" if is_subscription => Ok(Route::Providers(subscription(Some(&id))?)),
        "resources" if is_subscription || is_group => Ok(Route::Resources(id)),
        // The list of operations of a deployment has no provider in its path.
        "deployments" if is_group => Ok(Route::Deployments(id)),
        "operations" if resource_type == "microsoft.resources/deployments" => Ok(Route::DeploymentOperations(id)),
        "instanceview" => match Kind::of(&id) {
            Some(kind @ (Kind::VirtualMachine | Kind::ScaleSet | Kind::ScaleSetMachine)) => {
                Ok(Route::InstanceView(kind, id))
            }
            _ => Err(unknown(&id)),
        },
        _ if resource_type.starts_with("microsoft.compute/locations") => {
            Ok(Route::Catalogue(subscription(Some(&id))?, catalogue_names(&id, Some(&word))))
        }
        _ if id.provider().is_some() => {
            let resource_type = kind::spelt(&format!("{}/{word}", id.resource_type()));
            let kind = Kind::of_type(&resource_type).ok_or_else(|| unknown_type(&resource_type))?;
            Ok(Route::Collection { kind, scope: id, resource_type })
        }
        _ => Err(nothing(&word)),
    }
}

fn of_type(scope: Option<ResourceId>, namespace: &str, segment: &str) -> Result<Route, ArmError> {
    let resource_type = kind::spelt(&format!("{namespace}/{segment}"));
    let at = |scope: Option<ResourceId>| scope.map_or(Scope::Root, Scope::At);
    match resource_type.to_ascii_lowercase().as_str() {
        "microsoft.authorization/roleassignments" => Ok(Route::RoleAssignments(at(scope))),
        "microsoft.authorization/roledefinitions" => Ok(Route::RoleDefinitions(at(scope))),
        "microsoft.resources/deployments" => match scope {
            Some(group) if group.resource_group().is_some() => Ok(Route::Deployments(group)),
            Some(_) | None => Err(unknown_type(&resource_type)),
        },
        _ => {
            let kind = Kind::of_type(&resource_type).ok_or_else(|| unknown_type(&resource_type))?;
            let scope = scope.ok_or_else(|| unknown_type(&resource_type))?;
            Ok(Route::Collection { kind, scope, resource_type })
        }
    }
}

fn post(target: Target) -> Result<Route, ArmError> {
    let (id, word) = match target {
        Target::Under(Some(id), word) => (id, word.to_ascii_lowercase()),
        // `…/providers/{namespace}/register`: the word stands where a type would.
        Target::OfType { scope, namespace, segment } if segment.eq_ignore_ascii_case("register") => {
            return Ok(Route::Register(subscription(scope.as_ref())?, namespace));
        }
        Target::Item(_) | Target::Under(None, _) | Target::OfType { .. } | Target::Provider { .. } => {
            return Err(not_allowed(&Method::POST));
        }
    };
    let is_group = id.provider().is_none() && id.resource_group().is_some();
    if is_group && word == "exporttemplate" {
        return Ok(Route::Export(id));
    }
    let resource_type = id.resource_type().to_ascii_lowercase();
    let route = match (resource_type.as_str(), word.as_str()) {
        ("microsoft.compute/virtualmachines", "start") => Route::Power(PowerAction::Start, id),
        ("microsoft.compute/virtualmachines", "restart") => Route::Power(PowerAction::Restart, id),
        ("microsoft.compute/virtualmachines", "poweroff") => Route::Power(PowerAction::PowerOff, id),
        ("microsoft.compute/virtualmachines", "deallocate") => Route::Power(PowerAction::Deallocate, id),
        ("microsoft.compute/virtualmachinescalesets", "manualupgrade") => Route::ManualUpgrade(id),
        ("microsoft.compute/virtualmachinescalesets", "delete") => Route::DeleteInstances(id),
        ("microsoft.managedidentity/userassignedidentities", "listassociatedresources") => {
            Route::AssociatedResources(id)
        }
        ("microsoft.resources/deployments", "validate") => Route::Validate(group_of(id)?),
        ("microsoft.resources/deployments", "whatif") => Route::WhatIf(group_of(id)?),
        ("microsoft.resources/deployments", "cancel") => Route::CancelDeployment(group_of(id)?),
        _ => {
            let text = format!("The resource type '{}' has no action '{word}'.", kind::spelt(&id.resource_type()));
            return Err(ArmError::new(Code::NotFound, text));
        }
    };
    Ok(route)
}

impl Route {
    /// What the caller needs to be allowed; nothing where it is enough to be somebody, or nobody.
    pub(crate) fn permission(&self) -> Option<Permission> {
        let need = |action: String, scope: &ResourceId, within: bool| {
            Some(Permission { action, scope: Scope::At(scope.clone()), within })
        };
        let at = |action: &str, scope: &Scope| {
            Some(Permission { action: action.to_owned(), scope: scope.clone(), within: false })
        };
        let sub = |id: &SubscriptionId| ResourceId::for_subscription(*id);
        let typed = |id: &ResourceId| kind::spelt(&id.resource_type());
        match self {
            Self::Tenants | Self::Subscriptions | Self::Operation(_) | Self::OperationResult(_) => None,
            Self::Subscription(id) => need("Microsoft.Resources/subscriptions/read".to_owned(), &sub(id), true),
            Self::Locations(id) => need("Microsoft.Resources/subscriptions/locations/read".to_owned(), &sub(id), true),
            Self::Providers(id) | Self::Provider(id, _) => {
                need("Microsoft.Resources/subscriptions/providers/read".to_owned(), &sub(id), true)
            }
            Self::Register(id, namespace) => need(format!("{namespace}/register/action"), &sub(id), false),
            Self::Groups(id) => {
                need("Microsoft.Resources/subscriptions/resourceGroups/read".to_owned(), &sub(id), true)
            }
            Self::Group(verb, id) => {
                need(format!("Microsoft.Resources/subscriptions/resourceGroups/{}", verb.word()), id, false)
            }
            Self::Resources(id) => need("Microsoft.Resources/subscriptions/resources/read".to_owned(), id, true),
            Self::Export(id) => {
                need("Microsoft.Resources/subscriptions/resourceGroups/exportTemplate/action".to_owned(), id, false)
            }
            Self::Resource(verb, _, id) => need(format!("{}/{}", typed(id), verb.word()), id, false),
            Self::Collection { scope, resource_type, .. } => need(format!("{resource_type}/read"), scope, true),
            Self::RoleAssignment(verb, scope, _) => {
                at(&format!("Microsoft.Authorization/roleAssignments/{}", verb.word()), scope)
            }
            Self::RoleAssignments(scope) => at("Microsoft.Authorization/roleAssignments/read", scope),
            Self::RoleDefinition(scope, _) | Self::RoleDefinitions(scope) => {
                at("Microsoft.Authorization/roleDefinitions/read", scope)
            }
            Self::InstanceView(_, id) => need(format!("{}/instanceView/read", typed(id)), id, false),
            Self::Power(action, id) => {
                need(format!("Microsoft.Compute/virtualMachines/{}/action", action.word()), id, false)
            }
            Self::AssociatedResources(id) => need(format!("{}/listAssociatedResources/action", typed(id)), id, false),
            Self::ManualUpgrade(id) => {
                need("Microsoft.Compute/virtualMachineScaleSets/manualupgrade/action".to_owned(), id, false)
            }
            Self::DeleteInstances(id) => {
                need("Microsoft.Compute/virtualMachineScaleSets/delete/action".to_owned(), id, false)
            }
            Self::Deployment(verb, id) => need(format!("Microsoft.Resources/deployments/{}", verb.word()), id, false),
            Self::Deployments(id) => need("Microsoft.Resources/deployments/read".to_owned(), id, false),
            Self::Validate(id) => need("Microsoft.Resources/deployments/validate/action".to_owned(), id, false),
            Self::WhatIf(id) => need("Microsoft.Resources/deployments/whatIf/action".to_owned(), id, false),
            Self::CancelDeployment(id) => need("Microsoft.Resources/deployments/cancel/action".to_owned(), id, false),
            Self::DeploymentOperations(id) => {
                need("Microsoft.Resources/deployments/operations/read".to_owned(), id, false)
            }
            Self::DeploymentStatus(id, _) => {
                need("Microsoft.Resources/deployments/operationstatuses/read".to_owned(), id, false)
            }
            Self::Catalogue(id, _) => need("Microsoft.Compute/locations/publishers/read".to_owned(), &sub(id), true),
        }
    }

    /// Whether it makes no sense without a body.
    pub(crate) fn needs_body(&self) -> bool {
        match self {
            Self::Group(verb, _) | Self::Resource(verb, _, _) | Self::RoleAssignment(verb, _, _) => {
                matches!(verb, Verb::Put | Verb::Patch)
            }
            Self::ManualUpgrade(_) | Self::DeleteInstances(_) => true,
            _ => false,
        }
    }

    /// The subscription it is in, which must be there.
    pub(crate) fn subscription(&self) -> Option<SubscriptionId> {
        match self.permission()?.scope {
            Scope::Root => None,
            Scope::At(id) => id.subscription(),
        }
    }

    /// Whether it changes something.
    pub(crate) fn writes(&self) -> bool {
        match self {
            Self::Group(verb, _)
            | Self::Resource(verb, _, _)
            | Self::RoleAssignment(verb, _, _)
            | Self::Deployment(verb, _) => !matches!(verb, Verb::Get | Verb::Head),
            Self::Register(..)
            | Self::Power(..)
            | Self::ManualUpgrade(_)
            | Self::DeleteInstances(_)
            | Self::CancelDeployment(_) => true,
            Self::Tenants
            | Self::Subscriptions
            | Self::Subscription(_)
            | Self::Locations(_)
            | Self::Providers(_)
            | Self::Provider(..)
            | Self::Groups(_)
            | Self::Resources(_)
            | Self::Export(_)
            | Self::Collection { .. }
            | Self::RoleAssignments(_)
            | Self::RoleDefinition(..)
            | Self::RoleDefinitions(_)
            | Self::InstanceView(..)
            | Self::AssociatedResources(_)
            | Self::Deployments(_)
            | Self::Validate(_)
            | Self::WhatIf(_)
            | Self::DeploymentOperations(_)
            | Self::DeploymentStatus(..)
            | Self::Catalogue(..)
            | Self::Operation(_)
            | Self::OperationResult(_) => false,
        }
    }
}

impl Verb {
    /// The last word of the action.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Get | Self::Head => "read",
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

fn writable(kind: Kind, verb: Verb, id: &ResourceId) -> Result<(), ArmError> {
    let machine = kind == Kind::ScaleSetMachine && verb != Verb::Delete;
    if machine || kind == Kind::ScaleSetMachineExtension {
        let text = format!("The '{}' of a scale set's machine follows from the scale set's model.", id.resource_type());
        return Err(ArmError::new(Code::OperationNotAllowed, text));
    }
    Ok(())
}

/// The names that follow the location in a path of the catalogue, types and all but the location itself left out.
fn catalogue_names(id: &ResourceId, word: Option<&str>) -> Vec<String> {
    let mut segments: Vec<&str> = id.as_str().split('/').collect();
    segments.extend(word);
    // "", subscriptions, {S}, providers, Microsoft.Compute, locations, {l}, …
    segments.iter().skip(6).map(|segment| (*segment).to_owned()).collect()
}

fn scope_of(id: &ResourceId) -> Scope {
    id.parent().map_or(Scope::Root, Scope::At)
}

/// Deployments live in resource groups.
fn group_of(id: ResourceId) -> Result<ResourceId, ArmError> {
    if id.resource_group().is_some() { Ok(id) } else { Err(unknown(&id)) }
}

fn operation(id: &ResourceId) -> Result<OperationId, ArmError> {
    id.name()
        .parse()
        .map_err(|_| ArmError::new(Code::NotFound, format!("The operation '{}' could not be found.", id.name())))
}

fn subscription(scope: Option<&ResourceId>) -> Result<SubscriptionId, ArmError> {
    scope.and_then(ResourceId::subscription).ok_or_else(|| nothing("providers"))
}

fn unknown(id: &ResourceId) -> ArmError {
    unknown_type(&id.resource_type())
}

fn unknown_type(resource_type: &str) -> ArmError {
    let (namespace, segment) = resource_type.split_once('/').unwrap_or((resource_type, ""));
    ArmError::new(
        Code::InvalidResourceType,
        format!("The resource type '{segment}' could not be found in the namespace '{namespace}'."),
    )
}

fn nothing(word: &str) -> ArmError {
    ArmError::new(Code::NotFound, format!("There is no '{word}' at this scope."))
}

fn not_allowed(method: &Method) -> ArmError {
    ArmError::new(Code::MethodNotAllowed, format!("The requested resource does not support http method '{method}'."))
}
