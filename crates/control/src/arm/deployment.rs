//! `Microsoft.Resources/deployments`: what a client asks of them. [`worker`] carries them out.

mod end;
mod plan;
mod run;
pub(crate) mod worker;

use contract::arm::{ArmError, Code};
use domain::{
    Deployment, DeploymentOperation, DeploymentState, Operation, OperationId, OperationState, ResourceId, Scope, names,
};
use serde_json::{Map, Value, json};
use store::{Put, ReadTx, Tx};
use template::DeploymentRequest;
use template::what_if::{self, WhatIf};

use self::plan::Surroundings;
use super::authorization::Authorized;
use super::failure::Failure;
use super::reply::{self, Reply};
use super::seal::{self, Purpose};
use super::work::Work;
use super::{document, export, kind};

const WRITE: &str = "Microsoft.Resources/deployments/write";
/// The most deployments of a resource group, ended ones among them.
const MAX_DEPLOYMENTS: usize = 800;
/// The api-version at which a deployment's state is followed.
const STATUS_VERSION: &str = "2024-11-01";

/// Takes a deployment: its template is sound, and it will be carried out.
pub(crate) fn put(
    tx: &mut dyn Tx,
    work: &Work,
    authorized: &Authorized,
    id: &ResourceId,
    body: &[u8],
) -> Result<Reply, Failure> {
    document::require_group(tx, id)?;
    let (created, operation) = begin(tx, work, authorized, id, body)?;
    let found = find(tx, id)?;
    let status = status_url(work, &found.id, operation);
    Ok(Reply::put(created, shown(&found)?).following(status, operation))
}

/// The same, on somebody's behalf; whether it is new, and its operation.
pub(crate) fn begin(
    tx: &mut dyn Tx,
    work: &Work,
    authorized: &Authorized,
    id: &ResourceId,
    body: &[u8],
) -> Result<(bool, OperationId), Failure> {
    let caller = authorized.caller().principal_id;
    names::deployment(id.name()).map_err(|invalid| document::invalid_name(&invalid))?;
    let request = DeploymentRequest::parse(body).map_err(plan::refusal)?;
    let operation = work.operation_id();
    let surroundings = Surroundings::of(tx, work, id, work.now, operation)?;
    let planned = template::plan(&request, &surroundings.context).map_err(plan::refusal)?;
    let before = tx.deployment(id)?;
    if before.as_ref().is_some_and(|before| before.state.is_under_way()) {
        let text = format!(
            "Unable to edit or replace deployment '{}': previous deployment is still active. Please see \
             https://aka.ms/arm-deploy for usage details.",
            id.name()
        );
        return Err(ArmError::new(Code::DeploymentActive, text).into());
    }
    if before.is_none() {
        make_room(tx, id)?;
    }
    let own = before.as_ref().map_or_else(|| id.clone(), |before| before.id.clone());
    let mut properties = described(&planned, &request);
    properties.insert("timestamp".to_owned(), document::time(work.now));
    properties.insert("correlationId".to_owned(), uuid::Uuid::new_v4().to_string().into());
    let operation = Operation {
        id: operation,
        action: WRITE.to_owned(),
        subject: own.clone(),
        caller,
        state: OperationState::InProgress,
        started_at: work.now,
        ended_at: None,
    };
    tx.begin_operation(&operation, &[])?;
    let deployment = Deployment {
        state: DeploymentState::Accepted,
        document: document::text(properties),
        request: Some(seal::seal(&work.kek, Purpose::Deployment, &own, body)?),
        caller,
        operation: operation.id,
        started_at: work.now,
        id: own,
    };
    tx.remove_deployment_operations(&deployment.id)?;
    let created = tx.put_deployment(&deployment)? == Put::Created;
    Ok((created, operation.id))
}

