//! One door for all resources: which file answers for which kind.

use contract::arm::{ArmError, Code};
use domain::{ResourceId, Scope};
use serde_json::{Map, Value, json};
use store::{ReadTx, Tx};

use super::authorization::Authorized;
use super::body::Object;
use super::failure::Failure;
use super::kind::Kind;
use super::reply::Reply;
use super::route::{Change, Look};
use super::work::Work;
use super::{
    document, federated_credential, generic, kind, members, scale_set, scale_set_extension, scale_set_machine,
    user_assigned_identity, virtual_machine, vm_extension,
};

pub(crate) fn write(
    tx: &mut dyn Tx,
    work: &Work,
    authorized: &Authorized,
    change: Change,
    kind: Kind,
    id: &ResourceId,
    body: &Object,
) -> Result<Reply, Failure> {
    match change {
        Change::Put => put(tx, work, authorized, kind, id, body),
        Change::Patch => patch(tx, work, authorized, kind, id, body),
        Change::Delete => delete(tx, work, authorized, kind, id),
    }
}

pub(crate) fn put(
    tx: &mut dyn Tx,
    work: &Work,
    authorized: &Authorized,
    kind: Kind,
    id: &ResourceId,
    body: &Object,
) -> Result<Reply, Failure> {
    let body = &members::spelt(kind, body);
    match kind {
        Kind::UserAssignedIdentity => user_assigned_identity::put(tx, work, authorized, id, body),
        Kind::FederatedCredential => federated_credential::put(tx, authorized, id, body),
        Kind::VirtualMachine => virtual_machine::put(tx, work, authorized, id, body),
        Kind::VmExtension => vm_extension::put(tx, work, authorized, id, body),
        Kind::ScaleSet => scale_set::put(tx, work, authorized, id, body),
        Kind::ScaleSetExtension => scale_set_extension::put(tx, work, authorized, id, body),
        Kind::ScaleSetMachine | Kind::ScaleSetMachineExtension => Err(follows_model(id).into()),
        Kind::Generic => generic::put(tx, work, authorized, id, body),
    }
}

fn patch(
    tx: &mut dyn Tx,
    work: &Work,
    authorized: &Authorized,
    kind: Kind,
    id: &ResourceId,
    body: &Object,
) -> Result<Reply, Failure> {
    let body = &members::spelt(kind, body);
    match kind {
        Kind::UserAssignedIdentity => user_assigned_identity::patch(tx, authorized, id, body),
        Kind::FederatedCredential => federated_credential::put(tx, authorized, id, body),
        Kind::VirtualMachine => virtual_machine::patch(tx, work, authorized, id, body),
        Kind::VmExtension => vm_extension::patch(tx, work, authorized, id, body),
        Kind::ScaleSet => scale_set::patch(tx, work, authorized, id, body),
        Kind::ScaleSetExtension => scale_set_extension::patch(tx, work, authorized, id, body),
        Kind::ScaleSetMachine | Kind::ScaleSetMachineExtension => Err(follows_model(id).into()),
        Kind::Generic => generic::patch(tx, work, authorized, id, body),
    }
}

pub(crate) fn delete(
    tx: &mut dyn Tx,
    work: &Work,
    authorized: &Authorized,
    kind: Kind,
    id: &ResourceId,
) -> Result<Reply, Failure> {
    document::require_group(tx, id)?;
    match kind {
        Kind::UserAssignedIdentity => user_assigned_identity::delete(tx, authorized, id),
        Kind::FederatedCredential => federated_credential::delete(tx, authorized, id),
        Kind::VirtualMachine => virtual_machine::delete(tx, work, authorized, id),
        Kind::VmExtension => vm_extension::delete(tx, work, authorized, id),
        Kind::ScaleSet => scale_set::delete(tx, work, authorized, id),
        Kind::ScaleSetExtension => scale_set_extension::delete(tx, work, authorized, id),
        Kind::ScaleSetMachine => scale_set_machine::delete(tx, work, authorized, id),
        Kind::ScaleSetMachineExtension => Err(follows_model(id).into()),
        Kind::Generic => generic::delete(tx, authorized, id),
    }
}

pub(crate) fn read(
    tx: &dyn ReadTx,
    work: &Work,
    _: &Authorized,
    look: Look,
    kind: Kind,
    id: &ResourceId,
) -> Result<Reply, Failure> {
    if look == Look::Head {
        return Ok(Reply::empty(if is_there(tx, kind, id)? { 204 } else { 404 }));
    }
    get(tx, work, kind, id).map(Reply::ok)
}

/// A resource as a client sees it.
pub(crate) fn get(tx: &dyn ReadTx, work: &Work, kind: Kind, id: &ResourceId) -> Result<Value, Failure> {
    match kind {
        Kind::UserAssignedIdentity => user_assigned_identity::get(tx, id),
        Kind::FederatedCredential => federated_credential::get(tx, id),
        Kind::VirtualMachine => virtual_machine::get(tx, work, id),
        Kind::VmExtension | Kind::ScaleSetMachineExtension => vm_extension::get(tx, work, id),
        Kind::ScaleSet => scale_set::get(tx, id),
        Kind::ScaleSetExtension => scale_set_extension::get(tx, id),
        Kind::ScaleSetMachine => scale_set_machine::get(tx, work, id),
        Kind::Generic => generic::get(tx, id),
    }
}

