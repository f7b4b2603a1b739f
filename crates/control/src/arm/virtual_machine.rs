//! `Microsoft.Compute/virtualMachines`.

use contract::arm::ArmError;
use domain::{OperationError, PowerState, ProvisioningState, ResourceId, Scope, VirtualMachine, VmExtension, names};
use serde_json::{Map, Value, json};
use store::{Put, ReadTx, Tx};

use super::authorization::Authorized;
use super::body::{self, Object};
use super::failure::Failure;
use super::identity::{self, Identities, Owner};
use super::reply::Reply;
use super::work::Work;
use super::{document, members, operation, storage_profile, vm_agent, vm_extension};

/// The size of a machine of which none is said.
const DEFAULT_SIZE: &str = "Standard_DS1_v2";
/// What is ours to say of a machine.
const OURS: [&str; 4] = ["vmId", "provisioningState", "timeCreated", "instanceView"];
const DELETE: &str = "Microsoft.Compute/virtualMachines/delete";

pub(crate) fn put(
    tx: &mut dyn Tx,
    work: &Work,
    authorized: &Authorized,
    id: &ResourceId,
    body: &Object,
) -> Result<Reply, Failure> {
    document::require_group(tx, id)?;
    let before = tx.virtual_machine(id)?;
    let location = document::location_of(id, body, before.as_ref().map(|before| before.location.as_str()))?;
    let tags = document::tags(body)?.unwrap_or_default();
    let mut described = described(document::described(body), Kept::of(before.as_ref())?)?;
    let extensions = before.as_ref().map(|before| tx.vm_extensions(&before.id)).transpose()?.unwrap_or_default();
    if before.is_none() {
        names::virtual_machine(id.name()).map_err(|invalid| document::invalid_name(&invalid))?;
    }
    let owner = owner(before.as_ref().map_or(id, |before| &before.id), &extensions, true);
    let identities = identity::change(tx, work, authorized, &owner, identities(before.as_ref()), body)?;
    let size = size(&described)?.or_else(|| before.as_ref().map(|before| before.size.clone()));
    let vm_id = match &before {
        Some(before) => before.vm_id,
        None => work.vm_id(tx, id)?,
    };
    storage_profile::complete(&mut described, before.as_ref(), id.name(), vm_id)?;
    let wanted = VirtualMachine {
        vm_id,
        tenant: authorized.tenant(),
        name: before.as_ref().map_or_else(|| id.name().to_owned(), |before| before.name.clone()),
        location,
        size: size.unwrap_or_else(|| DEFAULT_SIZE.to_owned()),
        tags,
        system_assigned: identities.system,
        user_assigned: identities.user,
        attachment: before.as_ref().and_then(|before| before.attachment.clone()),
        document: document::text(described),
        power: before.as_ref().map_or(PowerState::Running, |before| before.power),
        generation: before.as_ref().map_or(0, |before| before.generation),
        created_at: before.as_ref().map_or(work.now, |before| before.created_at),
        instance: None,
        id: before.map_or_else(|| id.clone(), |before| before.id),
    };
    let created = tx.put_virtual_machine(&wanted)? == Put::Created;
    Ok(Reply::put(created, whole(tx, work, &wanted, &extensions)?))
}

pub(crate) fn patch(
    tx: &mut dyn Tx,
    work: &Work,
    authorized: &Authorized,
    id: &ResourceId,
    body: &Object,
) -> Result<Reply, Failure> {
    let before = find(tx, id)?;
    let mut merged = document::parse(&before.document)?;
    document::merge(&mut merged, &document::described(body));
    let mut described = described(merged, Kept { user_data: None, ..Kept::of(Some(&before))? })?;
    // What the patch left of the disk is in it already, and what it took away stays away.
    storage_profile::complete(&mut described, None, &before.name, before.vm_id)?;
    let extensions = tx.vm_extensions(&before.id)?;
    let owner = owner(&before.id, &extensions, false);
    let identities = identity::change(tx, work, authorized, &owner, identities(Some(&before)), body)?;
    let wanted = VirtualMachine {
        size: size(&described)?.unwrap_or_else(|| before.size.clone()),
        tags: document::tags(body)?.unwrap_or_else(|| before.tags.clone()),
        system_assigned: identities.system,
        user_assigned: identities.user,
        document: document::text(described),
        ..before
    };
    tx.put_virtual_machine(&wanted)?;
    Ok(Reply::ok(whole(tx, work, &wanted, &extensions)?))
}

