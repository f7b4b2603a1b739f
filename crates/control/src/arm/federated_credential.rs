//! `Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials`.

use contract::arm::{ArmError, Code};
use domain::{FederatedCredential, ManagedIdentity, ResourceId, names};
use serde_json::{Value, json};
use store::{Put, ReadTx, Tx};

use super::authorization::Authorized;
use super::body::{self, Object};
use super::document;
use super::failure::Failure;
use super::reply::Reply;

/// The most credentials of one identity.
const MAX: usize = 20;
/// The longest issuer, subject or audience, in bytes.
const MAX_LENGTH: usize = 600;

pub(crate) fn put(tx: &mut dyn Tx, _: &Authorized, id: &ResourceId, body: &Object) -> Result<Reply, Failure> {
    let identity = parent(tx, id, true)?;
    names::federated_credential(id.name()).map_err(|invalid| document::invalid_name(&invalid))?;
    let properties = body::member(body, "properties")?.ok_or_else(|| body::wrong("properties", "an object"))?;
    let wanted = FederatedCredential {
        name: id.name().to_owned(),
        issuer: required(properties, "issuer")?,
        subject: required(properties, "subject")?,
        audience: audience(properties)?,
    };
    let there = tx.federated_credentials(identity.principal_id)?;
    let others: Vec<_> = there.iter().filter(|other| !other.name.eq_ignore_ascii_case(&wanted.name)).collect();
    if others.len() >= MAX {
        let text = format!("Too many Federated Identity Credentials. The maximum number is {MAX}.");
        return Err(ArmError::new(Code::BadRequest, text).into());
    }
    if others.iter().any(|other| (&other.issuer, &other.subject) == (&wanted.issuer, &wanted.subject)) {
        let text = "Issuer and subject combination already exists for this Managed Identity.";
        return Err(ArmError::new(Code::Conflict, text).into());
    }
    let created = tx.put_federated_credential(identity.principal_id, &wanted)? == Put::Created;
    Ok(Reply::put(created, shown(&identity, &wanted)))
}

pub(crate) fn delete(tx: &mut dyn Tx, _: &Authorized, id: &ResourceId) -> Result<Reply, Failure> {
    let identity = parent(tx, id, false)?;
    Ok(Reply::empty(if tx.remove_federated_credential(identity.principal_id, id.name())? { 200 } else { 204 }))
}

pub(crate) fn get(tx: &dyn ReadTx, id: &ResourceId) -> Result<Value, Failure> {
    let identity = parent(tx, id, false)?;
    let there = tx.federated_credentials(identity.principal_id)?;
    let found = there.iter().find(|there| there.name.eq_ignore_ascii_case(id.name()));
    found.map(|found| shown(&identity, found)).ok_or_else(|| document::not_found(tx, id))
}

/// All of an identity.
pub(crate) fn list(tx: &dyn ReadTx, parent: &ResourceId) -> Result<Vec<Value>, Failure> {
    let identity = super::user_assigned_identity::find(tx, parent)?.identity;
    let there = tx.federated_credentials(identity.principal_id)?;
    Ok(there.iter().map(|found| shown(&identity, found)).collect())
}

fn parent(tx: &dyn ReadTx, id: &ResourceId, writing: bool) -> Result<ManagedIdentity, Failure> {
    let parent = id.parent().unwrap_or_else(|| id.clone());
    let lost = || if writing { document::parent_not_found(tx, id) } else { document::not_found(tx, &parent) };
    tx.user_assigned_identity(&parent)?.map(|found| found.identity).ok_or_else(lost)
}

fn required(properties: &Object, name: &'static str) -> Result<String, ArmError> {
    let text = body::text(properties, name)?.filter(|text| !text.is_empty() && text.len() <= MAX_LENGTH);
    let rule = format!("text of 1 to {MAX_LENGTH} bytes");
    text.map(str::to_owned).ok_or_else(|| body::wrong(&format!("properties.{name}"), &rule))
}

fn audience(properties: &Object) -> Result<String, ArmError> {
    let wrong = || body::wrong("properties.audiences", "a list of exactly one audience");
    let Some(Value::Array(audiences)) = properties.get("audiences") else { return Err(wrong()) };
    match audiences.as_slice() {
        [Value::String(one)] if !one.is_empty() && one.len() <= MAX_LENGTH => Ok(one.clone()),
        _ => Err(wrong()),
    }
}

fn shown(identity: &ManagedIdentity, found: &FederatedCredential) -> Value {
    json!({
        "id": format!("{}/federatedIdentityCredentials/{}", identity.id, found.name),
        "name": found.name,
        "type": "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
        "properties": {"audiences": [found.audience], "issuer": found.issuer, "subject": found.subject},
    })
}
