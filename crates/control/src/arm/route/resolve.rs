//! From a method and a path to a request.

use contract::arm::{ArmError, Code};
use domain::{OperationId, ResourceId, Scope, SubscriptionId};
use http::Method;

use super::super::kind::{self, Kind};
use super::super::target::Target;
use super::{Change, Look, Open, PlaybookChange, PowerAction, Read, Route, Switch, Template, Write, scope_of};

/// The method of a request to one resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Look(Look),
    Change(Change),
}

/// Which request a method and a path are.
pub(crate) fn resolve(method: &Method, target: Target) -> Result<Route, ArmError> {
    let verb = match *method {
        Method::GET => Verb::Look(Look::Get),
        Method::HEAD => Verb::Look(Look::Head),
        Method::PUT => Verb::Change(Change::Put),
        Method::PATCH => Verb::Change(Change::Patch),
        Method::DELETE => Verb::Change(Change::Delete),
        Method::POST => return post(target),
        _ => return Err(not_allowed(method)),
    };
    let get = *method == Method::GET;
    match target {
        Target::Item(id) => item(method, verb, id),
        Target::Under(scope, word) if get => collection(scope, &word),
        Target::OfType { scope, namespace, segment } if get => of_type(scope, &namespace, &segment).map(Route::Read),
        Target::Provider { scope, namespace } if get => {
            Ok(Route::Read(Read::Provider(subscription(scope.as_ref())?, namespace)))
        }
        Target::Under(..) | Target::OfType { .. } | Target::Provider { .. } => Err(not_allowed(method)),
    }
}

fn item(method: &Method, verb: Verb, id: ResourceId) -> Result<Route, ArmError> {
    let resource_type = id.resource_type().to_ascii_lowercase();
    let provider = id.provider().is_some();
    let route = match (resource_type.as_str(), provider, verb) {
        ("microsoft.resources/resourcegroups", false, Verb::Look(look)) => Route::Read(Read::Group(look, id)),
        ("microsoft.resources/resourcegroups", false, Verb::Change(change)) => Route::Write(Write::Group(change, id)),
        ("microsoft.authorization/roleassignments", true, Verb::Look(look)) => {
            Route::Read(Read::RoleAssignment(look, scope_of(&id), id.name().to_owned()))
        }
        ("microsoft.authorization/roleassignments", true, Verb::Change(change)) => {
            Route::Write(Write::RoleAssignment(change, scope_of(&id), id.name().to_owned()))
        }
        ("microsoft.resources/deployments", true, Verb::Look(look)) => {
            Route::Read(Read::Deployment(look, group_of(id)?))
        }
        ("microsoft.resources/deployments", true, Verb::Change(Change::Put)) => {
            Route::Template(Template::Deploy, group_of(id)?)
        }
        ("microsoft.resources/deployments", true, Verb::Change(Change::Delete)) => {
            Route::Write(Write::DeleteDeployment(group_of(id)?))
        }
        ("microsoft.resources/deployments", true, Verb::Change(Change::Patch)) => return Err(not_allowed(method)),
        ("symbolon.faults/playbooks", true, verb) => {
            let subscription = playbook_of(&id)?;
            match verb {
                Verb::Look(Look::Get) => Route::Playbook(subscription),
                Verb::Change(Change::Put) => Route::ChangePlaybook(PlaybookChange::Run, subscription),
                Verb::Change(Change::Delete) => Route::ChangePlaybook(PlaybookChange::Stop, subscription),
                Verb::Look(Look::Head) | Verb::Change(Change::Patch) => return Err(not_allowed(method)),
            }
        }
        (CUTOVERS, true, Verb::Look(Look::Get)) => Route::Read(Read::Cutover(id)),
        (CUTOVERS, true, Verb::Change(Change::Put)) => Route::Write(Write::Cutover(id)),
        (migration, true, _) if migration.starts_with(MIGRATION) => return Err(not_allowed(method)),
        (fixed, _, Verb::Look(Look::Get)) if is_fixed(fixed) => return read_fixed(fixed, id),
        (fixed, _, _) if is_fixed(fixed) => return Err(not_allowed(method)),
        (_, true, verb) => {
            let kind = Kind::of(&id).ok_or_else(|| unknown(&id))?;
            match verb {
                Verb::Look(look) => Route::Read(Read::Resource(look, kind, id)),
                Verb::Change(change) => {
                    writable(kind, change, &id)?;
                    Route::Write(Write::Resource(change, kind, id))
                }
            }
        }
        (_, false, _) => return Err(unknown(&id)),
    };
    Ok(route)
}

