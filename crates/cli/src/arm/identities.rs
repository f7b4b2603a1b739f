//! The `identity` of a request.

use anyhow::bail;
use serde_json::{Map, Value, json};

use super::target::IDENTITY;
use super::{Arm, document};
use crate::args::arm::IdentitiesArgs;

/// That of a new resource, if it is to have one.
pub(crate) fn wanted(arm: &Arm, args: &IdentitiesArgs) -> anyhow::Result<Option<Value>> {
    if !args.system_assigned && args.user_assigned.is_empty() {
        return Ok(None);
    }
    let ids = args.user_assigned.iter().map(|name| Ok((arm.one(&IDENTITY, name)?.id().to_owned(), json!({}))));
    let ids = ids.collect::<anyhow::Result<Map<_, _>>>()?;
    Ok(Some(body(args.system_assigned, !ids.is_empty(), ids)))
}

/// That which gives a resource more.
pub(crate) fn more(arm: &Arm, there: &Value, args: &IdentitiesArgs) -> anyhow::Result<Value> {
    let more = args.user_assigned.iter().map(|name| Ok((arm.one(&IDENTITY, name)?.id().to_owned(), json!({}))));
    let more = more.collect::<anyhow::Result<Map<_, _>>>()?;
    let user = !more.is_empty() || !users(there).is_empty();
    Ok(body(args.system_assigned || has_own(there), user, more))
}

/// That which takes some away from a resource.
pub(crate) fn fewer(arm: &Arm, there: &Value, args: &IdentitiesArgs) -> anyhow::Result<Value> {
    let name = document::word(there, "/name");
    if args.system_assigned && !has_own(there) {
        bail!("'{name}' has no identity of its own; it has: {}", document::identity(there));
    }
    let users = users(there);
    let mut gone = Map::new();
    for user in &args.user_assigned {
        let wanted = arm.one(&IDENTITY, user)?;
        let Some(id) = users.iter().find(|id| id.eq_ignore_ascii_case(wanted.id())) else {
            bail!("'{name}' has no identity '{}'; it has: {}", wanted.name, document::identity(there));
        };
        gone.insert((*id).to_owned(), Value::Null);
    }
    let user = gone.len() < users.len();
    // Without a map all user-assigned ones go.
    Ok(body(has_own(there) && !args.system_assigned, user, if user { gone } else { Map::new() }))
}

fn body(own: bool, user: bool, ids: Map<String, Value>) -> Value {
    let kind = match (own, user) {
        (true, true) => "SystemAssigned, UserAssigned",
        (true, false) => "SystemAssigned",
        (false, true) => "UserAssigned",
        (false, false) => "None",
    };
    if ids.is_empty() { json!({"type": kind}) } else { json!({"type": kind, "userAssignedIdentities": ids}) }
}

fn has_own(resource: &Value) -> bool {
    resource.pointer("/identity/principalId").is_some()
}

fn users(resource: &Value) -> Vec<&str> {
    let users = resource.pointer("/identity/userAssignedIdentities").and_then(Value::as_object);
    users.into_iter().flatten().map(|(id, _)| id.as_str()).collect()
}
