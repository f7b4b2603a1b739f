//! `/subscriptions/{id}/resourceGroups`.

use contract::arm::ArmError;
use domain::{ResourceGroup, ResourceId, Scope, SubscriptionId, names};
use serde_json::{Value, json};
use store::{Page, Put, ReadTx, Tx};

use super::authorization::Authorized;
use super::body::Object;
use super::failure::Failure;
use super::reply::Reply;
use super::resource::Filter;
use super::route::{Change, Look};
use super::work::Work;
use super::{deployment, document, operation, scale_set, virtual_machine};

const DELETE: &str = "Microsoft.Resources/subscriptions/resourceGroups/delete";

pub(crate) fn write(
    tx: &mut dyn Tx,
    work: &Work,
    authorized: &Authorized,
    change: Change,
    id: &ResourceId,
    body: &Object,
) -> Result<Reply, Failure> {
    match change {
        Change::Put => put(tx, authorized, id, body),
        Change::Patch => patch(tx, authorized, id, body),
        Change::Delete => delete(tx, work, authorized, id),
    }
}

pub(crate) fn read(tx: &dyn ReadTx, _: &Authorized, look: Look, id: &ResourceId) -> Result<Reply, Failure> {
    let found = tx.resource_group(id)?;
    if look == Look::Head {
        return Ok(Reply::empty(if found.is_some() { 204 } else { 404 }));
    }
    match found {
        Some(found) => Ok(Reply::ok(shown(&found))),
        None => Err(ArmError::group_not_found(id.name()).into()),
    }
}

pub(crate) fn list(
    tx: &dyn ReadTx,
    work: &Work,
    authorized: &Authorized,
    subscription: SubscriptionId,
) -> Result<Reply, Failure> {
    let filter = Filter::parse(work.query.get("$filter").unwrap_or_default())?;
    let page = work.page();
    let groups = tx.resource_groups(subscription)?.into_iter();
    let after = page.after.unwrap_or_default();
    let groups = groups.filter(|group| group.id.key() > after.as_str() && filter.takes(&group.id, &group.tags));
    let path = format!("/subscriptions/{subscription}/resourcegroups");
    let list = work.list(
        &path,
        groups.take(page.limit).collect(),
        |group| group.id.clone(),
        |group| Ok(authorized.may_see(&group.id).then(|| shown(&group))),
    )?;
    Ok(Reply::ok(list))
}

pub(crate) fn shown(group: &ResourceGroup) -> Value {
    json!({
        "id": group.id.as_str(),
        "name": group.name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": group.location,
        "tags": document::tags_value(&group.tags),
        "properties": {"provisioningState": "Succeeded"},
    })
}

fn put(tx: &mut dyn Tx, _: &Authorized, id: &ResourceId, body: &Object) -> Result<Reply, Failure> {
    let before = tx.resource_group(id)?;
    let location = document::location_of(id, body, before.as_ref().map(|before| before.location.as_str()))?;
    let tags = document::tags(body)?.unwrap_or_default();
    let wanted = match before {
        Some(before) => ResourceGroup { tags, ..before },
        None => {
            names::resource_group(id.name()).map_err(|invalid| document::invalid_name(&invalid))?;
            let subscription = id.subscription().ok_or_else(|| ArmError::group_not_found(id.name()))?;
            let own = ResourceId::for_resource_group(subscription, id.name());
            let own = own.map_err(|_| ArmError::group_not_found(id.name()))?;
            ResourceGroup { id: own, name: id.name().to_owned(), location, tags, subscription }
        }
    };
    let created = tx.put_resource_group(&wanted)? == Put::Created;
    Ok(Reply::put(created, shown(&wanted)))
}

fn patch(tx: &mut dyn Tx, _: &Authorized, id: &ResourceId, body: &Object) -> Result<Reply, Failure> {
    let before = tx.resource_group(id)?.ok_or_else(|| ArmError::group_not_found(id.name()))?;
    let tags = document::tags(body)?.unwrap_or_else(|| before.tags.clone());
    let wanted = ResourceGroup { tags, ..before };
    tx.put_resource_group(&wanted)?;
    Ok(Reply::ok(shown(&wanted)))
}

/// Deletes everything in a group and the group, in one transaction.
fn delete(tx: &mut dyn Tx, work: &Work, authorized: &Authorized, id: &ResourceId) -> Result<Reply, Failure> {
    let group = tx.resource_group(id)?.ok_or_else(|| ArmError::group_not_found(id.name()))?;
    let within = Scope::At(group.id.clone());
    for vm in tx.virtual_machines(&within, &Page::ALL)? {
        virtual_machine::remove(tx, &vm)?;
    }
    for scale_set in tx.scale_sets(&within, &Page::ALL)? {
        scale_set::remove(tx, &scale_set)?;
    }
    for identity in tx.user_assigned_identities(&within, &Page::ALL)? {
        tx.remove_user_assigned_identity(&identity.identity.id)?;
    }
    for resource in tx.resources(&within, &Page::ALL)? {
        tx.remove_resource(&resource.id)?;
    }
    for deployment in tx.deployments(&within)? {
        if deployment.state.is_under_way() {
            deployment::abandon(tx, work, &deployment)?;
        }
        tx.remove_deployment(&deployment.id)?;
    }
    for assignment in tx.role_assignments(&within)? {
        tx.remove_role_assignment(assignment.id)?;
    }
    tx.remove_resource_group(&group.id)?;
    let ended = operation::ended(tx, work, authorized, DELETE, &group.id)?;
    Ok(Reply::empty(202).resulting(work.result_url(&group.id, ended)))
}