/// Whether a resource is there.
pub(crate) fn is_there(tx: &dyn ReadTx, kind: Kind, id: &ResourceId) -> Result<bool, Failure> {
    Ok(match kind {
        Kind::UserAssignedIdentity => tx.user_assigned_identity(id)?.is_some(),
        Kind::FederatedCredential => federated_credential::get(tx, id).is_ok(),
        Kind::VirtualMachine | Kind::ScaleSetMachine => tx.virtual_machine(id)?.is_some(),
        Kind::VmExtension | Kind::ScaleSetMachineExtension => tx.vm_extension(id)?.is_some(),
        Kind::ScaleSet => tx.scale_set(id)?.is_some(),
        Kind::ScaleSetExtension => scale_set_extension::get(tx, id).is_ok(),
        Kind::Generic => tx.resource(id)?.is_some(),
    })
}

pub(crate) fn list(
    tx: &dyn ReadTx,
    work: &Work,
    authorized: &Authorized,
    kind: Kind,
    scope: &ResourceId,
    resource_type: &str,
) -> Result<Reply, Failure> {
    document::require_group(tx, scope)?;
    let whole = |items: Vec<Value>| Ok(json!({"value": items}));
    let seen = |id: &ResourceId| authorized.may_see(id);
    let path = path(scope, resource_type);
    let list: Result<Value, Failure> = match kind {
        Kind::UserAssignedIdentity => {
            let items = user_assigned_identity::list(tx, work, scope)?;
            work.list(
                &path,
                items,
                |item| item.identity.id.clone(),
                |item| Ok(seen(&item.identity.id).then(|| user_assigned_identity::shown(&item))),
            )
        }
        Kind::VirtualMachine => {
            let items = virtual_machine::list(tx, work, scope)?;
            work.list(
                &path,
                items,
                |item| item.id.clone(),
                |item| seen(&item.id).then(|| virtual_machine::shown_in_list(tx, &item)).transpose(),
            )
        }
        Kind::ScaleSet => {
            let items = scale_set::list(tx, work, scope)?;
            work.list(
                &path,
                items,
                |item| item.id.clone(),
                |item| seen(&item.id).then(|| scale_set::shown(tx, &item)).transpose(),
            )
        }
        Kind::Generic => generic_list(tx, work, authorized, scope, resource_type, &path),
        Kind::FederatedCredential => whole(federated_credential::list(tx, scope)?),
        Kind::VmExtension => whole(vm_extension::list(tx, work, scope)?),
        Kind::ScaleSetMachineExtension => whole(vm_extension::list(tx, work, scope)?),
        Kind::ScaleSetExtension => whole(scale_set_extension::list(tx, scope)?),
        Kind::ScaleSetMachine => whole(scale_set_machine::list(tx, work, scope)?),
    };
    list.map(Reply::ok)
}

/// Resources of one type: the store knows them by their ids alone, so pieces are looked through until one is full.
fn generic_list(
    tx: &dyn ReadTx,
    work: &Work,
    authorized: &Authorized,
    scope: &ResourceId,
    resource_type: &str,
    path: &str,
) -> Result<Value, Failure> {
    let mut page = work.page();
    let limit = page.limit;
    let mut found = Vec::new();
    while found.len() < limit {
        let piece = tx.resources(&Scope::At(scope.clone()), &page)?;
        let Some(last) = piece.last() else { break };
        page.after = Some(last.id.key().to_owned());
        let ended = piece.len() < limit;
        found.extend(piece.into_iter().filter(|item| item.id.resource_type().eq_ignore_ascii_case(resource_type)));
        if ended {
            break;
        }
    }
    found.truncate(limit);
    work.list(
        path,
        found,
        |item| item.id.clone(),
        |item| authorized.may_see(&item.id).then(|| generic::shown(&item)).transpose(),
    )
}

