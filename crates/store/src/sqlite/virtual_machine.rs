//! Virtual machines with their assigned identities.

use std::collections::HashMap;

use domain::{
    IdentityKind, Instance, ManagedIdentity, PowerState, PrincipalId, ResourceId, Scope, VirtualMachine, VmId,
    VmSnapshot,
};
use rusqlite::{Params, named_params};

use super::query::Source;
use super::row::{Row, listed, number, tags_text};
use super::transaction::{Changing, Writing};
use super::{
    caller, certificate_credential, cutover, goal_state, resource, resource_group, scheduled_event, service_principal,
    vm_extension, vm_snapshot,
};
use crate::{
    Error, Noun, Op, Page, Put, Unique, UserAssignedIdentityReader as _, VirtualMachineReader, VirtualMachineWriter,
};

/// Machines `v` that fulfil a condition, with the ids of their own principal.
macro_rules! machines {
    ($condition:literal) => {
        concat!(
            "SELECT v.pk, v.key, v.id, v.vm_id, v.tenant, v.name, v.location, v.size, v.tags, v.listen, \
             v.document, v.power, v.generation, v.created_at, s.id AS scale_set, v.instance, v.model, \
             v.principal_id, p.client_id, p.tenant AS principal_tenant FROM virtual_machine v \
             LEFT JOIN service_principal p ON p.principal_id = v.principal_id \
             LEFT JOIN scale_set s ON s.pk = v.scale_set WHERE ",
            $condition
        )
    };
}

/// The identities assigned to the same machines.
macro_rules! assigned {
    ($condition:literal) => {
        concat!(
            "SELECT a.vm, i.key, i.id FROM virtual_machine v JOIN vm_identity a ON a.vm = v.pk \
             JOIN user_assigned_identity i ON i.pk = a.identity WHERE ",
            $condition,
            " ORDER BY a.vm, a.position"
        )
    };
}

impl<S: Source> VirtualMachineReader for S {
    fn virtual_machine(&self, id: &ResourceId) -> Result<Option<VirtualMachine>, Error> {
        let found = load(self, machines!("v.key = ?1"), assigned!("v.key = ?1"), [id.key()])?;
        Ok(found.into_iter().next())
    }

    fn is_vm_id_taken(&self, id: VmId) -> Result<bool, Error> {
        let sql = "SELECT vm_id FROM virtual_machine WHERE vm_id = ?1 \
                   UNION ALL SELECT vm_id FROM retired_vm_id WHERE vm_id = ?1 LIMIT 1";
        Ok(self.reader().one(sql, [id.to_string()], |_| Ok(()))?.is_some())
    }

    fn virtual_machines(&self, scope: &Scope, piece: &Page) -> Result<Vec<VirtualMachine>, Error> {
        let machines = machines!("v.scale_set IS NULL AND v.key >= ?1 AND v.key < ?2 ORDER BY v.key LIMIT ?3");
        let assigned = assigned!(
            "v.pk IN (SELECT m.pk FROM virtual_machine m \
             WHERE m.scale_set IS NULL AND m.key >= ?1 AND m.key < ?2 ORDER BY m.key LIMIT ?3)"
        );
        listed(scope, piece, |from, below, limit| load(self, machines, assigned, (from, below, limit)))
    }

    fn virtual_machines_of_scale_set(&self, scale_set: &ResourceId) -> Result<Vec<VirtualMachine>, Error> {
        load(
            self,
            machines!("s.key = ?1 ORDER BY v.instance"),
            assigned!("v.scale_set = (SELECT pk FROM scale_set WHERE key = ?1)"),
            [scale_set.key()],
        )
    }

    fn virtual_machines_with(&self, identity: &ResourceId) -> Result<Vec<ResourceId>, Error> {
        let sql = "SELECT v.key, v.id FROM user_assigned_identity i JOIN vm_identity a ON a.identity = i.pk \
                   JOIN virtual_machine v ON v.pk = a.vm WHERE i.key = ?1 ORDER BY v.key";
        self.reader().many(sql, [identity.key()], |row| Row::new(row, "virtual_machine", "key").resource_id("id"))
    }