pub(crate) fn delete(tx: &mut dyn Tx, _: &Authorized, id: &ResourceId) -> Result<Reply, Failure> {
    document::require_group(tx, id)?;
    if let Some(found) = tx.deployment(id)?
        && found.state.is_under_way()
    {
        let text = format!("The deployment '{}' cannot be deleted while it is running.", id.name());
        return Err(ArmError::new(Code::DeploymentActive, text).into());
    }
    tx.remove_deployment(id)?;
    Ok(Reply::empty(204))
}

/// Ends a deployment where it is: what was written stays.
pub(crate) fn cancel(tx: &mut dyn Tx, work: &Work, _: &Authorized, id: &ResourceId) -> Result<Reply, Failure> {
    let found = find(tx, id)?;
    if !found.state.is_under_way() {
        let text = format!("The deployment '{}' cannot be cancelled: it is not running.", id.name());
        return Err(ArmError::new(Code::Conflict, text).into());
    }
    let why = ArmError::new(Code::DeploymentFailed, "The deployment was cancelled.");
    end::end(tx, work.now, &found, DeploymentState::Canceled, None, Some(&why))?;
    Ok(Reply::empty(204))
}

/// Ends one whose group goes: its operation must not seem to go on for good.
pub(crate) fn abandon(tx: &mut dyn Tx, work: &Work, deployment: &Deployment) -> Result<(), Failure> {
    let why = ArmError::new(Code::ResourceGroupBeingDeleted, "The resource group of the deployment was deleted.");
    end::end(tx, work.now, deployment, DeploymentState::Canceled, None, Some(&why))
}

pub(crate) fn get(tx: &dyn ReadTx, _: &Authorized, id: &ResourceId) -> Result<Reply, Failure> {
    find(tx, id).and_then(|found| shown(&found)).map(Reply::ok)
}

pub(crate) fn head(tx: &dyn ReadTx, _: &Authorized, id: &ResourceId) -> Result<Reply, Failure> {
    Ok(Reply::empty(if tx.deployment(id)?.is_some() { 204 } else { 404 }))
}

pub(crate) fn list(tx: &dyn ReadTx, _: &Authorized, group: &ResourceId) -> Result<Reply, Failure> {
    document::require_group(tx, group)?;
    let all = tx.deployments(&Scope::At(group.clone()))?;
    let value: Vec<Value> = all.iter().map(shown).collect::<Result<_, _>>()?;
    Ok(Reply::ok(json!({"value": value})))
}

/// What a deployment has done so far.
pub(crate) fn operations(tx: &dyn ReadTx, _: &Authorized, id: &ResourceId) -> Result<Reply, Failure> {
    let found = find(tx, id)?;
    let value: Vec<Value> = tx
        .deployment_operations(&found.id)?
        .iter()
        .map(|step| {
            let name = step_name(&found, step);
            Ok(json!({
                "id": format!("{}/operations/{name}", found.id),
                "operationId": name,
                "properties": document::parse(&step.document)?,
            }))
        })
        .collect::<Result<_, Failure>>()?;
    Ok(Reply::ok(json!({"value": value})))
}

/// How far a deployment has come: what clients poll.
pub(crate) fn status(
    tx: &dyn ReadTx,
    _: &Authorized,
    id: &ResourceId,
    operation: OperationId,
) -> Result<Reply, Failure> {
    let found = find(tx, id)?;
    if found.operation != operation {
        // Another deployment took its name; the operation knows how the first one ended.
        let ended = tx
            .operation(operation)?
            .filter(|ended| ended.subject == found.id)
            .ok_or_else(|| ArmError::new(Code::NotFound, format!("The operation '{operation}' could not be found.")))?;
        return Ok(Reply::ok(super::operation::shown(&ended)));
    }
    let mut body = Map::new();
    body.insert("startTime".to_owned(), document::time(found.started_at));
    body.insert("status".to_owned(), found.state.as_str().into());
    body.insert("name".to_owned(), operation.to_string().into());
    if let Some(error) = document::parse(&found.document)?.get("error") {
        body.insert("error".to_owned(), error.clone());
    }
    let mut reply = Reply::ok(body.into());
    reply.follow.retry = found.state.is_under_way();
    Ok(reply)
}

