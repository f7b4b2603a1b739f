//! Virtual machine scale sets.

use domain::{PrincipalId, ResourceId, ScaleSet, ScaleSetExtension, Scope, Sku, UpgradeMode, UserAssignedIdentity};
use rusqlite::named_params;

use super::query::Source;
use super::row::{Row, listed, number, tags_text};
use super::transaction::{Changing, Writing};
use super::virtual_machine::{self, system_assigned};
use super::{certificate_credential, extension_spec, resource, resource_group, service_principal};
use crate::{
    Error, Noun, Op, Page, Put, ScaleSetReader, ScaleSetWriter, UserAssignedIdentityReader as _,
    VirtualMachineReader as _,
};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT s.key, s.id, s.unique_id, s.tenant, s.name, s.location, s.tags, s.sku_name, s.sku_tier, \
             s.capacity, s.upgrade_mode, s.document, s.model, s.next_instance, s.created_at, s.principal_id, \
             p.client_id, p.tenant AS principal_tenant \
             FROM scale_set s LEFT JOIN service_principal p USING (principal_id) ",
            $rest
        )
    };
}

impl<S: Source> ScaleSetReader for S {
    fn scale_set(&self, id: &ResourceId) -> Result<Option<ScaleSet>, Error> {
        let bare = self.reader().one(select!("WHERE s.key = ?1"), [id.key()], read)?;
        bare.map(|bare| with_parts(self, bare)).transpose()
    }

    fn scale_sets(&self, scope: &Scope, piece: &Page) -> Result<Vec<ScaleSet>, Error> {
        let sql = select!("WHERE s.key >= ?1 AND s.key < ?2 ORDER BY s.key LIMIT ?3");
        let bare = listed(scope, piece, |from, below, limit| self.reader().many(sql, (from, below, limit), read))?;
        bare.into_iter().map(|bare| with_parts(self, bare)).collect()
    }

    fn scale_sets_with(&self, identity: &ResourceId) -> Result<Vec<ResourceId>, Error> {
        let sql = "SELECT s.key, s.id FROM user_assigned_identity i JOIN scale_set_identity a ON a.identity = i.pk \
                   JOIN scale_set s ON s.pk = a.scale_set WHERE i.key = ?1 ORDER BY s.key";
        self.reader().many(sql, [identity.key()], |row| Row::new(row, "scale_set", "key").resource_id("id"))
    }
}

impl ScaleSetWriter for Writing<'_> {
    fn put_scale_set(&mut self, scale_set: &ScaleSet) -> Result<Put, Error> {
        self.attempt(|tx| match tx.scale_set(&scale_set.id)? {
            Some(before) => update(tx, &before, scale_set),
            None => create(tx, scale_set),
        })
    }

    fn remove_scale_set(&mut self, id: &ResourceId) -> Result<bool, Error> {
        self.attempt(|tx| remove(tx, id))
    }
}

fn create(tx: &mut Changing<'_>, new: &ScaleSet) -> Result<Put, Error> {
    let key = new.id.key();
    let group = resource_group::of(tx, &new.id)?;
    if let Some(identity) = &new.system_assigned {
        service_principal::found_identity(tx, identity)?;
    }
    let sql = "INSERT INTO scale_set (key, id, unique_id, tenant, name, location, tags, sku_name, sku_tier, capacity, \
               upgrade_mode, document, model, next_instance, created_at, resource_group, principal_id) \
               VALUES (:key, :id, :unique, :tenant, :name, :location, :tags, :sku, :tier, :capacity, :mode, \
               :document, :model, :next, :created, :group, :principal)";
    let values = named_params! {
        ":key": key,
        ":id": new.id.as_str(),
        ":unique": new.unique_id.to_string(),
        ":tenant": new.tenant.to_string(),
        ":name": new.name,
        ":location": new.location,
        ":tags": tags_text(&new.tags),
        ":sku": new.sku.name,
        ":tier": new.sku.tier,
        ":capacity": new.sku.capacity,
        ":mode": new.upgrade_mode.as_str(),
        ":document": new.document,
        ":model": number(new.model),
        ":next": new.next_instance,
        ":created": new.created_at.unix(),
        ":group": group,
        ":principal": principal(new).map(|id| id.to_string()),
    };
    tx.change_one(Noun::ScaleSet, key, Op::Put, sql, values)?;
    put_parts(tx, new)?;
    Ok(Put::Created)
}

