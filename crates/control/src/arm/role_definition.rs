//! `…/providers/Microsoft.Authorization/roleDefinitions`: the built-in roles, at any scope.

use contract::arm::{ArmError, Code};
use domain::{ResourceId, RoleDefinition, Scope, role_definition};
use serde_json::{Value, json};

use super::authorization::Authorized;
use super::document;
use super::failure::Failure;
use super::reply::Reply;
use super::work::Work;

pub(crate) fn get(_: &Authorized, scope: &Scope, name: &str) -> Result<Reply, Failure> {
    match name.parse().ok().and_then(role_definition::by_id) {
        Some(role) => Ok(Reply::ok(shown(role, scope))),
        None => Err(unknown(name).into()),
    }
}

pub(crate) fn list(work: &Work, _: &Authorized, scope: &Scope) -> Result<Reply, Failure> {
    let filter = work.query.get("$filter").unwrap_or_default().trim();
    let named = filter.split_once(" eq ").filter(|(name, _)| name.trim().eq_ignore_ascii_case("roleName"));
    let named = named.map(|(_, value)| value.trim().trim_matches('\'').to_owned());
    let wanted = |role: &RoleDefinition| match (&named, filter) {
        (Some(named), _) => role.name.eq_ignore_ascii_case(named),
        (None, filter) => {
            filter.is_empty() || filter.to_ascii_lowercase().contains("builtinrole") || filter.starts_with("atScope")
        }
    };
    let roles = role_definition::BUILT_IN;
    let value: Vec<Value> = roles.iter().filter(|role| wanted(role)).map(|role| shown(role, scope)).collect();
    Ok(Reply::ok(json!({"value": value})))
}

/// The id of a role in the subscription of a scope.
pub(crate) fn id(role: &RoleDefinition, scope: &Scope) -> String {
    let subscription = match scope {
        Scope::Root => None,
        Scope::At(id) => id.subscription(),
    };
    let prefix = subscription.map(|id| ResourceId::for_subscription(id).to_string()).unwrap_or_default();
    format!("{prefix}/providers/Microsoft.Authorization/roleDefinitions/{}", role.id())
}

/// The role that an id names, whatever the scope in front of it.
pub(crate) fn named(id: &str) -> Result<&'static RoleDefinition, ArmError> {
    let name = id.rsplit('/').next().unwrap_or_default();
    name.parse().ok().and_then(role_definition::by_id).ok_or_else(|| unknown(name))
}

fn unknown(name: &str) -> ArmError {
    let name = document::shortened(name);
    let text = format!("The specified role definition with ID '{name}' does not exist.");
    ArmError::new(Code::RoleDefinitionDoesNotExist, text)
}

fn shown(role: &RoleDefinition, scope: &Scope) -> Value {
    json!({
        "id": id(role, scope),
        "name": role.id().to_string(),
        "type": "Microsoft.Authorization/roleDefinitions",
        "properties": {
            "roleName": role.name,
            "type": "BuiltInRole",
            "description": role.description,
            "assignableScopes": ["/"],
            "permissions": [{
                "actions": role.actions, "notActions": role.not_actions, "dataActions": [], "notDataActions": [],
            }],
        },
    })
}
