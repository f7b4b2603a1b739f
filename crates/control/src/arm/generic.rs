//! Resources of types without a behaviour: kept as they were given.

use domain::{Resource, ResourceId};
use serde_json::{Map, Value, json};
use store::{Put, ReadTx, Tx};

use super::authorization::Authorized;
use super::body::{self, Object};
use super::failure::Failure;
use super::kind::{self, Kind};
use super::reply::Reply;
use super::work::Work;
use super::{document, resource};

pub(crate) fn put(
    tx: &mut dyn Tx,
    work: &Work,
    _: &Authorized,
    id: &ResourceId,
    body: &Object,
) -> Result<Reply, Failure> {
    document::require_group(tx, id)?;
    require_parent(tx, id)?;
    body::member(body, "properties")?;
    let before = tx.resource(id)?;
    let wanted = Resource {
        id: id.clone(),
        location: document::location(id, body)?.or_else(|| before.as_ref().and_then(|before| before.location.clone())),
        tags: document::tags(body)?.unwrap_or_default(),
        document: described(id, body),
        created_at: before.as_ref().map_or(work.now, |before| before.created_at),
        changed_at: work.now,
    };
    let created = tx.put_resource(&wanted)? == Put::Created;
    Ok(Reply::put(created, get(tx, id)?))
}

pub(crate) fn patch(
    tx: &mut dyn Tx,
    work: &Work,
    _: &Authorized,
    id: &ResourceId,
    body: &Object,
) -> Result<Reply, Failure> {
    let before = find(tx, id)?;
    let mut merged = document::parse(&before.document)?;
    document::merge(&mut merged, &own(body));
    let wanted = Resource {
        tags: document::tags(body)?.unwrap_or_else(|| before.tags.clone()),
        document: described(id, &merged),
        changed_at: work.now,
        ..before
    };
    tx.put_resource(&wanted)?;
    Ok(Reply::ok(get(tx, id)?))
}

pub(crate) fn delete(tx: &mut dyn Tx, _: &Authorized, id: &ResourceId) -> Result<Reply, Failure> {
    Ok(Reply::empty(if tx.remove_resource(id)? { 200 } else { 204 }))
}

pub(crate) fn get(tx: &dyn ReadTx, id: &ResourceId) -> Result<Value, Failure> {
    shown(&find(tx, id)?)
}

pub(crate) fn shown(found: &Resource) -> Result<Value, Failure> {
    let Value::Object(mut shown) = json!({
        "id": found.id.as_str(),
        "name": found.id.name(),
        "type": kind::spelt(&found.id.resource_type()),
    }) else {
        return Ok(Value::Null);
    };
    if let Some(location) = &found.location {
        shown.insert("location".to_owned(), location.as_str().into());
    }
    if !found.tags.is_empty() {
        shown.insert("tags".to_owned(), document::tags_value(&found.tags));
    }
    shown.extend(document::parse(&found.document)?);
    match shown.entry("properties").or_insert_with(|| Map::new().into()) {
        Value::Object(properties) => {
            properties.insert("provisioningState".to_owned(), "Succeeded".into());
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {}
    }
    Ok(shown.into())
}

/// What is kept of a body: all but what is said of every resource, the state, which is ours, and secrets.
fn described(id: &ResourceId, body: &Object) -> String {
    let mut described = own(body);
    document::forget_secrets(&mut described);
    if let Some(Value::Object(properties)) = described.get_mut("properties") {
        properties.shift_remove("provisioningState");
        // The secret of a vault, and whatever else is called so.
        if id.resource_type().to_ascii_lowercase().ends_with("/secrets") {
            properties.retain(|name, _| !name.eq_ignore_ascii_case("value"));
        }
    }
    document::text(described)
}

/// What a body says beside what is said of every resource. Nobody here acts on its identity, which is kept as it is said.
fn own(body: &Object) -> Object {
    let mut own = document::described(body);
    if let Some(identity) = body.get("identity") {
        own.insert("identity".to_owned(), identity.clone());
    }
    own
}

fn find(tx: &dyn ReadTx, id: &ResourceId) -> Result<Resource, Failure> {
    tx.resource(id)?.ok_or_else(|| document::not_found(tx, id))
}

/// A child needs its parent, and what is attached to a resource needs that resource.
fn require_parent(tx: &dyn ReadTx, id: &ResourceId) -> Result<(), Failure> {
    let Some(parent) = id.parent().filter(|parent| parent.provider().is_some()) else { return Ok(()) };
    let there = match Kind::of(&parent) {
        Some(kind) => resource::is_there(tx, kind, &parent)?,
        None => false,
    };
    if there { Ok(()) } else { Err(document::parent_not_found(tx, id)) }
}