fn update(tx: &mut Changing<'_>, before: &ScaleSet, new: &ScaleSet) -> Result<Put, Error> {
    let key = new.id.key();
    if (before.unique_id, before.tenant) != (new.unique_id, new.tenant) {
        let why = "it has another unique id or tenant";
        return Err(Error::Contradiction { noun: Noun::ScaleSet, key: key.to_owned(), why });
    }
    if before == new {
        return Ok(Put::Unchanged);
    }
    if principal(before) != principal(new) {
        if let Some(old) = principal(before) {
            service_principal::bury(tx, old)?;
        }
        if let Some(identity) = &new.system_assigned {
            service_principal::found_identity(tx, identity)?;
        }
    }
    let sql = "UPDATE scale_set SET location = :location, tags = :tags, sku_name = :sku, sku_tier = :tier, \
               capacity = :capacity, upgrade_mode = :mode, document = :document, model = :model, \
               next_instance = :next, principal_id = :principal WHERE key = :key";
    let values = named_params! {
        ":key": key,
        ":location": new.location,
        ":tags": tags_text(&new.tags),
        ":sku": new.sku.name,
        ":tier": new.sku.tier,
        ":capacity": new.sku.capacity,
        ":mode": new.upgrade_mode.as_str(),
        ":document": new.document,
        ":model": number(new.model),
        ":next": new.next_instance,
        ":principal": principal(new).map(|id| id.to_string()),
    };
    tx.change_one(Noun::ScaleSet, key, Op::Put, sql, values)?;
    let same_identities = (principal(before), &before.user_assigned) == (principal(new), &new.user_assigned);
    if !same_identities {
        revoke_unassigned(tx, before, new)?;
        note_machines(tx, &new.id)?;
    }
    if !same_identities || before.extensions != new.extensions {
        remove_parts(tx, &new.id)?;
        put_parts(tx, new)?;
    }
    Ok(Put::Updated)
}

fn remove(tx: &mut Changing<'_>, id: &ResourceId) -> Result<bool, Error> {
    let Some(scale_set) = tx.scale_set(id)? else { return Ok(false) };
    for machine in tx.virtual_machines_of_scale_set(id)? {
        virtual_machine::remove(tx, &machine.id)?;
    }
    remove_parts(tx, id)?;
    resource::remove_all_within(tx, id)?;
    let key = id.key();
    tx.change_one(Noun::ScaleSet, key, Op::Removed, "DELETE FROM scale_set WHERE key = ?1", [key])?;
    if let Some(principal) = principal(&scale_set) {
        service_principal::bury(tx, principal)?;
    }
    Ok(true)
}

/// Revokes the certificates on the machines' disks of the identities that are not to stay.
fn revoke_unassigned(tx: &mut Changing<'_>, before: &ScaleSet, new: &ScaleSet) -> Result<(), Error> {
    let machines = tx.virtual_machines_of_scale_set(&new.id)?;
    for id in before.user_assigned.iter().filter(|id| !new.user_assigned.contains(id)) {
        let Some(identity) = tx.user_assigned_identity(id)? else { continue };
        for machine in &machines {
            certificate_credential::revoke_all_on(tx, &machine.id, Some(identity.identity.principal_id))?;
        }
    }
    Ok(())
}

/// Notes that the identities of every machine of a scale set have changed.
pub(super) fn note_machines(tx: &mut Changing<'_>, id: &ResourceId) -> Result<(), Error> {
    for machine in tx.virtual_machines_of_scale_set(id)? {
        let key = machine.id.key();
        let sql = "UPDATE virtual_machine SET generation = generation WHERE key = ?1";
        tx.change_one(Noun::VirtualMachine, key, Op::Put, sql, [key])?;
    }
    Ok(())
}

fn remove_parts(tx: &mut Changing<'_>, id: &ResourceId) -> Result<(), Error> {
    for sql in [
        "DELETE FROM scale_set_identity WHERE scale_set = (SELECT pk FROM scale_set WHERE key = ?1)",
        "DELETE FROM scale_set_extension WHERE scale_set = (SELECT pk FROM scale_set WHERE key = ?1)",
    ] {
        tx.change(Noun::ScaleSet, id.key(), Op::Put, sql, [id.key()])?;
    }
    Ok(())
}