pub(crate) fn delete(tx: &mut dyn Tx, work: &Work, authorized: &Authorized, id: &ResourceId) -> Result<Reply, Failure> {
    let Some(vm) = tx.virtual_machine(id)?.filter(|vm| vm.instance.is_none()) else { return Ok(Reply::empty(204)) };
    remove(tx, &vm)?;
    operation::accepted(tx, work, authorized, DELETE, &vm.id, &vm.location, &[])
}

/// Removes a machine; whoever waits for something of it waits no more.
pub(crate) fn remove(tx: &mut dyn Tx, vm: &VirtualMachine) -> Result<(), Failure> {
    let preempted = OperationError {
        code: "OperationPreempted".to_owned(),
        message: "Operation execution has been preempted by a more recent operation: the machine was deleted."
            .to_owned(),
    };
    for extension in tx.vm_extensions(&vm.id)? {
        let failed = (extension.state != ProvisioningState::Deleting).then_some(&preempted);
        tx.reach(&extension.id, u64::MAX, failed)?;
    }
    tx.reach(&vm.id, u64::MAX, Some(&preempted))?;
    tx.remove_virtual_machine(&vm.id)?;
    Ok(())
}

pub(crate) fn get(tx: &dyn ReadTx, work: &Work, id: &ResourceId) -> Result<Value, Failure> {
    let vm = find(tx, id)?;
    whole(tx, work, &vm, &tx.vm_extensions(&vm.id)?)
}

fn whole(tx: &dyn ReadTx, work: &Work, vm: &VirtualMachine, extensions: &[VmExtension]) -> Result<Value, Failure> {
    let resources: Vec<Value> = extensions.iter().map(|extension| vm_extension::shown(extension, false)).collect();
    let view = work.query.expands("instanceView").then(|| view(tx, vm, extensions, work)).transpose()?;
    let mut shown = shown(tx, vm, resources, view)?;
    if work.query.expands("userData")
        && let (Some(user_data), Some(properties)) = (Kept::of(Some(vm))?.user_data, shown.get_mut("properties"))
        && let Some(properties) = properties.as_object_mut()
    {
        properties.insert("userData".to_owned(), user_data);
    }
    Ok(shown)
}

pub(crate) fn list(tx: &dyn ReadTx, work: &Work, scope: &ResourceId) -> Result<Vec<VirtualMachine>, Failure> {
    Ok(tx.virtual_machines(&Scope::At(scope.clone()), &work.page())?)
}

/// A machine in a list: its extensions by their ids alone, since `az` fails on more.
pub(crate) fn shown_in_list(tx: &dyn ReadTx, vm: &VirtualMachine) -> Result<Value, Failure> {
    let extensions = tx.vm_extensions(&vm.id)?;
    let resources = extensions.iter().map(|extension| json!({"id": extension.id.as_str()})).collect();
    shown(tx, vm, resources, None)
}

pub(crate) fn instance_view(tx: &dyn ReadTx, work: &Work, id: &ResourceId) -> Result<Value, Failure> {
    let vm = find(tx, id)?;
    let extensions = tx.vm_extensions(&vm.id)?;
    view(tx, &vm, &extensions, work)
}

pub(crate) fn find(tx: &dyn ReadTx, id: &ResourceId) -> Result<VirtualMachine, Failure> {
    tx.virtual_machine(id)?.ok_or_else(|| document::not_found(tx, id))
}

/// What runs on a machine and whether it runs.
pub(crate) fn view(
    tx: &dyn ReadTx,
    vm: &VirtualMachine,
    extensions: &[VmExtension],
    work: &Work,
) -> Result<Value, Failure> {
    let created = document::time(vm.created_at);
    Ok(json!({
        "vmAgent": vm_agent::view(tx, vm, extensions, work)?,
        "extensions": extensions.iter().filter_map(vm_extension::view).collect::<Vec<Value>>(),
        "statuses": [
            {"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded",
             "time": created},
            {"code": format!("PowerState/{}", vm.power.as_str()), "level": "Info",
             "displayStatus": format!("VM {}", vm.power.as_str())},
        ],
    }))
}