/// `POST …/validate`: everything that can be checked without touching anything.
pub(crate) fn validate(
    tx: &dyn ReadTx,
    work: &Work,
    _: &Authorized,
    id: &ResourceId,
    body: &[u8],
) -> Result<Reply, Failure> {
    let request = DeploymentRequest::parse(body).map_err(plan::refusal)?;
    let surroundings = Surroundings::of(tx, work, id, work.now, work.operation_id())?;
    let planned = template::plan(&request, &surroundings.context).map_err(plan::refusal)?;
    let mut properties = described(&planned, &request);
    properties.insert("provisioningState".to_owned(), "Succeeded".into());
    properties.insert("timestamp".to_owned(), document::time(work.now));
    properties.insert("correlationId".to_owned(), uuid::Uuid::new_v4().to_string().into());
    let ids: Vec<Value> = planned.resources.iter().map(|resource| json!({"id": resource.id})).collect();
    properties.insert("validatedResources".to_owned(), ids.into());
    Ok(Reply::ok(json!({
        "id": id.as_str(), "name": id.name(), "type": "Microsoft.Resources/deployments", "properties": properties,
    })))
}

/// `POST …/whatIf`: what a deployment would change.
pub(crate) fn what_if(
    tx: &dyn ReadTx,
    work: &Work,
    authorized: &Authorized,
    id: &ResourceId,
    body: &[u8],
) -> Result<Reply, Failure> {
    let request = DeploymentRequest::parse(body).map_err(plan::refusal)?;
    let surroundings = Surroundings::of(tx, work, id, work.now, work.operation_id())?;
    let planned = template::plan(&request, &surroundings.context).map_err(plan::refusal)?;
    let group = id.group().map(Scope::At).unwrap_or(Scope::Root);
    let readable = |id: &ResourceId| authorized.may(&format!("{}/read", kind::spelt(&id.resource_type())), id);
    let ids: Vec<String> = tx
        .resource_summaries(&group, &store::Page::ALL)?
        .iter()
        .filter(|found| readable(&found.id))
        .map(|found| found.id.to_string())
        .collect();
    let (ignored, ignored_of) = (export::READ_ONLY, export::READ_ONLY_OF);
    let options = WhatIf { format: request.result_format, ignored, ignored_of, group: &ids };
    let runtime = plan::Resources { tx, work, caller: authorized.caller() };
    let changes = what_if::compare(&planned, &runtime, &options).map_err(plan::refusal)?;
    let changes: Vec<Value> = changes.iter().map(what_if::Change::to_value).collect();
    Ok(Reply::ok(json!({
        "status": "Succeeded",
        "properties": {"correlationId": uuid::Uuid::new_v4().to_string(), "changes": changes},
    })))
}

pub(crate) fn find(tx: &dyn ReadTx, id: &ResourceId) -> Result<Deployment, Failure> {
    if let Some(found) = tx.deployment(id)? {
        return Ok(found);
    }
    document::require_group(tx, id)?;
    let text = format!("Deployment '{}' could not be found.", id.name());
    Err(ArmError::new(Code::DeploymentNotFound, text).into())
}

/// A deployment in an answer.
pub(crate) fn shown(found: &Deployment) -> Result<Value, Failure> {
    let mut properties = document::parse(&found.document)?;
    properties.insert("provisioningState".to_owned(), found.state.as_str().into());
    Ok(json!({
        "id": found.id.as_str(),
        "name": found.id.name(),
        "type": "Microsoft.Resources/deployments",
        "properties": properties,
    }))
}