    fn vm_snapshot(&self, id: &ResourceId) -> Result<Option<VmSnapshot>, Error> {
        vm_snapshot::one(self, id)
    }

    fn vm_snapshots(&self) -> Result<Vec<VmSnapshot>, Error> {
        vm_snapshot::all(self)
    }
}

impl VirtualMachineWriter for Writing<'_> {
    fn put_virtual_machine(&mut self, vm: &VirtualMachine) -> Result<Put, Error> {
        self.attempt(|tx| {
            let vm = consistent(vm)?;
            match tx.virtual_machine(&vm.id)? {
                Some(before) => update(tx, &before, &vm),
                None => create(tx, &vm),
            }
        })
    }

    fn remove_virtual_machine(&mut self, id: &ResourceId) -> Result<bool, Error> {
        self.attempt(|tx| remove(tx, id))
    }
}

/// The machine with every identity once, when it does not contradict itself.
fn consistent(vm: &VirtualMachine) -> Result<VirtualMachine, Error> {
    let contradiction =
        |why| Err(Error::Contradiction { noun: Noun::VirtualMachine, key: vm.id.key().to_owned(), why });
    if !vm.id.name().eq_ignore_ascii_case(&vm.name) {
        return contradiction("its id has another name");
    }
    if let Some(identity) = &vm.system_assigned
        && (identity.kind != IdentityKind::SystemAssigned || identity.id != vm.id || identity.tenant != vm.tenant)
    {
        return contradiction("its system-assigned identity is not its own");
    }
    let mut vm = vm.clone();
    let mut seen = std::collections::HashSet::with_capacity(vm.user_assigned.len());
    vm.user_assigned.retain(|id| seen.insert(id.key().to_owned()));
    Ok(vm)
}

fn create(tx: &mut Changing<'_>, new: &VirtualMachine) -> Result<Put, Error> {
    let key = new.id.key();
    let group = new.id.group();
    if let Some(identity) = &new.system_assigned {
        service_principal::found_identity(tx, identity)?;
    }
    let sql = "INSERT INTO virtual_machine \
               (key, id, vm_id, tenant, name, location, size, tags, resource_group, principal_id, listen, document, \
               power, generation, created_at, scale_set, instance, model) \
               SELECT :key, :id, :vm_id, :tenant, :name, :location, :size, :tags, pk, :principal, :listen, \
               :document, :power, :generation, :created, (SELECT pk FROM scale_set WHERE key = :scale_set), \
               :instance, :model FROM resource_group \
               WHERE key = :group AND NOT EXISTS (SELECT vm_id FROM retired_vm_id WHERE vm_id = :vm_id)";
    let instance = new.instance.as_ref();
    let values = named_params! {
        ":key": key,
        ":id": new.id.as_str(),
        ":vm_id": new.vm_id.to_string(),
        ":tenant": new.tenant.to_string(),
        ":name": new.name,
        ":location": new.location,
        ":size": new.size,
        ":tags": tags_text(&new.tags),
        ":group": group.as_ref().map(ResourceId::key),
        ":principal": principal(new).map(|id| id.to_string()),
        ":listen": new.attachment.as_ref().map(ToString::to_string),
        ":document": new.document,
        ":power": new.power.as_str(),
        ":generation": number(new.generation),
        ":created": new.created_at.unix(),
        ":scale_set": instance.map(|instance| instance.scale_set.key()),
        ":instance": instance.map(|instance| instance.number),
        ":model": instance.map(|instance| number(instance.model)),
    };
    if tx.change(Noun::VirtualMachine, key, Op::Put, sql, values)? == 0 {
        // Its group is there, so it is the id that isn't free.
        resource_group::of(tx, &new.id)?;
        return Err(Error::Taken { noun: Noun::VirtualMachine, key: key.to_owned(), what: Unique::VmId });
    }
    assign(tx, new)?;
    Ok(Put::Created)
}

