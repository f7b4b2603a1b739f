//! `…/providers/Microsoft.Authorization/roleAssignments`, at any scope.

use contract::arm::{ArmError, Code};
use domain::{PrincipalId, RoleAssignment, RoleAssignmentId, Scope, role_definition as roles};
use serde_json::{Value, json};
use store::{ReadTx, Tx};

use super::authorization::Authorized;
use super::body::{self, Object};
use super::failure::Failure;
use super::reply::Reply;
use super::route::{Change, Look};
use super::work::Work;
use super::{document, role_definition};

pub(crate) fn write(
    tx: &mut dyn Tx,
    work: &Work,
    authorized: &Authorized,
    change: Change,
    scope: &Scope,
    name: &str,
    body: &Object,
) -> Result<Reply, Failure> {
    match change {
        Change::Put => put(tx, work, authorized, scope, name, body),
        Change::Delete => delete(tx, authorized, scope, name),
        Change::Patch => {
            let text = "The requested resource does not support http method 'PATCH'.";
            Err(ArmError::new(Code::MethodNotAllowed, text).into())
        }
    }
}

pub(crate) fn read(
    tx: &dyn ReadTx,
    authorized: &Authorized,
    look: Look,
    scope: &Scope,
    name: &str,
) -> Result<Reply, Failure> {
    let found = find(tx, authorized, scope, name)?;
    if look == Look::Head {
        return Ok(Reply::empty(if found.is_some() { 204 } else { 404 }));
    }
    match found {
        Some(found) => Ok(Reply::ok(shown(&found))),
        None => {
            let name = document::shortened(name);
            Err(ArmError::new(Code::RoleAssignmentNotFound, format!("The role assignment '{name}' is not found."))
                .into())
        }
    }
}

/// Those at a scope and above it, and without `atScope()` also those below it.
pub(crate) fn list(tx: &dyn ReadTx, work: &Work, authorized: &Authorized, scope: &Scope) -> Result<Reply, Failure> {
    let filter = work.query.get("$filter").unwrap_or_default().to_ascii_lowercase();
    let principal = filter.split_once("principalid eq '").and_then(|(_, rest)| rest.split('\'').next());
    let principal = principal.map(str::to_owned);
    let all = tx.role_assignments(&Scope::Root)?;
    let covers = |assignment: &RoleAssignment| match (&assignment.scope, scope) {
        (Scope::Root, _) => true,
        (Scope::At(held), Scope::At(scope)) => Scope::At(held.clone()).contains(scope),
        (Scope::At(_), Scope::Root) => false,
    };
    let below = |assignment: &RoleAssignment| match &assignment.scope {
        Scope::Root => *scope == Scope::Root,
        Scope::At(held) => scope.contains(held),
    };
    let at_scope = filter.contains("atscope()");
    let wanted = all.iter().filter(|assignment| covers(assignment) || (!at_scope && below(assignment)));
    let wanted = wanted
        .filter(|assignment| principal.as_ref().is_none_or(|principal| assignment.principal.to_string() == *principal));
    let mut value = Vec::new();
    for assignment in wanted {
        if is_at_home(tx, authorized, assignment)? {
            value.push(shown(assignment));
        }
    }
    Ok(Reply::ok(json!({"value": value})))
}

