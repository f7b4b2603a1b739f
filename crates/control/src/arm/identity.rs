//! The identities of a machine or scale set: what a request makes of them, and how they are shown.

use contract::arm::identity::{self as wire, Principal};
use contract::arm::{ArmError, IdentityChange, UserAssignedChange};
use domain::{IdentityKind, ManagedIdentity, ResourceId, limits};
use serde_json::Value;
use store::ReadTx;

use super::authorization::Authorized;
use super::body::Object;
use super::failure::Failure;
use super::work::Work;

/// The most identities that one request may name.
const IN_ONE_REQUEST: usize = 150;
/// What a caller needs on an identity to assign it.
const ASSIGN: &str = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action";

/// The identities of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identities {
    pub(crate) system: Option<ManagedIdentity>,
    pub(crate) user: Vec<ResourceId>,
}

/// Whose identities they are.
pub(crate) struct Owner<'o> {
    pub(crate) id: &'o ResourceId,
    /// Whether a managed-identity extension serves it.
    pub(crate) with_extension: bool,
    /// Whether what the request doesn't name goes (PUT), or stays (PATCH).
    pub(crate) replace: bool,
}

/// What a body makes of the identities that are there. A body that doesn't speak of them leaves them as they are.
pub(crate) fn change(
    tx: &dyn ReadTx,
    work: &Work,
    authorized: &Authorized,
    owner: &Owner<'_>,
    before: Identities,
    body: &Object,
) -> Result<Identities, Failure> {
    let change = match body.get("identity") {
        None => return Ok(before),
        Some(Value::Null) => IdentityChange { system_assigned: false, user_assigned: UserAssignedChange::Drop },
        Some(identity) => {
            IdentityChange::parse(identity).map_err(|invalid| ArmError::parameter("identity", invalid.to_string()))?
        }
    };
    let system = match (change.system_assigned, before.system) {
        (false, _) => None,
        (true, Some(there)) => Some(there),
        (true, None) => Some(work.identity(tx, IdentityKind::SystemAssigned, owner.id, authorized.tenant())?),
    };
    let user = match change.user_assigned {
        UserAssignedChange::Drop => Vec::new(),
        UserAssignedChange::Keep => before.user,
        UserAssignedChange::Merge(named) => merge(tx, authorized, owner, before.user, &named)?,
    };
    check_number(user.len(), owner.with_extension)?;
    Ok(Identities { system, user })
}

/// That so many user-assigned identities may be there.
pub(crate) fn check_number(wanted: usize, with_extension: bool) -> Result<(), ArmError> {
    limits::check_assign(wanted, with_extension).map_err(|exceeded| {
        let limit = if with_extension { limits::USER_ASSIGNED_WITH_EXTENSION } else { limits::USER_ASSIGNED };
        ArmError::identity_operation(&format!(
            "User Assigned Identities Number '{wanted}' Assign exceed limit '{limit}': {exceeded}."
        ))
    })
}

fn merge(
    tx: &dyn ReadTx,
    authorized: &Authorized,
    owner: &Owner<'_>,
    before: Vec<ResourceId>,
    named: &[(String, bool)],
) -> Result<Vec<ResourceId>, Failure> {
    let wanted = named.iter().filter(|(_, wanted)| *wanted).count();
    if wanted > IN_ONE_REQUEST {
        let text = format!(
            "User Assigned Identities Number '{wanted}' Assign exceed limit '{IN_ONE_REQUEST}' in one request."
        );
        return Err(ArmError::identity_operation(&text).into());
    }
    let mut user = if owner.replace && wanted > 0 { Vec::new() } else { before.clone() };
    for (text, wanted) in named {
        let unknown = || ArmError::identity_operation(&format!("Resource '{text}' was not found."));
        let id = ResourceId::parse(text).map_err(|_| unknown())?;
        if !wanted {
            user.retain(|there| *there != id);
            continue;
        }
        let found = tx.user_assigned_identity(&id)?.ok_or_else(unknown)?.identity;
        if found.tenant != authorized.tenant() {
            return Err(unknown().into());
        }
        if !before.contains(&found.id) {
            authorized.linked(ASSIGN, &found.id, owner.id)?;
        }
        if !user.contains(&found.id) {
            user.push(found.id);
        }
    }
    Ok(user)
}

/// How identities are shown.
pub(crate) fn shown(
    tx: &dyn ReadTx,
    system: Option<&ManagedIdentity>,
    user: &[ResourceId],
) -> Result<Option<Value>, store::Error> {
    let mut assigned = Vec::with_capacity(user.len());
    for id in user {
        if let Some(found) = tx.user_assigned_identity(id)? {
            let ids = (found.identity.principal_id.to_string(), found.identity.client_id.to_string());
            assigned.push((found.identity.id.to_string(), ids));
        }
    }
    let principals: Vec<(String, Principal<'_>)> = assigned
        .iter()
        .map(|(id, (principal_id, client_id))| (id.clone(), Principal { principal_id, client_id }))
        .collect();
    let system = system.map(|identity| (identity.principal_id.to_string(), identity.tenant.to_string()));
    Ok(wire::answer(system.as_ref().map(|(principal, tenant)| (principal.as_str(), tenant.as_str())), &principals))
}