/// Resources of all types in a subscription or group.
pub(crate) fn list_all(
    tx: &dyn ReadTx,
    work: &Work,
    authorized: &Authorized,
    scope: &ResourceId,
) -> Result<Reply, Failure> {
    document::require_group(tx, scope)?;
    let filter = Filter::parse(work.query.get("$filter").unwrap_or_default())?;
    let path = format!("{scope}/resources");
    let mut page = work.page();
    let limit = page.limit;
    let mut found = Vec::new();
    while found.len() < limit {
        let piece = tx.resource_summaries(&Scope::At(scope.clone()), &page)?;
        let Some(last) = piece.last() else { break };
        page.after = Some(last.id.key().to_owned());
        let ended = piece.len() < limit;
        found.extend(piece.into_iter().filter(|item| filter.takes(&item.id, &item.tags)));
        if ended {
            break;
        }
    }
    found.truncate(limit);
    let list = work.list(
        &path,
        found,
        |item| item.id.clone(),
        |item| {
            let resource_type = kind::spelt(&item.id.resource_type());
            if !authorized.may(&format!("{resource_type}/read"), &item.id) {
                return Ok(None);
            }
            let mut shown = Map::new();
            let mut put = |name: &str, value: Value| shown.insert(name.to_owned(), value);
            put("id", item.id.as_str().into());
            put("name", kind::names(&item.id).join("/").into());
            put("type", resource_type.into());
            if let Some(location) = &item.location {
                put("location", location.as_str().into());
            }
            if !item.tags.is_empty() {
                put("tags", document::tags_value(&item.tags));
            }
            if work.query.expands("provisioningState") {
                put("provisioningState", "Succeeded".into());
            }
            if let Some(created) = item.created_at.filter(|_| work.query.expands("createdTime")) {
                put("createdTime", document::time(created));
            }
            Ok(Some(shown.into()))
        },
    )?;
    Ok(Reply::ok(list))
}

pub(crate) fn instance_view(
    tx: &dyn ReadTx,
    work: &Work,
    _: &Authorized,
    kind: Kind,
    id: &ResourceId,
) -> Result<Reply, Failure> {
    let view = match kind {
        Kind::VirtualMachine => virtual_machine::instance_view(tx, work, id),
        Kind::ScaleSet => scale_set::instance_view(tx, id),
        Kind::ScaleSetMachine => scale_set_machine::instance_view(tx, work, id),
        Kind::UserAssignedIdentity
        | Kind::FederatedCredential
        | Kind::VmExtension
        | Kind::ScaleSetExtension
        | Kind::ScaleSetMachineExtension
        | Kind::Generic => {
            Err(ArmError::new(Code::NotFound, format!("'{}' has no instance view.", kind::described(id))).into())
        }
    };
    view.map(Reply::ok)
}

/// Where a list goes on.
fn path(scope: &ResourceId, resource_type: &str) -> String {
    if scope.provider().is_some() {
        let segment = resource_type.rsplit('/').next().unwrap_or_default();
        format!("{scope}/{segment}")
    } else {
        format!("{scope}/providers/{resource_type}")
    }
}

fn follows_model(id: &ResourceId) -> ArmError {
    let text = format!("'{}' follows from the scale set's model.", kind::described(id));
    ArmError::new(Code::OperationNotAllowed, text)
}

/// A `$filter` of lists: comparisons with `eq`, joined by `and`.
#[derive(Debug, Default)]
pub(crate) struct Filter(Vec<(String, String)>);

impl Filter {
    pub(crate) fn parse(text: &str) -> Result<Self, ArmError> {
        let unknown = || {
            let shown = document::shortened(text);
            ArmError::new(Code::BadRequest, format!("The filter '{shown}' is not supported.")).target("$filter")
        };
        let text = text.trim();
        if text.is_empty() {
            return Ok(Self::default());
        }
        let mut comparisons = Vec::new();
        for comparison in text.split(" and ") {
            let (name, value) = comparison.trim().split_once(" eq ").ok_or_else(unknown)?;
            let value = value.trim().strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).ok_or_else(unknown)?;
            let name = name.trim().to_ascii_lowercase();
            if !["resourcegroup", "resourcetype", "name", "tagname", "tagvalue"].contains(&name.as_str()) {
                return Err(unknown());
            }
            comparisons.push((name, value.replace("''", "'")));
        }
        Ok(Self(comparisons))
    }

    /// Whether something with these tags is asked for.
    pub(crate) fn takes(&self, id: &ResourceId, tags: &std::collections::BTreeMap<String, String>) -> bool {
        let value = |wanted: &str| self.0.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        self.0.iter().all(|(name, wanted)| match name.as_str() {
            "resourcegroup" => id.resource_group().is_some_and(|group| group.eq_ignore_ascii_case(wanted)),
            "resourcetype" => id.resource_type().eq_ignore_ascii_case(wanted),
            "name" => id.name().eq_ignore_ascii_case(wanted),
            "tagname" => tags.iter().any(|(tag, found)| {
                tag.eq_ignore_ascii_case(wanted) && value("tagvalue").is_none_or(|value| value == found)
            }),
            _ => true,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters() {
        let id = ResourceId::parse(
            "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg1/providers/A.B/c/d",
        )
        .unwrap();
        let tags = [("a".to_owned(), "b".to_owned())].into();
        let takes = |text: &str| Filter::parse(text).unwrap().takes(&id, &tags);
        assert!(takes("") && takes("resourceGroup eq 'RG1'") && takes("tagname eq 'A' and tagvalue eq 'b'"));
        assert!(takes("resourceType eq 'a.b/c' and name eq 'd'"));
        assert!(!takes("tagname eq 'a' and tagvalue eq 'c'") && !takes("resourceGroup eq 'rg2'"));
        for bad in ["name ne 'x'", "name eq x", "startswith(name, 'x')", "owner eq 'x'"] {
            assert!(Filter::parse(bad).is_err(), "{bad}");
        }
    }
}
