//! `Microsoft.Compute/virtualMachineScaleSets/virtualMachines`: the machines of a scale set follow from its model.

use contract::arm::ArmError;
use domain::{
    Instance, PowerState, ProvisioningState, ResourceId, ScaleSet, UpgradeMode, VirtualMachine, VmExtension, Wait,
};
use serde_json::{Value, json};
use store::{ReadTx, Tx};

use super::authorization::Authorized;
use super::body::Object;
use super::failure::Failure;
use super::reply::Reply;
use super::work::Work;
use super::{cutover, document, operation, scale_set, virtual_machine, vm_extension};

const UPGRADE: &str = "Microsoft.Compute/virtualMachineScaleSets/manualupgrade/action";
const DELETE: &str = "Microsoft.Compute/virtualMachineScaleSets/delete/action";

/// Makes and removes machines until there are as many as there shall be, and brings those to the model that follow it
/// by themselves; what to wait for.
pub(crate) fn settle(tx: &mut dyn Tx, work: &Work, scale_set: &ScaleSet) -> Result<Vec<Wait>, Failure> {
    let mut machines = tx.virtual_machines_of_scale_set(&scale_set.id)?;
    let wanted = usize::try_from(scale_set.sku.capacity).unwrap_or(usize::MAX);
    while machines.len() > wanted {
        if let Some(last) = machines.pop() {
            virtual_machine::remove(tx, &last)?;
        }
    }
    let mut waits = Vec::new();
    match scale_set.upgrade_mode {
        UpgradeMode::Automatic | UpgradeMode::Rolling => {
            for machine in &machines {
                waits.extend(bring_to_model(tx, scale_set, machine)?);
            }
        }
        UpgradeMode::Manual => {}
    }
    let mut next = scale_set.next_instance;
    for _ in machines.len()..wanted {
        let machine = new(tx, work, scale_set, next)?;
        next += 1;
        tx.put_virtual_machine(&machine)?;
        waits.extend(bring_to_model(tx, scale_set, &machine)?);
        cutover::join(tx, work, &machine.id, &machines)?;
    }
    if next != scale_set.next_instance {
        scale_set::store(tx, &ScaleSet { next_instance: next, ..scale_set.clone() })?;
    }
    Ok(waits)
}

/// `POST …/manualupgrade`.
pub(crate) fn upgrade(
    tx: &mut dyn Tx,
    work: &Work,
    authorized: &Authorized,
    id: &ResourceId,
    body: &Object,
) -> Result<Reply, Failure> {
    let scale_set = scale_set::find(tx, id)?;
    let mut waits = Vec::new();
    for machine in chosen(tx, &scale_set, body)? {
        waits.extend(bring_to_model(tx, &scale_set, &machine)?);
    }
    if waits.is_empty() {
        return Ok(Reply::empty(200));
    }
    operation::accepted(tx, work, authorized, UPGRADE, &scale_set.id, &scale_set.location, &waits)
}

/// `POST …/delete`.
pub(crate) fn delete_some(
    tx: &mut dyn Tx,
    work: &Work,
    authorized: &Authorized,
    id: &ResourceId,
    body: &Object,
) -> Result<Reply, Failure> {
    let scale_set = scale_set::find(tx, id)?;
    let machines = chosen(tx, &scale_set, body)?;
    for machine in &machines {
        virtual_machine::remove(tx, machine)?;
    }
    shrink(tx, &scale_set, machines.len())?;
    operation::accepted(tx, work, authorized, DELETE, &scale_set.id, &scale_set.location, &[])
}

pub(crate) fn delete(tx: &mut dyn Tx, work: &Work, authorized: &Authorized, id: &ResourceId) -> Result<Reply, Failure> {
    let Some(machine) = tx.virtual_machine(id)? else { return Ok(Reply::empty(204)) };
    let Some(instance) = &machine.instance else { return Ok(Reply::empty(204)) };
    let scale_set = scale_set::find(tx, &instance.scale_set)?;
    remove(tx, &machine)?;
    operation::accepted(tx, work, authorized, DELETE, &scale_set.id, &scale_set.location, &[])
}

pub(crate) fn get(tx: &dyn ReadTx, work: &Work, id: &ResourceId) -> Result<Value, Failure> {
    let machine = find(tx, id)?;
    let scale_set = scale_set_of(tx, &machine)?;
    shown(tx, work, &scale_set, &machine)
}

/// All of a scale set.
pub(crate) fn list(tx: &dyn ReadTx, work: &Work, parent: &ResourceId) -> Result<Vec<Value>, Failure> {
    let scale_set = scale_set::find(tx, parent)?;
    let machines = tx.virtual_machines_of_scale_set(&scale_set.id)?;
    machines.iter().map(|machine| shown(tx, work, &scale_set, machine)).collect()
}

pub(crate) fn instance_view(tx: &dyn ReadTx, work: &Work, id: &ResourceId) -> Result<Value, Failure> {
    let machine = find(tx, id)?;
    let extensions = tx.vm_extensions(&machine.id)?;
    virtual_machine::view(tx, &machine, &extensions, work)
}

/// Removes any machine; the scale set of one that is in one gets no other for it.
pub(crate) fn remove(tx: &mut dyn Tx, machine: &VirtualMachine) -> Result<(), Failure> {
    virtual_machine::remove(tx, machine)?;
    match &machine.instance {
        Some(instance) => {
            let scale_set = scale_set::find(tx, &instance.scale_set)?;
            shrink(tx, &scale_set, 1)
        }
        None => Ok(()),
    }
}

