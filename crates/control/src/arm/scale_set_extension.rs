//! `Microsoft.Compute/virtualMachineScaleSets/extensions`: the same list as the model's `extensionProfile`.

use domain::{ResourceId, ScaleSet, ScaleSetExtension};
use serde_json::{Value, json};
use store::{ReadTx, Tx};

use super::authorization::Authorized;
use super::body::Object;
use super::document::normal;
use super::failure::Failure;
use super::reply::Reply;
use super::work::Work;
use super::{document, identity, operation, scale_set, scale_set_machine, vm_extension};

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
    let there = find(tx, &before, id)?;
    let mut whole = Object::new();
    whole.insert("properties".to_owned(), vm_extension::merged(&there.spec, body)?.into());
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
    operation::accepted(tx, work, authorized, DELETE, &wanted.id, &wanted.location, &waits)
}

pub(crate) fn get(tx: &dyn ReadTx, id: &ResourceId) -> Result<Value, Failure> {
    let scale_set = parent(tx, id, false)?;
    let found = find(tx, &scale_set, id)?;
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
    let lost = || if writing { document::parent_not_found(tx, id) } else { document::not_found(tx, &parent) };
    tx.scale_set(&parent)?.ok_or_else(lost)
}

fn find<'s>(tx: &dyn ReadTx, scale_set: &'s ScaleSet, id: &ResourceId) -> Result<&'s ScaleSetExtension, Failure> {
    scale_set.extension(id.name()).ok_or_else(|| document::not_found(tx, id))
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