fn shown(tx: &dyn ReadTx, vm: &VirtualMachine, resources: Vec<Value>, view: Option<Value>) -> Result<Value, Failure> {
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| shown.insert(name.to_owned(), value);
    put("id", vm.id.as_str().into());
    put("name", vm.name.as_str().into());
    put("type", "Microsoft.Compute/virtualMachines".into());
    put("location", vm.location.as_str().into());
    if !vm.tags.is_empty() {
        put("tags", document::tags_value(&vm.tags));
    }
    if let Some(identity) = identity::shown(tx, vm.system_assigned.as_ref(), &vm.user_assigned)? {
        put("identity", identity);
    }
    let mut described = document::parse(&vm.document)?;
    described.shift_remove(document::HAS_CUSTOM_DATA);
    let mut properties = match described.shift_remove("properties") {
        Some(Value::Object(properties)) => properties,
        Some(_) | None => Map::new(),
    };
    let hardware = properties.entry("hardwareProfile").or_insert_with(|| Map::new().into());
    if let Value::Object(hardware) = hardware {
        hardware.insert("vmSize".to_owned(), vm.size.as_str().into());
    }
    properties.shift_remove("userData");
    storage_profile::show(&mut properties, &vm.name, vm.vm_id);
    properties.insert("vmId".to_owned(), vm.vm_id.to_string().into());
    properties.insert("provisioningState".to_owned(), "Succeeded".into());
    properties.insert("timeCreated".to_owned(), document::time(vm.created_at));
    if let Some(view) = view {
        properties.insert("instanceView".to_owned(), view);
    }
    put("properties", properties.into());
    if !resources.is_empty() {
        put("resources", resources.into());
    }
    shown.extend(described);
    Ok(shown.into())
}

/// What a description has that its machine isn't shown with: who doesn't say it, which nobody does who only read the machine,
/// leaves it.
#[derive(Default)]
struct Kept {
    user_data: Option<Value>,
    has_custom_data: bool,
}

impl Kept {
    fn of(vm: Option<&VirtualMachine>) -> Result<Self, Failure> {
        let Some(vm) = vm else { return Ok(Self::default()) };
        let document = document::parse(&vm.document)?;
        let user_data = document.get("properties").and_then(|properties| properties.get("userData")).cloned();
        Ok(Self { user_data, has_custom_data: document.contains_key(document::HAS_CUSTOM_DATA) })
    }
}

/// The description as it is kept: known members, nothing of ours, no secrets. `kept` is what there was.
fn described(mut described: Object, kept: Kept) -> Result<Object, Failure> {
    let Kept { mut user_data, mut has_custom_data } = kept;
    if let Some(properties) = body::member(&described, "properties")? {
        members::VIRTUAL_MACHINE.check(properties, "properties")?;
    }
    if let Some(Value::Object(properties)) = described.get_mut("properties") {
        for ours in OURS {
            properties.shift_remove(ours);
        }
        user_data = document::take_user_data(properties, "properties")?.or(user_data);
        has_custom_data |= document::take_custom_data(properties)?;
    }
    document::forget_secrets(&mut described);
    if let (Some(user_data), Some(Value::Object(properties))) = (user_data, described.get_mut("properties")) {
        properties.insert("userData".to_owned(), user_data);
    }
    described.shift_remove(document::HAS_CUSTOM_DATA);
    if has_custom_data {
        described.insert(document::HAS_CUSTOM_DATA.to_owned(), true.into());
    }
    Ok(described)
}

fn size(described: &Object) -> Result<Option<String>, ArmError> {
    let Some(properties) = body::member(described, "properties")? else { return Ok(None) };
    let Some(hardware) = body::member(properties, "hardwareProfile")? else { return Ok(None) };
    Ok(body::text(hardware, "vmSize")?.map(str::to_owned))
}

fn owner<'o>(id: &'o ResourceId, extensions: &[VmExtension], replace: bool) -> Owner<'o> {
    Owner { id, with_extension: extensions.iter().any(VmExtension::is_managed_identity), replace }
}

fn identities(vm: Option<&VirtualMachine>) -> Identities {
    Identities {
        system: vm.and_then(|vm| vm.system_assigned.clone()),
        user: vm.map(|vm| vm.user_assigned.clone()).unwrap_or_default(),
    }
}
