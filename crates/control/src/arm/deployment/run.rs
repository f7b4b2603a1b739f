//! The steps of a deployment. Every step is one transaction that writes a resource and, with it, that it was
//! written: so a process that ends in the middle goes on where it was, and nothing is done twice.

use std::collections::HashSet;
use std::sync::Arc;

use contract::arm::error::Detail;
use contract::arm::{ArmError, Code};
use domain::{
    Deployment, DeploymentOperation, DeploymentState, OperationError, OperationId, OperationState, PrincipalId,
    ResourceId, Scope,
};
use serde_json::{Map, Value, json};
use store::{Act, Page, ReadTx, Tx};
use template::{DeploymentRequest, Mode, Plan, PlannedResource};

use super::super::authorization::{self, Authorized, Caller, Permission};
use super::super::body::{MAX_BODY, Query};
use super::super::failure::Failure;
use super::super::kind::Kind;
use super::super::reply::Reply;
use super::super::route::Change;
use super::super::seal::{self, Purpose};
use super::super::work::Work;
use super::super::{document, kind, resource, role_assignment};
use super::end::{end, told, whole_error};
use super::plan::{self, Resources, Surroundings};
use crate::App;

/// Takes a step of a deployment, if it can take one; whether it did.
pub(super) async fn advance(app: &App, id: &ResourceId) -> Result<bool, Failure> {
    let work = Work::new(app, Query::default());
    let act = |action: &str| Act::new("deployment", action, id.to_string(), work.now);
    let (step, of) = (work.clone(), id.clone());
    let took = app.store.write_through(act("deployment.step"), move |tx| take_step(tx, &step, &of)).await;
    let (number, failure) = match took {
        Ok((Step::Taken, cursor)) => {
            // That it has ended is a later step: whoever reads that asks the metadata service next.
            app.settled.wait_for(&cursor).await;
            return Ok(true);
        }
        Ok((Step::Waiting, _)) => return Ok(false),
        // It says nothing of the deployment that the store is busy.
        Err(StepFailure { failure: Failure::Store(error), .. }) if error.retryable() => return Err(error.into()),
        Err(StepFailure { number, failure }) => (number, failure),
    };
    // The transaction of the step is gone with all it wrote; that it failed is a step of its own.
    let error = failure.told();
    let of = id.clone();
    app.store.write(act("deployment.fail"), move |tx| fail_step(tx, &work, &of, number, &error)).await?;
    Ok(true)
}

enum Step {
    Taken,
    Waiting,
}

struct StepFailure {
    /// The step; none when it is the deployment as a whole.
    number: Option<u32>,
    failure: Failure,
}

impl From<Failure> for StepFailure {
    fn from(failure: Failure) -> Self {
        Self { number: None, failure }
    }
}

impl From<store::Error> for StepFailure {
    fn from(error: store::Error) -> Self {
        Failure::from(error).into()
    }
}

impl From<ArmError> for StepFailure {
    fn from(error: ArmError) -> Self {
        Failure::from(error).into()
    }
}

fn take_step(tx: &mut dyn Tx, work: &Work, id: &ResourceId) -> Result<Step, StepFailure> {
    let Some(deployment) = tx.deployment(id)?.filter(|found| found.state.is_under_way()) else {
        return Ok(Step::Waiting);
    };
    let (request, planned) = open(tx, work, &deployment)?;
    let steps = tx.deployment_operations(&deployment.id)?;
    if let Some(done) = settle_one(tx, work, &deployment, &steps)? {
        return Ok(done);
    }
    let ended = |number: usize| {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        steps.iter().any(|step| step.number == number && step.ended)
    };
    let begun = |number: u32| steps.iter().any(|step| step.number == number);
    for (number, resource) in (0_u32..).zip(&planned.resources) {
        if !begun(number) && resource.depends_on.iter().all(|on| ended(*on)) {
            begin_one(tx, work, &deployment, number, resource)
                .map_err(|failure| StepFailure { number: Some(number), failure })?;
            return Ok(Step::Taken);
        }
    }
    if !(0..planned.resources.len()).all(ended) {
        return Ok(Step::Waiting);
    }
    if request.mode == Mode::Complete {
        delete_others(tx, work, &deployment, &planned)?;
    }
    let caller = deployer(tx, deployment.caller)?;
    let outputs = planned.outputs(&Resources { tx, work, caller: &caller }).map_err(plan::refusal)?;
    let written: Vec<Value> = planned.resources.iter().map(|resource| json!({"id": resource.id})).collect();
    end(tx, work.now, &deployment, DeploymentState::Succeeded, Some((outputs, written)), None)?;
    Ok(Step::Taken)
}

