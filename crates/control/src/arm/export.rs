//! `POST …/resourceGroups/{group}/exportTemplate`.

use domain::{ResourceId, Scope, VmExtension};
use serde_json::{Map, Value};
use store::{Page, ReadTx};
use template::Members;
use template::export::{ExportOptions, export as make};

use super::authorization::Authorized;
use super::body::{self, Object};
use super::failure::Failure;
use super::kind::{self, Kind};
use super::reply::Reply;
use super::work::Work;
use super::{document, resource};

/// What is ours to say of a resource, and no template may say. A name of its own stands at one place: what a resource
/// says under the same name elsewhere, such as the id of another one, is its own.
pub(crate) const READ_ONLY: Members<'_> = Members(&[
    ".id",
    ".etag",
    ".resources",
    "properties.provisioningState",
    "properties.instanceView",
    "properties.vmId",
    "properties.uniqueId",
    "properties.timeCreated",
    "identity.principalId",
    "identity.tenantId",
    "identity.userAssignedIdentities.*.principalId",
    "identity.userAssignedIdentities.*.clientId",
    "protectedSettings",
]);

/// What besides is ours to say of resources of a type. Of an identity it is all there is: an exported one has no
/// properties.
pub(crate) const READ_ONLY_OF: &[(&str, Members<'_>)] = &[(
    "Microsoft.ManagedIdentity/userAssignedIdentities",
    Members(&["properties.tenantId", "properties.principalId", "properties.clientId", "properties.isolationScope"]),
)];

/// The api-version of exported resources.
const VERSION: &str = "2024-11-01";
/// The type that can't be exported while it holds the managed-identity extension: its protected half isn't known.
const EXTENSIONS: &str = "Microsoft.Compute/virtualMachines/extensions";

pub(crate) fn export(
    tx: &dyn ReadTx,
    work: &Work,
    _: &Authorized,
    id: &ResourceId,
    body: &Object,
) -> Result<Reply, Failure> {
    document::require_group(tx, id)?;
    let wanted = wanted(body)?;
    let group = Scope::At(id.clone());
    let mut resources = Vec::new();
    let mut has_managed_identity = false;
    for found in tx.resource_summaries(&group, &Page::ALL)? {
        let all = wanted.iter().any(|wanted| wanted == "*");
        if !all && !wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(found.id.as_str())) {
            continue;
        }
        let Some(kind) = Kind::of(&found.id) else { continue };
        if kind == Kind::VmExtension {
            has_managed_identity |= tx.vm_extension(&found.id)?.as_ref().is_some_and(VmExtension::is_managed_identity);
        }
        let shown = resource::get(tx, &work.without_query(), kind, &found.id)?;
        resources.push(exportable(shown, kind));
        if kind == Kind::UserAssignedIdentity {
            for credential in super::federated_credential::list(tx, &found.id)? {
                resources.push(exportable(credential, Kind::FederatedCredential));
            }
        }
    }
    let options = ExportOptions::parse(body::text(body, "options")?.unwrap_or_default(), READ_ONLY);
    let excluded = |resource_type: &str| has_managed_identity && resource_type.eq_ignore_ascii_case(EXTENSIONS);
    let exported = make(&resources, &options, &excluded);
    let error = exported.error();
    let mut answer = Map::new();
    answer.insert("template".to_owned(), exported.template);
    if let Some(error) = error {
        answer.insert("error".to_owned(), error);
    }
    Ok(Reply::ok(answer.into()))
}

/// The ids that are asked for; `*` is all.
fn wanted(body: &Object) -> Result<Vec<String>, Failure> {
    match body.get("resources") {
        None | Some(Value::Null) => Ok(vec!["*".to_owned()]),
        Some(Value::Array(ids)) => Ok(ids.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect()),
        Some(_) => Err(body::wrong("resources", "a list of resource ids").into()),
    }
}

fn exportable(mut shown: Value, kind: Kind) -> Value {
    if let Value::Object(members) = &mut shown {
        members.insert("apiVersion".to_owned(), VERSION.into());
        // The extension of a model would come without its port's protected half too, but it deploys as it is.
        if kind == Kind::UserAssignedIdentity {
            members.shift_remove("properties");
        }
        if let Some(Value::String(resource_type)) = members.get_mut("type") {
            *resource_type = kind::spelt(resource_type);
        }
    }
    shown
}
