//! The deployment, its surroundings, and the turn of a copy.

use serde_json::{Value, json};

use super::{Call, Function, function};
use crate::error::Fault;
use crate::hash::template_hash;

pub(super) const TABLE: &[Function] = &[
    function("deployment", 0, 0, deployment),
    function("environment", 0, 0, |call| Ok(call.evaluator.scope.context.environment.clone())),
    function("resourceGroup", 0, 0, |call| Ok(call.evaluator.scope.context.group_value())),
    function("subscription", 0, 0, |call| Ok(call.evaluator.scope.context.subscription_value())),
    function("tenant", 0, 0, |call| Ok(call.evaluator.scope.context.tenant_value())),
    function("copyIndex", 0, 2, copy_index),
];

fn deployment(call: &Call<'_, '_>) -> Result<Value, Fault> {
    let scope = call.evaluator.scope;
    call.evaluator.session.value(&scope.template)?;
    Ok(json!({
        "name": scope.context.deployment_name,
        "properties": {
            "template": scope.template,
            "templateHash": template_hash(&scope.template),
            "mode": scope.mode.as_str(),
            "provisioningState": "Accepted",
        },
    }))
}

/// `copyIndex()`, `copyIndex(offset)`, `copyIndex('name')` and `copyIndex('name', offset)`.
fn copy_index(call: &Call<'_, '_>) -> Result<Value, Fault> {
    let turns = &call.evaluator.turns;
    let (turn, offset) = match call.given(0) {
        Some(Value::String(name)) => {
            (turns.iter().rev().find(|turn| turn.name.eq_ignore_ascii_case(name)), call.given(1).map(|_| 1))
        }
        // Without a name it is the resource's own copy.
        given => (turns.iter().rev().find(|turn| !turn.of_property).or(turns.last()), given.map(|_| 0)),
    };
    let turn = turn.ok_or_else(|| {
        Fault::invalid(
            "The template function 'copyIndex' is not expected at this location. The function can only be used in a \
             resource with copy specified. Please see https://aka.ms/arm-copy for usage details.",
        )
    })?;
    let offset = offset.map_or(Ok(0), |at| call.integer(at))?;
    let index = i64::try_from(turn.index).ok().and_then(|index| index.checked_add(offset));
    index.map(Value::from).ok_or_else(|| call.fail("the offset is too large."))
}
