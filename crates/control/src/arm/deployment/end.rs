//! How steps and deployments end.

use contract::arm::error::Detail;
use contract::arm::{ArmError, Code};
use domain::{Deployment, DeploymentOperation, DeploymentState, OperationError, ResourceId, Timestamp};
use serde_json::{Value, json};
use store::Tx;

use super::super::document;
use super::super::failure::Failure;

/// A step that has ended.
pub(super) fn told(
    now: Timestamp,
    step: &DeploymentOperation,
    state: &str,
    status: &str,
    error: Option<&ArmError>,
) -> Result<DeploymentOperation, Failure> {
    let mut properties = document::parse(&step.document)?;
    properties.insert("provisioningState".to_owned(), state.into());
    properties.insert("timestamp".to_owned(), document::time(now));
    properties.insert("statusCode".to_owned(), status.into());
    if let Some(error) = error {
        properties.insert("statusMessage".to_owned(), json!({"status": "Failed", "error": error.value()}));
    }
    Ok(DeploymentOperation { document: document::text(properties), operation: None, ended: true, ..step.clone() })
}

/// Ends a deployment with its operation; its request is forgotten with the secrets in it. Nobody looks after its steps any
/// more, so those on their way end here too; what they have begun goes on.
pub(super) fn end(
    tx: &mut dyn Tx,
    now: Timestamp,
    deployment: &Deployment,
    state: DeploymentState,
    done: Option<(Value, Vec<Value>)>,
    error: Option<&ArmError>,
) -> Result<(), Failure> {
    for step in tx.deployment_operations(&deployment.id)?.iter().filter(|step| !step.ended) {
        tx.put_deployment_operation(&deployment.id, &told(now, step, "Canceled", "Conflict", None)?)?;
        end_nested(tx, now, step, error)?;
    }
    let mut properties = document::parse(&deployment.document)?;
    properties.insert("timestamp".to_owned(), document::time(now));
    let seconds = i64::try_from(now.since(deployment.started_at).as_secs()).unwrap_or(i64::MAX);
    properties.insert("duration".to_owned(), contract::arm::time::duration(seconds).into());
    if let Some((outputs, written)) = done {
        properties.insert("outputs".to_owned(), outputs);
        properties.insert("outputResources".to_owned(), written.into());
    }
    if let Some(error) = error {
        properties.insert("error".to_owned(), error.value());
    }
    let ended = Deployment { state, document: document::text(properties), request: None, ..deployment.clone() };
    tx.put_deployment(&ended)?;
    let failed =
        error.map(|error| OperationError { code: error.code.as_str().to_owned(), message: error.message.clone() });
    tx.end_operation(deployment.operation, failed.as_ref())?;
    Ok(())
}

/// Ends the deployment that a step has begun, if it is one.
fn end_nested(
    tx: &mut dyn Tx,
    now: Timestamp,
    step: &DeploymentOperation,
    error: Option<&ArmError>,
) -> Result<(), Failure> {
    let Ok(id) = ResourceId::parse(&step.target) else { return Ok(()) };
    match tx.deployment(&id)? {
        Some(nested) if nested.state.is_under_way() && step.operation == Some(nested.operation) => {
            end(tx, now, &nested, DeploymentState::Canceled, None, error)
        }
        Some(_) | None => Ok(()),
    }
}

/// The error of a deployment of which a step has failed.
pub(super) fn whole_error(deployment: &Deployment, error: &ArmError) -> ArmError {
    let text = "At least one resource deployment operation failed. Please list deployment operations for details. \
                Please see https://aka.ms/arm-deployment-operations for usage details.";
    let detail = Detail {
        target: error.target.clone(),
        details: error.details.clone(),
        additional_info: error.additional_info.clone(),
        ..Detail::new(error.code.as_str(), error.message.clone())
    };
    ArmError::new(Code::DeploymentFailed, text).target(deployment.id.to_string()).detail(detail)
}