/// Gives a machine the extensions of the model, and takes away what is not in it.
fn bring_to_model(tx: &mut dyn Tx, scale_set: &ScaleSet, machine: &VirtualMachine) -> Result<Vec<Wait>, Failure> {
    let there = tx.vm_extensions(&machine.id)?;
    let mut waits = Vec::new();
    for extension in &there {
        if scale_set.extension(&extension.name).is_none() {
            waits.push(vm_extension::mark_deleted(tx, extension)?);
        }
    }
    for extension in &scale_set.extensions {
        let before = there.iter().find(|there| there.name.eq_ignore_ascii_case(&extension.name));
        let wanted = VmExtension {
            id: document::child(&machine.id, "extensions", &extension.name)?,
            vm: machine.id.clone(),
            name: extension.name.clone(),
            location: scale_set.location.clone(),
            tags: Default::default(),
            spec: extension.spec.clone(),
            disabled: false,
            sequence: before.map_or(0, |before| before.sequence),
            state: before.map_or(ProvisioningState::Creating, |before| before.state),
            status: before.and_then(|before| before.status.clone()),
        };
        waits.extend(vm_extension::bring(tx, before, wanted)?);
    }
    if let Some(instance) = machine.instance.clone().filter(|instance| instance.model != scale_set.model) {
        let instance = Some(Instance { model: scale_set.model, ..instance });
        let (size, document) = (scale_set.sku.name.clone(), scale_set.document.clone());
        tx.put_virtual_machine(&VirtualMachine { instance, size, document, ..machine.clone() })?;
    }
    Ok(waits)
}

fn new(tx: &dyn ReadTx, work: &Work, scale_set: &ScaleSet, number: u32) -> Result<VirtualMachine, Failure> {
    let name = number.to_string();
    let id = document::child(&scale_set.id, "virtualMachines", &name)?;
    Ok(VirtualMachine {
        vm_id: work.vm_id(tx, &id)?,
        tenant: scale_set.tenant,
        name,
        location: scale_set.location.clone(),
        size: scale_set.sku.name.clone(),
        tags: scale_set.tags.clone(),
        system_assigned: None,
        user_assigned: Vec::new(),
        attachment: None,
        document: scale_set.document.clone(),
        power: PowerState::Running,
        generation: 0,
        created_at: work.now,
        instance: Some(Instance { scale_set: scale_set.id.clone(), number, model: scale_set.model }),
        id,
    })
}

/// The machines that a body names in `instanceIds`; `*` is all of them.
fn chosen(tx: &dyn ReadTx, scale_set: &ScaleSet, body: &Object) -> Result<Vec<VirtualMachine>, Failure> {
    let machines = tx.virtual_machines_of_scale_set(&scale_set.id)?;
    let ids = match body.get("instanceIds") {
        Some(Value::Array(ids)) if !ids.is_empty() => ids,
        Some(_) | None => return Err(super::body::wrong("instanceIds", "a list of instance ids").into()),
    };
    if ids.iter().any(|id| id == "*") {
        return Ok(machines);
    }
    let mut chosen: Vec<VirtualMachine> = Vec::new();
    for id in ids {
        let text = id.as_str().unwrap_or_default();
        let found = machines.iter().find(|machine| machine.name == text).ok_or_else(|| {
            let text =
                format!("The provided instanceId {} is not an active Virtual Machine Scale Set VM instanceId.", id);
            ArmError::parameter("instanceIds", text)
        })?;
        if !chosen.iter().any(|other| other.id == found.id) {
            chosen.push(found.clone());
        }
    }
    Ok(chosen)
}

fn shrink(tx: &mut dyn Tx, scale_set: &ScaleSet, by: usize) -> Result<(), Failure> {
    let mut smaller = scale_set.clone();
    smaller.sku.capacity = smaller.sku.capacity.saturating_sub(u32::try_from(by).unwrap_or(u32::MAX));
    scale_set::store(tx, &smaller).map(drop)
}

fn find(tx: &dyn ReadTx, id: &ResourceId) -> Result<VirtualMachine, Failure> {
    tx.virtual_machine(id)?.filter(|found| found.instance.is_some()).ok_or_else(|| document::not_found(tx, id))
}

fn scale_set_of(tx: &dyn ReadTx, machine: &VirtualMachine) -> Result<ScaleSet, Failure> {
    let id = machine.instance.as_ref().map_or(&machine.id, |instance| &instance.scale_set);
    scale_set::find(tx, id)
}

fn shown(tx: &dyn ReadTx, work: &Work, scale_set: &ScaleSet, machine: &VirtualMachine) -> Result<Value, Failure> {
    let extensions = tx.vm_extensions(&machine.id)?;
    let latest = machine.instance.as_ref().is_some_and(|instance| instance.model == scale_set.model);
    let mut shown = json!({
        "id": machine.id.as_str(),
        "name": format!("{}_{}", scale_set.name, machine.name),
        "type": "Microsoft.Compute/virtualMachineScaleSets/virtualMachines",
        "location": machine.location,
        "instanceId": machine.name,
        "sku": {"name": machine.size, "tier": scale_set.sku.tier},
        "properties": {
            "latestModelApplied": latest,
            "modelDefinitionApplied": "VirtualMachineScaleSet",
            "vmId": machine.vm_id.to_string(),
            "hardwareProfile": {"vmSize": machine.size},
            "provisioningState": "Succeeded",
            "timeCreated": document::time(machine.created_at),
        },
        "resources": extensions.iter().map(|found| vm_extension::shown(found, false)).collect::<Vec<Value>>(),
    });
    if let (true, Some(Value::Object(properties))) = (work.query.expands("instanceView"), shown.get_mut("properties")) {
        properties.insert("instanceView".to_owned(), virtual_machine::view(tx, machine, &extensions, work)?);
    }
    Ok(shown)
}
