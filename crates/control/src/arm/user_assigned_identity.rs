//! `Microsoft.ManagedIdentity/userAssignedIdentities`.

use domain::{IdentityKind, ResourceId, Scope, UserAssignedIdentity, names};
use serde_json::{Value, json};
use store::{Put, ReadTx, Tx};

use super::authorization::Authorized;
use super::body::Object;
use super::failure::Failure;
use super::reply::Reply;
use super::work::Work;
use super::{document, kind};

pub(crate) fn put(
    tx: &mut dyn Tx,
    work: &Work,
    authorized: &Authorized,
    id: &ResourceId,
    body: &Object,
) -> Result<Reply, Failure> {
    document::require_group(tx, id)?;
    let before = tx.user_assigned_identity(id)?;
    let location = document::location_of(id, body, before.as_ref().map(|before| before.location.as_str()))?;
    let tags = document::tags(body)?.unwrap_or_default();
    let wanted = match before {
        Some(before) => UserAssignedIdentity { location, tags, ..before },
        None => {
            names::user_assigned_identity(id.name()).map_err(|invalid| document::invalid_name(&invalid))?;
            let identity = work.identity(tx, IdentityKind::UserAssigned, id, authorized.tenant())?;
            UserAssignedIdentity { identity, name: id.name().to_owned(), location, tags }
        }
    };
    let created = tx.put_user_assigned_identity(&wanted)? == Put::Created;
    Ok(Reply::put(created, shown(&wanted)))
}

pub(crate) fn patch(tx: &mut dyn Tx, _: &Authorized, id: &ResourceId, body: &Object) -> Result<Reply, Failure> {
    let before = find(tx, id)?;
    let tags = document::tags(body)?.unwrap_or_else(|| before.tags.clone());
    let wanted = UserAssignedIdentity { tags, ..before };
    tx.put_user_assigned_identity(&wanted)?;
    Ok(Reply::ok(shown(&wanted)))
}

pub(crate) fn delete(tx: &mut dyn Tx, _: &Authorized, id: &ResourceId) -> Result<Reply, Failure> {
    Ok(Reply::empty(if tx.remove_user_assigned_identity(id)? { 200 } else { 204 }))
}

pub(crate) fn get(tx: &dyn ReadTx, id: &ResourceId) -> Result<Value, Failure> {
    find(tx, id).map(|found| shown(&found))
}

pub(crate) fn list(tx: &dyn ReadTx, work: &Work, scope: &ResourceId) -> Result<Vec<UserAssignedIdentity>, Failure> {
    Ok(tx.user_assigned_identities(&Scope::At(scope.clone()), &work.page())?)
}

/// The resources that act as an identity, and that the caller may know of.
pub(crate) fn associated(tx: &dyn ReadTx, authorized: &Authorized, id: &ResourceId) -> Result<Reply, Failure> {
    find(tx, id)?;
    let mut with = tx.virtual_machines_with(id)?;
    with.extend(tx.scale_sets_with(id)?);
    let mut value = Vec::new();
    for resource in with {
        let resource_type = kind::spelt(&resource.resource_type());
        if !authorized.may(&format!("{resource_type}/read"), &resource) {
            continue;
        }
        let subscription = resource.subscription().map(|id| tx.subscription(id)).transpose()?.flatten();
        value.push(json!({
            "id": resource.as_str(),
            "name": resource.name(),
            "type": resource_type,
            "resourceGroup": resource.resource_group(),
            "subscriptionId": subscription.as_ref().map(|subscription| subscription.id.to_string()),
            "subscriptionDisplayName": subscription.map(|subscription| subscription.name),
        }));
    }
    Ok(Reply::ok(json!({"totalCount": value.len(), "value": value})))
}

pub(crate) fn find(tx: &dyn ReadTx, id: &ResourceId) -> Result<UserAssignedIdentity, Failure> {
    tx.user_assigned_identity(id)?.ok_or_else(|| document::not_found(tx, id))
}

pub(crate) fn shown(found: &UserAssignedIdentity) -> Value {
    let UserAssignedIdentity { identity, name, location, tags } = found;
    json!({
        "id": identity.id.as_str(),
        "name": name,
        "type": "Microsoft.ManagedIdentity/userAssignedIdentities",
        "location": location,
        "tags": document::tags_value(tags),
        "properties": {
            "tenantId": identity.tenant.to_string(),
            "principalId": identity.principal_id.to_string(),
            "clientId": identity.client_id.to_string(),
            "isolationScope": "None",
        },
    })
}