fn put(
    tx: &mut dyn Tx,
    work: &Work,
    authorized: &Authorized,
    scope: &Scope,
    name: &str,
    body: &Object,
) -> Result<Reply, Failure> {
    let id: RoleAssignmentId = name.parse().map_err(|_| {
        let text = format!("The role assignment ID '{}' is not valid. It must be a GUID.", document::shortened(name));
        ArmError::new(Code::InvalidResourceName, text)
    })?;
    let properties = body::member(body, "properties")?.ok_or_else(|| body::wrong("properties", "an object"))?;
    let role = body::text(properties, "roleDefinitionId")?.unwrap_or_default();
    let role = role_definition::named(role)?;
    let sent = body::text(properties, "principalId")?.unwrap_or_default();
    if let Scope::At(id) = scope {
        document::require_group(tx, id)?;
    }
    let tenant = authorized.tenant();
    let principal: Option<PrincipalId> = sent.parse().ok();
    let living = principal.map(|id| tx.service_principal(id)).transpose()?.flatten();
    let living = living.filter(|found| found.deleted_at.is_none() && found.tenant == tenant);
    let Some(living) = living else {
        let text = format!(
            "Principal {} does not exist in the directory {tenant}. Check that you have the correct principal ID.",
            document::shortened(sent)
        );
        return Err(ArmError::new(Code::PrincipalNotFound, text).into());
    };
    if let Some(there) = tx.role_assignment(id)? {
        if (there.principal, there.role.as_str(), &there.scope) == (living.principal_id, role.name, scope) {
            return Ok(Reply::ok(shown(&there)));
        }
        let text = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.";
        return Err(ArmError::new(Code::Conflict, text).into());
    }
    let of_principal = tx.role_assignments_of(living.principal_id)?;
    if of_principal.iter().any(|other| other.role == role.name && other.scope == *scope) {
        return Err(ArmError::new(Code::RoleAssignmentExists, "The role assignment already exists.").into());
    }
    let wanted = RoleAssignment {
        id,
        principal: living.principal_id,
        role: role.name.to_owned(),
        scope: scope.clone(),
        created_at: Some(work.now),
        created_by: Some(authorized.caller().principal_id),
    };
    tx.put_role_assignment(&wanted)?;
    let mut shown = shown(&wanted);
    // The answer to whoever gives it doesn't say who gave it; every later one does.
    if let Some(by) = shown.pointer_mut("/properties/createdBy") {
        *by = Value::Null;
    }
    Ok(Reply::put(true, shown))
}

fn delete(tx: &mut dyn Tx, authorized: &Authorized, scope: &Scope, name: &str) -> Result<Reply, Failure> {
    match find(tx, authorized, scope, name)? {
        Some(found) => {
            tx.remove_role_assignment(found.id)?;
            Ok(Reply::ok(shown(&found)))
        }
        None => Ok(Reply::empty(204)),
    }
}

fn find(
    tx: &dyn ReadTx,
    authorized: &Authorized,
    scope: &Scope,
    name: &str,
) -> Result<Option<RoleAssignment>, Failure> {
    let Ok(id) = name.parse() else { return Ok(None) };
    match tx.role_assignment(id)?.filter(|found| found.scope == *scope) {
        Some(found) => Ok(is_at_home(tx, authorized, &found)?.then_some(found)),
        None => Ok(None),
    }
}

/// Whether an assignment is one of the caller's tenant: the root of one tenant is not that of another.
fn is_at_home(tx: &dyn ReadTx, authorized: &Authorized, found: &RoleAssignment) -> Result<bool, Failure> {
    let principal = tx.service_principal(found.principal)?;
    Ok(principal.is_some_and(|principal| principal.tenant == authorized.tenant()))
}

fn shown(found: &RoleAssignment) -> Value {
    let scope = match &found.scope {
        Scope::Root => String::new(),
        Scope::At(id) => id.to_string(),
    };
    let created = found.created_at.map(document::time);
    let by = found.created_by.map(|id| id.to_string());
    let role = roles::by_name(&found.role).map(|role| role_definition::id(role, &found.scope));
    json!({
        "id": format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{}", found.id),
        "name": found.id.to_string(),
        "type": "Microsoft.Authorization/roleAssignments",
        "properties": {
            "principalId": found.principal.to_string(),
            "principalType": "ServicePrincipal",
            "roleDefinitionId": role,
            "scope": found.scope.to_string(),
            // Nothing of an assignment changes once it is given.
            "createdOn": created,
            "updatedOn": created,
            "createdBy": by,
            "updatedBy": by,
        },
    })
}