fn update(tx: &mut Changing<'_>, before: &VirtualMachine, new: &VirtualMachine) -> Result<Put, Error> {
    let key = new.id.key();
    if (before.vm_id, before.tenant) != (new.vm_id, new.tenant) {
        let why = "it has another vmId or tenant";
        return Err(Error::Contradiction { noun: Noun::VirtualMachine, key: key.to_owned(), why });
    }
    let unchanged = VirtualMachine { id: before.id.clone(), name: before.name.clone(), ..new.clone() } == *before;
    if unchanged {
        return Ok(Put::Unchanged);
    }
    if principal(before) != principal(new) {
        exchange_system_assigned(tx, before, new)?;
    } else if before.system_assigned != new.system_assigned {
        let why = "its system-assigned identity has another client id";
        return Err(Error::Contradiction { noun: Noun::VirtualMachine, key: key.to_owned(), why });
    }
    let sql = "UPDATE virtual_machine SET location = :location, size = :size, tags = :tags, listen = :listen, \
               document = :document, power = :power, generation = :generation, model = :model WHERE key = :key";
    let values = named_params! {
        ":key": key,
        ":location": new.location,
        ":size": new.size,
        ":tags": tags_text(&new.tags),
        ":listen": new.attachment.as_ref().map(ToString::to_string),
        ":document": new.document,
        ":power": new.power.as_str(),
        ":generation": number(new.generation),
        ":model": new.instance.as_ref().map(|instance| number(instance.model)),
    };
    tx.change_one(Noun::VirtualMachine, key, Op::Put, sql, values)?;
    if before.user_assigned != new.user_assigned {
        unassign(tx, before, new)?;
        assign(tx, new)?;
    }
    Ok(Put::Updated)
}

pub(super) fn remove(tx: &mut Changing<'_>, id: &ResourceId) -> Result<bool, Error> {
    let Some(vm) = tx.virtual_machine(id)? else {
        return Ok(false);
    };
    let key = id.key();
    vm_extension::remove_all_of(tx, id)?;
    goal_state::remove_of(tx, id)?;
    scheduled_event::remove_of(tx, id)?;
    caller::remove_of(tx, id)?;
    cutover::remove_of(tx, id)?;
    resource::remove_all_within(tx, id)?;
    certificate_credential::revoke_all_on(tx, id, None)?;
    let (noun, op) = (Noun::VirtualMachine, Op::Removed);
    tx.change(
        noun,
        key,
        op,
        "DELETE FROM vm_identity WHERE vm = (SELECT pk FROM virtual_machine WHERE key = ?1)",
        [key],
    )?;
    tx.change_one(noun, key, op, "DELETE FROM virtual_machine WHERE key = ?1", [key])?;
    tx.change_one(noun, key, op, "INSERT INTO retired_vm_id (vm_id) VALUES (?1)", [vm.vm_id.to_string()])?;
    if let Some(principal) = principal(&vm) {
        service_principal::bury(tx, principal)?;
    }
    Ok(true)
}

/// Buries the old system-assigned identity and founds the new one, where there is one.
fn exchange_system_assigned(tx: &mut Changing<'_>, before: &VirtualMachine, new: &VirtualMachine) -> Result<(), Error> {
    if let Some(old) = principal(before) {
        service_principal::bury(tx, old)?;
    }
    if let Some(identity) = &new.system_assigned {
        service_principal::found_identity(tx, identity)?;
    }
    let key = new.id.key();
    let sql = "UPDATE virtual_machine SET principal_id = ?2 WHERE key = ?1";
    tx.change_one(Noun::VirtualMachine, key, Op::Put, sql, (key, principal(new).map(|id| id.to_string())))
}