/// What is only to be read, and has an address like a resource.
const FIXED: [&str; 5] = [
    "microsoft.resources/subscriptions",
    "microsoft.resources/operationresults",
    "microsoft.authorization/roledefinitions",
    "microsoft.resources/deployments/operationstatuses",
    "microsoft.compute/locations/operations",
];
const MIGRATION: &str = "symbolon.migration/";
const CUTOVERS: &str = "symbolon.migration/cutovers";
const PUBLISHERS: &str = "microsoft.compute/locations/publishers";

fn is_fixed(resource_type: &str) -> bool {
    FIXED.contains(&resource_type) || resource_type.starts_with(PUBLISHERS)
}

fn read_fixed(resource_type: &str, id: ResourceId) -> Result<Route, ArmError> {
    Ok(match resource_type {
        "microsoft.resources/subscriptions" => Route::Read(Read::Subscription(subscription(Some(&id))?)),
        "microsoft.resources/operationresults" => Route::Open(Open::OperationResult(operation(&id)?)),
        "microsoft.authorization/roledefinitions" => {
            Route::Read(Read::RoleDefinition(scope_of(&id), id.name().to_owned()))
        }
        "microsoft.resources/deployments/operationstatuses" => {
            let operation = operation(&id)?;
            Route::Read(Read::DeploymentStatus(id.parent().ok_or_else(|| unknown(&id))?, operation))
        }
        "microsoft.compute/locations/operations" => Route::Open(Open::Operation(operation(&id)?)),
        _ => Route::Read(Read::Catalogue(subscription(Some(&id))?, catalogue_names(&id, None))),
    })
}

fn collection(scope: Option<ResourceId>, word: &str) -> Result<Route, ArmError> {
    let word = word.to_ascii_lowercase();
    let Some(id) = scope else {
        return match word.as_str() {
            "subscriptions" => Ok(Route::Open(Open::Subscriptions)),
            "tenants" => Ok(Route::Open(Open::Tenants)),
            _ => Err(nothing(&word)),
        };
    };
    let is_subscription = id.provider().is_none() && id.resource_group().is_none();
    let is_group = id.provider().is_none() && id.resource_group().is_some();
    let resource_type = id.resource_type().to_ascii_lowercase();
    let read = match word.as_str() {
        "resourcegroups" if is_subscription => Read::Groups(subscription(Some(&id))?),
        "locations" if is_subscription => Read::Locations(subscription(Some(&id))?),
        "providers" if is_subscription => Read::Providers(subscription(Some(&id))?),
        "resources" if is_subscription || is_group => Read::Resources(id),
        "deployments" if is_group => Read::Deployments(id),
        // The list of operations of a deployment may have no provider in its path.
        "operations" if is_group_deployment(&id) => Read::DeploymentOperations(deployment_of(&id)?),
        "operations" if resource_type == "microsoft.resources/deployments" => Read::DeploymentOperations(id),
        "instanceview" => match Kind::of(&id) {
            Some(kind @ (Kind::VirtualMachine | Kind::ScaleSet | Kind::ScaleSetMachine)) => {
                Read::InstanceView(kind, id)
            }
            Some(_) | None => return Err(unknown(&id)),
        },
        "scheduledevents" if is_machine(&id) => Read::ScheduledEvents(id),
        _ if resource_type.starts_with("microsoft.compute/locations") => {
            Read::Catalogue(subscription(Some(&id))?, catalogue_names(&id, Some(&word)))
        }
        _ if id.provider().is_some() => {
            let resource_type = kind::spelt(&format!("{}/{word}", id.resource_type()));
            let kind = Kind::of_type(&resource_type).ok_or_else(|| unknown_type(&resource_type))?;
            Read::Collection { kind, scope: id, resource_type }
        }
        _ => return Err(nothing(&word)),
    };
    Ok(Route::Read(read))
}

/// Whether this is `…/resourceGroups/{group}/deployments/{name}`, without the provider.
fn is_group_deployment(id: &ResourceId) -> bool {
    id.provider().is_none() && id.resource_type().eq_ignore_ascii_case("Microsoft.Resources/deployments")
}

fn deployment_of(id: &ResourceId) -> Result<ResourceId, ArmError> {
    let group = id.group().ok_or_else(|| unknown(id))?;
    group.resource("Microsoft.Resources", "deployments", id.name()).map_err(|_| unknown(id))
}