/// Makes room in a resource group for one more deployment: of those that have ended, the oldest is forgotten.
fn make_room(tx: &mut dyn Tx, id: &ResourceId) -> Result<(), Failure> {
    let Some(group) = id.group() else { return Ok(()) };
    let all = tx.deployments(&Scope::At(group))?;
    if all.len() < MAX_DEPLOYMENTS {
        return Ok(());
    }
    let oldest = all.iter().filter(|found| !found.state.is_under_way()).min_by_key(|found| found.started_at);
    let oldest = oldest.ok_or_else(|| {
        let text = format!(
            "Creating the deployment '{}' would exceed the quota of '{MAX_DEPLOYMENTS}'. The current deployment count \
             is '{}'. Please delete some deployments before creating a new one, or see \
             https://aka.ms/800LimitFix for information on managing deployment limits.",
            id.name(),
            all.len()
        );
        ArmError::new(Code::DeploymentQuotaExceeded, text)
    })?;
    tx.remove_deployment(&oldest.id)?;
    Ok(())
}

/// The name of a step: the same whenever it is asked for.
fn step_name(of: &Deployment, step: &DeploymentOperation) -> String {
    let id = of.operation.as_uuid().simple().to_string().to_ascii_uppercase();
    let (first, rest) = id.split_at_checked(16).unwrap_or((id.as_str(), ""));
    let rest: String = rest.chars().take(8).collect();
    format!("{first}-{rest}-{}", step.number)
}

fn status_url(work: &Work, id: &ResourceId, operation: OperationId) -> String {
    let id = reply::url_path(id.as_str());
    format!("{}{id}/operationStatuses/{operation}?api-version={STATUS_VERSION}", work.base_url)
}

/// The `properties` of a deployment that is planned: nothing of a secret is in them.
fn described(planned: &template::Plan, request: &DeploymentRequest) -> Map<String, Value> {
    let mut providers: Vec<(String, Vec<(String, Value)>)> = Vec::new();
    for resource in &planned.resources {
        let resource_type = kind::spelt(&resource.resource_type);
        let (namespace, segment) = resource_type.split_once('/').unwrap_or((resource_type.as_str(), ""));
        let location = resource.location.as_deref().map_or(Value::Null, |text| document::normal(text).into());
        let at = match providers.iter().position(|(known, _)| known.eq_ignore_ascii_case(namespace)) {
            Some(at) => at,
            None => {
                providers.push((namespace.to_owned(), Vec::new()));
                providers.len() - 1
            }
        };
        if let Some((_, types)) = providers.get_mut(at)
            && !types.iter().any(|(known, _)| known == segment)
        {
            types.push((segment.to_owned(), location));
        }
    }
    let providers: Vec<Value> = providers
        .into_iter()
        .map(|(namespace, types)| {
            let types: Vec<Value> = types
                .into_iter()
                .map(|(segment, location)| json!({"resourceType": segment, "locations": [location]}))
                .collect();
            json!({"namespace": namespace, "resourceTypes": types})
        })
        .collect();
    let depends = |resource: &template::PlannedResource| {
        let on: Vec<Value> = resource
            .depends_on
            .iter()
            .filter_map(|at| planned.resources.get(*at))
            .map(|other| json!({"id": other.id, "resourceType": other.resource_type, "resourceName": other.name}))
            .collect();
        (!on.is_empty()).then(|| {
            json!({
                "dependsOn": on, "id": resource.id, "resourceType": resource.resource_type,
                "resourceName": resource.name,
            })
        })
    };
    let mut properties = Map::new();
    let mut put = |name: &str, value: Value| properties.insert(name.to_owned(), value);
    put("templateHash", planned.template_hash.as_str().into());
    put("mode", request.mode.as_str().into());
    put("duration", "PT0S".into());
    put("parameters", planned.parameters.clone());
    put("providers", providers.into());
    put("dependencies", planned.resources.iter().filter_map(depends).collect());
    put("outputResources", Vec::<Value>::new().into());
    properties
}
