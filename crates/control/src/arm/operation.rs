//! Long-running operations, and the two places where clients follow them.

use std::sync::Arc;

use contract::arm::{ArmError, Code};
use domain::{Operation, OperationId, OperationState, ResourceId, Scope, Wait};
use serde_json::{Map, Value, json};
use store::Tx;

use super::authorization::{Authorized, Caller, Permission, authorize};
use super::failure::Failure;
use super::reply::Reply;
use super::work::Work;
use super::{document, kind, reply};
use crate::App;

/// Begins an operation that ends when the guests have come so far.
pub(crate) fn begin(
    tx: &mut dyn Tx,
    work: &Work,
    authorized: &Authorized,
    action: &str,
    subject: &ResourceId,
    waits: &[Wait],
) -> Result<OperationId, Failure> {
    let operation = new(work, authorized, action, subject, OperationState::InProgress);
    tx.begin_operation(&operation, waits)?;
    Ok(operation.id)
}

/// Writes down an operation that is done with this very transaction.
pub(crate) fn ended(
    tx: &mut dyn Tx,
    work: &Work,
    authorized: &Authorized,
    action: &str,
    subject: &ResourceId,
) -> Result<OperationId, Failure> {
    let mut operation = new(work, authorized, action, subject, OperationState::Succeeded);
    operation.ended_at = Some(work.now);
    tx.begin_operation(&operation, &[])?;
    Ok(operation.id)
}

/// The answer to what is done behind it: where the client follows it, and where its end is. `location` is the region of
/// the subject; without anything to wait for it is done already.
pub(crate) fn accepted(
    tx: &mut dyn Tx,
    work: &Work,
    authorized: &Authorized,
    action: &str,
    subject: &ResourceId,
    location: &str,
    waits: &[Wait],
) -> Result<Reply, Failure> {
    let id = if waits.is_empty() {
        ended(tx, work, authorized, action, subject)?
    } else {
        begin(tx, work, authorized, action, subject, waits)?
    };
    let location = document::normal(location);
    let (status, monitor) = (work.status_url(subject, &location, id), work.monitor_url(subject, &location, id));
    Ok(Reply::empty(202).following(status, id).resulting(monitor))
}

fn new(work: &Work, authorized: &Authorized, action: &str, subject: &ResourceId, state: OperationState) -> Operation {
    Operation {
        id: work.operation_id(),
        action: action.to_owned(),
        subject: subject.clone(),
        caller: authorized.caller().principal_id,
        state,
        started_at: work.now,
        ended_at: None,
    }
}

/// `GET …/operations/{id}`: the state of an operation.
pub(crate) async fn status(app: &App, caller: Arc<Caller>, id: OperationId) -> Result<Reply, Failure> {
    let found = find(app, caller, id).await?;
    let mut reply = Reply::ok(shown(&found));
    reply.follow.retry = found.ended_at.is_none();
    Ok(reply)
}

/// `GET …/operationresults/{id}`: 202 until there is a result.
pub(crate) async fn result(app: &App, caller: Arc<Caller>, id: OperationId) -> Result<Reply, Failure> {
    let found = find(app, caller, id).await?;
    match found.state {
        OperationState::InProgress => {
            let subscription = found.subject.subscription().map(|id| id.to_string()).unwrap_or_default();
            Ok(Reply::empty(202).resulting(reply::result_url(&app.base_url, &subscription, id)))
        }
        OperationState::Succeeded => Ok(Reply::empty(200)),
        OperationState::Failed(why) => {
            let detail = contract::arm::error::Detail::new(why.code, why.message.clone());
            Err(ArmError::new(Code::OperationNotAllowed, why.message).detail(detail).into())
        }
    }
}

/// The body in which a client sees an operation.
pub(crate) fn shown(operation: &Operation) -> Value {
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| shown.insert(name.to_owned(), value);
    put("startTime", document::time(operation.started_at));
    if let Some(ended) = operation.ended_at {
        put("endTime", document::time(ended));
    }
    let (status, error) = match &operation.state {
        OperationState::InProgress => ("InProgress", None),
        OperationState::Succeeded => ("Succeeded", None),
        OperationState::Failed(why) => ("Failed", Some(json!({"code": why.code, "message": why.message}))),
    };
    put("status", status.into());
    put("name", operation.id.to_string().into());
    if let Some(error) = error {
        put("error", error);
    }
    shown.into()
}

/// An operation is told to whoever began it and to whoever may read what it is about.
async fn find(app: &App, caller: Arc<Caller>, id: OperationId) -> Result<Operation, Failure> {
    let found = app.store.read(move |tx| tx.operation(id)).await?;
    let unknown = || ArmError::new(Code::NotFound, format!("The operation '{id}' could not be found."));
    let found = found.ok_or_else(unknown)?;
    if found.caller == caller.principal_id {
        return Ok(found);
    }
    let action = format!("{}/read", kind::spelt(&found.subject.resource_type()));
    let permission = Permission { action, scope: Scope::At(found.subject.clone()), within: false };
    // Who may not see it doesn't learn that it is there.
    authorize(caller, &permission).map_err(|_| unknown())?;
    Ok(found)
}