/// Takes every identity away; of those that are not to come back, revokes the certificates on this machine's disk.
fn unassign(tx: &mut Changing<'_>, before: &VirtualMachine, new: &VirtualMachine) -> Result<(), Error> {
    for id in before.user_assigned.iter().filter(|id| !new.user_assigned.contains(id)) {
        if let Some(identity) = tx.user_assigned_identity(id)? {
            certificate_credential::revoke_all_on(tx, &new.id, Some(identity.identity.principal_id))?;
        }
    }
    let key = new.id.key();
    let sql = "DELETE FROM vm_identity WHERE vm = (SELECT pk FROM virtual_machine WHERE key = ?1)";
    tx.change(Noun::VirtualMachine, key, Op::Put, sql, [key])?;
    Ok(())
}

fn assign(tx: &mut Changing<'_>, vm: &VirtualMachine) -> Result<(), Error> {
    let key = vm.id.key();
    let sql = "INSERT INTO vm_identity (vm, position, identity) SELECT v.pk, ?2, i.pk \
               FROM virtual_machine v, user_assigned_identity i WHERE v.key = ?1 AND i.key = ?3";
    for (position, identity) in (0_i64..).zip(&vm.user_assigned) {
        let rows = tx.change(Noun::VirtualMachine, key, Op::Put, sql, (key, position, identity.key()))?;
        if rows == 0 {
            return Err(Error::Missing { noun: Noun::UserAssignedIdentity, key: identity.key().to_owned() });
        }
    }
    Ok(())
}

fn principal(vm: &VirtualMachine) -> Option<PrincipalId> {
    vm.system_assigned.as_ref().map(|identity| identity.principal_id)
}

fn load(
    source: &impl Source,
    machines: &str,
    assigned: &str,
    params: impl Params + Clone,
) -> Result<Vec<VirtualMachine>, Error> {
    let mut places = HashMap::new();
    let mut found: Vec<VirtualMachine> = source.reader().many(machines, params.clone(), |row| {
        let row = Row::new(row, "virtual_machine", "key");
        places.insert(row.get::<i64>("pk")?, places.len());
        Ok(VirtualMachine {
            id: row.resource_id("id")?,
            vm_id: row.parse("vm_id")?,
            tenant: row.parse("tenant")?,
            name: row.get("name")?,
            location: row.get("location")?,
            size: row.get("size")?,
            tags: row.tags("tags")?,
            system_assigned: system_assigned(&row, row.resource_id("id")?)?,
            user_assigned: Vec::new(),
            attachment: row.parse_optional("listen")?,
            document: row.get("document")?,
            power: row.word("power", |text| PowerState::ALL.into_iter().find(|state| state.as_str() == text))?,
            generation: row.number("generation")?,
            created_at: row.time("created_at")?,
            instance: instance(&row)?,
        })
    })?;
    if found.is_empty() {
        return Ok(found);
    }
    source.reader().each(assigned, params, |row| {
        let row = Row::new(row, "user_assigned_identity", "key");
        if let Some(vm) = places.get(&row.get("vm")?).and_then(|place| found.get_mut(*place)) {
            vm.user_assigned.push(row.resource_id("id")?);
        }
        Ok(())
    })?;
    Ok(found)
}

fn instance(row: &Row<'_, '_>) -> Result<Option<Instance>, Error> {
    let Some(scale_set) = row.parse_optional("scale_set")? else { return Ok(None) };
    Ok(Some(Instance { scale_set, number: row.get("instance")?, model: row.number("model")? }))
}

/// The system-assigned identity of a machine's row, from the columns of its principal.
pub(super) fn system_assigned(row: &Row<'_, '_>, of: ResourceId) -> Result<Option<ManagedIdentity>, Error> {
    let Some(principal_id) = row.parse_optional("principal_id")? else {
        return Ok(None);
    };
    Ok(Some(ManagedIdentity {
        kind: IdentityKind::SystemAssigned,
        id: of,
        tenant: row.parse("principal_tenant")?,
        principal_id,
        client_id: row.parse("client_id")?,
    }))
}