/// Looks after one step whose resource is still on its way: whether it has come there.
fn settle_one(
    tx: &mut dyn Tx,
    work: &Work,
    deployment: &Deployment,
    steps: &[DeploymentOperation],
) -> Result<Option<Step>, StepFailure> {
    for step in steps.iter().filter(|step| !step.ended) {
        let state = step.operation.map(|id| tx.operation(id)).transpose()?.flatten().map(|found| found.state);
        match state {
            Some(OperationState::InProgress) => {}
            Some(OperationState::Succeeded) | None => {
                let done = told(work.now, step, "Succeeded", "OK", None)?;
                tx.put_deployment_operation(&deployment.id, &done)?;
                return Ok(Some(Step::Taken));
            }
            Some(OperationState::Failed(OperationError { code, message })) => {
                let text = "The resource operation completed with terminal provisioning state 'Failed'.";
                let error = ArmError::new(Code::ResourceDeploymentFailure, text);
                let failure = error.target(step.target.clone()).detail(Detail::new(code, message)).into();
                return Err(StepFailure { number: Some(step.number), failure });
            }
        }
    }
    Ok(None)
}

/// Writes one resource, and that it is being written.
fn begin_one(
    tx: &mut dyn Tx,
    work: &Work,
    deployment: &Deployment,
    number: u32,
    planned: &PlannedResource,
) -> Result<(), Failure> {
    let id = ResourceId::parse(&planned.id).map_err(|why| {
        ArmError::invalid_template(&format!("The resource '{}' has no valid id: {why}.", planned.name))
            .place(planned.line, planned.column)
    })?;
    let caller = deployer(tx, deployment.caller)?;
    let body = planned.body(&Resources { tx: &*tx, work, caller: &caller }).map_err(plan::refusal)?;
    let (status, operation) = write(tx, work, deployment.caller, &id, planned, body)?;
    let mut properties = Map::new();
    let mut put = |name: &str, value: Value| properties.insert(name.to_owned(), value);
    put("provisioningOperation", "Create".into());
    put("provisioningState", if operation.is_some() { "Running" } else { "Succeeded" }.into());
    put("timestamp", document::time(work.now));
    put("duration", "PT0S".into());
    put("statusCode", if status == 201 { "Created" } else { "OK" }.into());
    put("targetResource", target(planned));
    let step = DeploymentOperation {
        number,
        target: planned.id.clone(),
        document: document::text(properties),
        operation,
        ended: operation.is_none(),
    };
    tx.put_deployment_operation(&deployment.id, &step)?;
    if deployment.state == DeploymentState::Accepted {
        tx.put_deployment(&Deployment { state: DeploymentState::Running, ..deployment.clone() })?;
    }
    Ok(())
}

/// Writes a resource as a request of its own would; its status, and the operation that goes on.
fn write(
    tx: &mut dyn Tx,
    work: &Work,
    caller: PrincipalId,
    id: &ResourceId,
    planned: &PlannedResource,
    body: Value,
) -> Result<(u16, Option<OperationId>), Failure> {
    let resource_type = kind::spelt(&planned.resource_type);
    let text = body.to_string();
    if text.len() > MAX_BODY {
        let text = format!("The body of the resource '{}' is longer than {MAX_BODY} bytes.", planned.name);
        let error = ArmError::new(Code::RequestEntityTooLarge, text);
        return Err(error.place(planned.line, planned.column).into());
    }
    if planned.is_deployment() {
        let authorized = may_write(tx, caller, &resource_type, &Scope::At(id.clone()))?;
        document::require_group(tx, id)?;
        let (_, operation) = super::begin(tx, work, &authorized, id, text.as_bytes())?;
        return Ok((201, Some(operation)));
    }
    let Value::Object(body) = body else {
        let text = format!("The resource '{}' is not an object.", planned.name);
        return Err(ArmError::invalid_template(&text).place(planned.line, planned.column).into());
    };
    let work = work.without_query();
    let reply: Reply = if resource_type.eq_ignore_ascii_case("Microsoft.Authorization/roleAssignments") {
        let scope = id.parent().map_or(Scope::Root, Scope::At);
        let authorized = may_write(tx, caller, &resource_type, &scope)?;
        role_assignment::write(tx, &work, &authorized, Change::Put, &scope, id.name(), &body)?
    } else {
        let kind = Kind::of(id).ok_or_else(|| {
            let text = format!("The resource type '{resource_type}' could not be found.");
            ArmError::new(Code::InvalidResourceType, text).place(planned.line, planned.column)
        })?;
        let authorized = may_write(tx, caller, &resource_type, &Scope::At(id.clone()))?;
        resource::put(tx, &work, &authorized, kind, id, &body)?
    };
    Ok((reply.status, reply.operation))
}

/// That the one on whose behalf it is done may do it, as of now.
fn may_write(tx: &dyn ReadTx, caller: PrincipalId, resource_type: &str, scope: &Scope) -> Result<Authorized, Failure> {
    let caller = deployer(tx, caller)?;
    let permission = Permission { action: format!("{resource_type}/write"), scope: scope.clone(), within: false };
    Ok(authorization::authorize(caller, &permission)?)
}