fn of_type(scope: Option<ResourceId>, namespace: &str, segment: &str) -> Result<Read, ArmError> {
    let resource_type = kind::spelt(&format!("{namespace}/{segment}"));
    let at = |scope: Option<ResourceId>| scope.map_or(Scope::Root, Scope::At);
    match resource_type.to_ascii_lowercase().as_str() {
        "microsoft.authorization/roleassignments" => Ok(Read::RoleAssignments(at(scope))),
        "microsoft.authorization/roledefinitions" => Ok(Read::RoleDefinitions(at(scope))),
        "microsoft.resources/deployments" => match scope {
            Some(group) if group.resource_group().is_some() => Ok(Read::Deployments(group)),
            Some(_) | None => Err(unknown_type(&resource_type)),
        },
        "symbolon.migration/machines" => {
            let scope = scope.ok_or_else(|| unknown_type(&resource_type))?;
            Ok(Read::Machines(scope))
        }
        _ => {
            let kind = Kind::of_type(&resource_type).ok_or_else(|| unknown_type(&resource_type))?;
            let scope = scope.ok_or_else(|| unknown_type(&resource_type))?;
            Ok(Read::Collection { kind, scope, resource_type })
        }
    }
}

fn post(target: Target) -> Result<Route, ArmError> {
    let (id, word) = match target {
        Target::Under(Some(id), word) => (id, word.to_ascii_lowercase()),
        // `…/providers/{namespace}/register`: the word stands where a type would.
        Target::OfType { scope, namespace, segment } if segment.eq_ignore_ascii_case("register") => {
            return Ok(Route::Write(Write::Register(subscription(scope.as_ref())?, namespace)));
        }
        Target::Item(_) | Target::Under(None, _) | Target::OfType { .. } | Target::Provider { .. } => {
            return Err(not_allowed(&Method::POST));
        }
    };
    let is_group = id.provider().is_none() && id.resource_group().is_some();
    if is_group && word == "exporttemplate" {
        return Ok(Route::Read(Read::Export(id)));
    }
    let resource_type = id.resource_type().to_ascii_lowercase();
    let power = |action, id| Route::Write(Write::Power(action, id));
    let route = match (resource_type.as_str(), word.as_str()) {
        (_, "firescheduledevent") if is_machine(&id) => Route::Write(Write::FireEvent(id)),
        (_, "simulateeviction") if is_machine(&id) => Route::Write(Write::SimulateEviction(id)),
        ("microsoft.compute/virtualmachines", "start") => power(PowerAction::Start, id),
        ("microsoft.compute/virtualmachines", "restart") => power(PowerAction::Restart, id),
        ("microsoft.compute/virtualmachines", "poweroff") => power(PowerAction::PowerOff, id),
        ("microsoft.compute/virtualmachines", "deallocate") => power(PowerAction::Deallocate, id),
        ("microsoft.compute/virtualmachines/extensions", "enable") => Route::Write(Write::Switch(Switch::Enable, id)),
        ("microsoft.compute/virtualmachines/extensions", "disable") => Route::Write(Write::Switch(Switch::Disable, id)),
        ("microsoft.compute/virtualmachinescalesets", "manualupgrade") => Route::Write(Write::ManualUpgrade(id)),
        ("microsoft.compute/virtualmachinescalesets", "delete") => Route::Write(Write::DeleteInstances(id)),
        ("microsoft.managedidentity/userassignedidentities", "listassociatedresources") => {
            Route::Read(Read::AssociatedResources(id))
        }
        ("microsoft.resources/deployments", "validate") => Route::Template(Template::Validate, group_of(id)?),
        ("microsoft.resources/deployments", "whatif") => Route::Template(Template::WhatIf, group_of(id)?),
        ("microsoft.resources/deployments", "cancel") => Route::Write(Write::CancelDeployment(group_of(id)?)),
        _ => {
            let text = format!("The resource type '{}' has no action '{word}'.", kind::spelt(&id.resource_type()));
            return Err(ArmError::new(Code::NotFound, text));
        }
    };
    Ok(route)
}

fn is_machine(id: &ResourceId) -> bool {
    matches!(Kind::of(id), Some(Kind::VirtualMachine | Kind::ScaleSetMachine))
}

fn writable(kind: Kind, change: Change, id: &ResourceId) -> Result<(), ArmError> {
    let machine = kind == Kind::ScaleSetMachine && change != Change::Delete;
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

/// A subscription has one playbook at most, which has no other name.
fn playbook_of(id: &ResourceId) -> Result<SubscriptionId, ArmError> {
    let alone = id.resource_group().is_none() && id.name().eq_ignore_ascii_case("current");
    id.subscription().filter(|_| alone).ok_or_else(|| unknown(id))
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
