//! `Microsoft.Compute/virtualMachineScaleSets/extensions`: the same list as the model's `extensionProfile`.

use contract::arm::ArmError;
use domain::{ResourceId, ScaleSet, ScaleSetExtension};
use serde_json::{Value, json};
use store::{ReadTx, Tx};

use super::authorization::Authorized;
use super::body::{self, Object};
use super::document::normal;
use super::failure::Failure;
use super::reply::Reply;
use super::work::Work;
use super::{document, identity, kind, operation, scale_set, scale_set_machine, vm_extension};

const WRITE: &str = "Microsoft.Compute/virtualMachineScaleSets/extensions/write";
const DELETE: &str = "Microsoft.Compute/virtualMachineScaleSets/extensions/delete";

pub(crate) fn put(
    tx: &mut dyn Tx,
    work: &Work,
    authorized: &Authorized,
    id: &ResourceId,
    body: &Object,
) -> Result<Reply, Failure> {
    let before = parent(tx, id, true)?;
    let new = scale_set::read_extension(work, &before.id, id.name(), body, Some(&before), &before.location)?;
    apply(tx, work, authorized, id, before, new)
}

pub(crate) fn patch(
    tx: &mut dyn Tx,
    work: &Work,
    authorized: &Authorized,
    id: &ResourceId,
    body: &Object,
) -> Result<Reply, Failure> {
    let before = parent(tx, id, true)?;
    let there = find(&before, id)?;
    let mut merged = vm_extension::spec_shown(&there.spec);
    let properties = body::member(body, "properties")?.cloned().unwrap_or_default();
    if properties.contains_key("settings") {
        merged.shift_remove("settings");
    }
    document::merge(&mut merged, &properties);
    if let Some(protected) = properties.get("protectedSettings") {
        merged.insert("protectedSettings".to_owned(), protected.clone());
    }
    let mut whole = Object::new();
    whole.insert("properties".to_owned(), merged.into());
    let new = scale_set::read_extension(work, &before.id, id.name(), &whole, Some(&before), &before.location)?;
    apply(tx, work, authorized, id, before, new)
}

pub(crate) fn delete(tx: &mut dyn Tx, work: &Work, authorized: &Authorized, id: &ResourceId) -> Result<Reply, Failure> {
    let before = parent(tx, id, false)?;
    if before.extension(id.name()).is_none() {
        return Ok(Reply::empty(204));
    }
    let mut wanted = before.clone();
    wanted.extensions.retain(|extension| !extension.name.eq_ignore_ascii_case(id.name()));
    wanted.model += 1;
    scale_set::store(tx, &wanted)?;
    let waits = scale_set_machine::settle(tx, work, &wanted)?;
    let begun = if waits.is_empty() {
        operation::ended(tx, work, authorized, DELETE, &wanted.id)?
    } else {
        operation::begin(tx, work, authorized, DELETE, &wanted.id, &waits)?
    };
    let location = normal(&wanted.location);
    let (status, monitor) = (work.status_url(id, &location, begun), work.monitor_url(id, &location, begun));
    Ok(Reply::empty(202).following(status, begun).resulting(monitor))
}

pub(crate) fn get(tx: &dyn ReadTx, id: &ResourceId) -> Result<Value, Failure> {
    let scale_set = parent(tx, id, false)?;
    let found = find(&scale_set, id)?;
    shown(tx, &scale_set, found)
}

/// All of a scale set.
pub(crate) fn list(tx: &dyn ReadTx, parent: &ResourceId) -> Result<Vec<Value>, Failure> {
    let scale_set = scale_set::find(tx, parent)?;
    scale_set.extensions.iter().map(|extension| shown(tx, &scale_set, extension)).collect()
}

fn apply(
    tx: &mut dyn Tx,
    work: &Work,
    authorized: &Authorized,
    id: &ResourceId,
    before: ScaleSet,
    new: ScaleSetExtension,
) -> Result<Reply, Failure> {
    let others: Vec<ScaleSetExtension> =
        before.extensions.iter().filter(|other| !other.name.eq_ignore_ascii_case(&new.name)).cloned().collect();
    scale_set::admit(&others, &new)?;
    if new.spec.is_managed_identity() {
        identity::check_number(before.user_assigned.len(), true)?;
    }
    let mut wanted = before.clone();
    let created = match wanted.extensions.iter_mut().find(|other| other.name.eq_ignore_ascii_case(&new.name)) {
        Some(there) => {
            *there = new;
            false
        }
        None => {
            wanted.extensions.push(new);
            true
        }
    };
    if wanted.extensions != before.extensions {
        wanted.model += 1;
    }
    scale_set::store(tx, &wanted)?;
    let waits = scale_set_machine::settle(tx, work, &wanted)?;
    let begun = (!waits.is_empty()).then(|| operation::begin(tx, work, authorized, WRITE, &wanted.id, &waits));
    let begun = begun.transpose()?;
    let shown = get(tx, id)?;
    Ok(match begun {
        Some(begun) => Reply::put(created, scale_set::creating(created, shown))
            .following(work.status_url(id, &normal(&wanted.location), begun), begun),
        None => Reply::put(created, shown),
    })
}

fn parent(tx: &dyn ReadTx, id: &ResourceId, writing: bool) -> Result<ScaleSet, Failure> {
    let parent = id.parent().unwrap_or_else(|| id.clone());
    if let Some(found) = tx.scale_set(&parent)? {
        return Ok(found);
    }
    document::require_group(tx, id)?;
    Err(if writing {
        ArmError::parent_not_found(&kind::spelt(&id.resource_type()), parent.as_str()).into()
    } else {
        ArmError::resource_not_found(&kind::described(&parent), parent.resource_group().unwrap_or_default()).into()
    })
}

fn find<'s>(scale_set: &'s ScaleSet, id: &ResourceId) -> Result<&'s ScaleSetExtension, Failure> {
    let group = id.resource_group().unwrap_or_default();
    scale_set.extension(id.name()).ok_or_else(|| ArmError::resource_not_found(&kind::described(id), group).into())
}

fn shown(tx: &dyn ReadTx, scale_set: &ScaleSet, extension: &ScaleSetExtension) -> Result<Value, Failure> {
    let mut properties = vm_extension::spec_shown(&extension.spec);
    let state = if tx.operation_on(&scale_set.id)?.is_some() { "Updating" } else { "Succeeded" };
    properties.insert("provisioningState".to_owned(), state.into());
    Ok(json!({
        "id": format!("{}/extensions/{}", scale_set.id, extension.name),
        "name": extension.name,
        "type": "Microsoft.Compute/virtualMachineScaleSets/extensions",
        "properties": properties,
    }))
}