/// Whoever asked for a deployment, with the roles it has now.
fn deployer(tx: &dyn ReadTx, id: PrincipalId) -> Result<Arc<Caller>, Failure> {
    let principal = tx.service_principal(id)?.ok_or_else(|| {
        ArmError::new(Code::AuthorizationFailed, "Whoever asked for the deployment is not there any more.")
    })?;
    authorization::caller(tx, principal.tenant, id, principal.client_id).map(Arc::new)
}

/// Deletes what a Complete deployment doesn't name. Children go with what they are part of, and only so.
fn delete_others(tx: &mut dyn Tx, work: &Work, deployment: &Deployment, planned: &Plan) -> Result<(), Failure> {
    let Some(group) = deployment.id.group() else { return Ok(()) };
    let caller = deployer(tx, deployment.caller)?;
    let mut named: HashSet<String> =
        planned.resources.iter().map(|resource| resource.id.to_ascii_lowercase()).collect();
    for nested in planned.resources.iter().filter(|resource| resource.is_deployment()) {
        written_by(tx, &nested.id, &mut named)?;
    }
    for found in tx.resource_summaries(&Scope::At(group), &Page::ALL)? {
        let root = found.id.parent().is_none_or(|parent| parent.provider().is_none());
        if !root || named.contains(found.id.key()) {
            continue;
        }
        let Some(kind) = Kind::of(&found.id) else { continue };
        let resource_type = kind::spelt(&found.id.resource_type());
        let scope = Scope::At(found.id.clone());
        let permission = Permission { action: format!("{resource_type}/delete"), scope, within: false };
        let authorized = authorization::authorize(Arc::clone(&caller), &permission)?;
        resource::delete(tx, &work.without_query(), &authorized, kind, &found.id)?;
    }
    Ok(())
}

/// Adds what a nested deployment has written, and those in it.
fn written_by(tx: &dyn ReadTx, id: &str, named: &mut HashSet<String>) -> Result<(), Failure> {
    let Ok(id) = ResourceId::parse(id) else { return Ok(()) };
    for step in tx.deployment_operations(&id)? {
        let target = step.target.to_ascii_lowercase();
        if named.insert(target) {
            written_by(tx, &step.target, named)?;
        }
    }
    Ok(())
}

fn fail_step(
    tx: &mut dyn Tx,
    work: &Work,
    id: &ResourceId,
    number: Option<u32>,
    error: &ArmError,
) -> Result<(), Failure> {
    let Some(deployment) = tx.deployment(id)?.filter(|found| found.state.is_under_way()) else { return Ok(()) };
    if let Some(number) = number {
        let steps = tx.deployment_operations(&deployment.id)?;
        let fresh;
        let step = match steps.iter().find(|step| step.number == number) {
            Some(step) => step,
            None => {
                fresh = unwritten(tx, work, &deployment, number)?;
                &fresh
            }
        };
        let state = error.code.status();
        let status = http::StatusCode::from_u16(state).ok().and_then(|status| status.canonical_reason());
        let failed = told(work.now, step, "Failed", &status.unwrap_or("Conflict").replace(' ', ""), Some(error))?;
        tx.put_deployment_operation(&deployment.id, &failed)?;
    }
    let whole = if number.is_some() { whole_error(&deployment, error) } else { error.clone() };
    end(tx, work.now, &deployment, DeploymentState::Failed, None, Some(&whole))
}

/// The step of a resource that could not even be begun.
fn unwritten(
    tx: &dyn ReadTx,
    work: &Work,
    deployment: &Deployment,
    number: u32,
) -> Result<DeploymentOperation, Failure> {
    let (_, planned) = open(tx, work, deployment)?;
    let at = usize::try_from(number).unwrap_or(usize::MAX);
    let resource = planned.resources.get(at);
    let mut properties = Map::new();
    properties.insert("provisioningOperation".to_owned(), "Create".into());
    properties.insert("timestamp".to_owned(), document::time(work.now));
    properties.insert("targetResource".to_owned(), resource.map_or(Value::Null, target));
    Ok(DeploymentOperation {
        number,
        target: resource.map(|resource| resource.id.clone()).unwrap_or_default(),
        document: document::text(properties),
        operation: None,
        ended: true,
    })
}

fn open(tx: &dyn ReadTx, work: &Work, deployment: &Deployment) -> Result<(DeploymentRequest, Plan), Failure> {
    let sealed = deployment
        .request
        .as_ref()
        .ok_or_else(|| Failure::Internal { doing: "carry out a deployment", why: "its request is gone".into() })?;
    let body = seal::open(&work.kek, Purpose::Deployment, &deployment.id, sealed)?;
    let request = DeploymentRequest::parse(&body).map_err(plan::refusal)?;
    let surroundings = Surroundings::of(tx, work, &deployment.id, deployment.started_at, deployment.operation)?;
    let planned = template::plan(&request, &surroundings.context).map_err(plan::refusal)?;
    Ok((request, planned))
}

fn target(planned: &PlannedResource) -> Value {
    json!({"id": planned.id, "resourceType": kind::spelt(&planned.resource_type), "resourceName": planned.name})
}