fn put_parts(tx: &mut Changing<'_>, new: &ScaleSet) -> Result<(), Error> {
    let key = new.id.key();
    let sql = "INSERT INTO scale_set_identity (scale_set, position, identity) SELECT s.pk, ?2, i.pk \
               FROM scale_set s, user_assigned_identity i WHERE s.key = ?1 AND i.key = ?3";
    for (position, identity) in (0_i64..).zip(&new.user_assigned) {
        if tx.change(Noun::ScaleSet, key, Op::Put, sql, (key, position, identity.key()))? == 0 {
            return Err(Error::Missing { noun: Noun::UserAssignedIdentity, key: identity.key().to_owned() });
        }
    }
    let sql = "INSERT INTO scale_set_extension (scale_set, position, name, publisher, extension_type, \
               type_handler_version, auto_upgrade_minor_version, enable_automatic_upgrade, force_update_tag, \
               settings, protected_kek_id, protected_settings) \
               SELECT pk, :position, :name, :publisher, :type, :version, :minor, :automatic, :tag, :settings, :kek, \
               :protected FROM scale_set WHERE key = :key";
    for (position, ScaleSetExtension { name, spec }) in (0_i64..).zip(&new.extensions) {
        let values = named_params! {
            ":key": key,
            ":position": position,
            ":name": name,
            ":publisher": spec.publisher,
            ":type": spec.extension_type,
            ":version": spec.type_handler_version,
            ":minor": spec.auto_upgrade_minor_version,
            ":automatic": spec.enable_automatic_upgrade,
            ":tag": spec.force_update_tag,
            ":settings": spec.settings,
            ":kek": spec.protected_settings.as_ref().map(|sealed| &sealed.kek_id),
            ":protected": spec.protected_settings.as_ref().map(|sealed| &sealed.bytes),
        };
        tx.change_one(Noun::ScaleSet, key, Op::Put, sql, values)?;
    }
    Ok(())
}

fn principal(scale_set: &ScaleSet) -> Option<PrincipalId> {
    scale_set.system_assigned.as_ref().map(|identity| identity.principal_id)
}

fn with_parts(source: &impl Source, mut bare: ScaleSet) -> Result<ScaleSet, Error> {
    let sql = "SELECT i.key, i.id FROM scale_set s JOIN scale_set_identity a ON a.scale_set = s.pk \
               JOIN user_assigned_identity i ON i.pk = a.identity WHERE s.key = ?1 ORDER BY a.position";
    bare.user_assigned = source
        .reader()
        .many(sql, [bare.id.key()], |row| Row::new(row, "user_assigned_identity", "key").resource_id("id"))?;
    let sql = "SELECT e.* FROM scale_set s JOIN scale_set_extension e ON e.scale_set = s.pk \
               WHERE s.key = ?1 ORDER BY e.position";
    bare.extensions = source.reader().many(sql, [bare.id.key()], |row| {
        let row = Row::new(row, "scale_set_extension", "name");
        Ok(ScaleSetExtension { name: row.get("name")?, spec: extension_spec::read(&row)? })
    })?;
    Ok(bare)
}

fn read(row: &rusqlite::Row<'_>) -> Result<ScaleSet, Error> {
    let row = Row::new(row, "scale_set", "key");
    let mode = |text: &str| UpgradeMode::ALL.into_iter().find(|mode| mode.as_str() == text);
    Ok(ScaleSet {
        id: row.resource_id("id")?,
        unique_id: row.parse("unique_id")?,
        tenant: row.parse("tenant")?,
        name: row.get("name")?,
        location: row.get("location")?,
        tags: row.tags("tags")?,
        sku: Sku { name: row.get("sku_name")?, tier: row.get("sku_tier")?, capacity: row.get("capacity")? },
        upgrade_mode: row.word("upgrade_mode", mode)?,
        system_assigned: system_assigned(&row, row.resource_id("id")?)?,
        user_assigned: Vec::new(),
        extensions: Vec::new(),
        document: row.get("document")?,
        model: row.number("model")?,
        next_instance: row.get("next_instance")?,
        created_at: row.time("created_at")?,
    })
}

/// Takes a user-assigned identity away from every scale set.
pub(super) fn unassign_everywhere(tx: &mut Changing<'_>, identity: &UserAssignedIdentity) -> Result<(), Error> {
    let id = &identity.identity.id;
    for scale_set in tx.scale_sets_with(id)? {
        let sql = "DELETE FROM scale_set_identity WHERE scale_set = (SELECT pk FROM scale_set WHERE key = ?1) \
                   AND identity = (SELECT pk FROM user_assigned_identity WHERE key = ?2)";
        tx.change_one(Noun::ScaleSet, scale_set.key(), Op::Put, sql, [scale_set.key(), id.key()])?;
        note_machines(tx, &scale_set)?;
    }
    Ok(())
}
