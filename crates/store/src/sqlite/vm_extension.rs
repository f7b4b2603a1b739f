//! VM extensions.

use domain::{HandlerOutcome, HandlerStatus, ProvisioningState, ResourceId, VmExtension};
use rusqlite::named_params;

use super::query::Source;
use super::row::{Row, number, tags_text};
use super::transaction::{Changing, Writing};
use super::{certificate_credential, cutover, extension_spec, resource};
use crate::{Error, Noun, Op, Put, VmExtensionReader, VmExtensionWriter};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT e.key, e.id, v.id AS vm, e.name, e.location, e.tags, e.publisher, e.extension_type, \
             e.type_handler_version, e.auto_upgrade_minor_version, e.enable_automatic_upgrade, e.force_update_tag, \
             e.settings, e.protected_kek_id, e.protected_settings, e.disabled, e.sequence, e.state, e.status_sequence, \
             e.status_outcome, e.status_code, e.status_version, e.status_message, e.status_at \
             FROM vm_extension e JOIN virtual_machine v ON v.pk = e.vm ",
            $rest
        )
    };
}

impl<S: Source> VmExtensionReader for S {
    fn vm_extension(&self, id: &ResourceId) -> Result<Option<VmExtension>, Error> {
        self.reader().one(select!("WHERE e.key = ?1"), [id.key()], read)
    }

    fn vm_extensions(&self, vm: &ResourceId) -> Result<Vec<VmExtension>, Error> {
        self.reader().many(select!("WHERE v.key = ?1 ORDER BY e.key"), [vm.key()], read)
    }

    fn vm_extensions_of_scale_set(&self, scale_set: &ResourceId) -> Result<Vec<VmExtension>, Error> {
        let sql = select!("JOIN scale_set s ON s.pk = v.scale_set WHERE s.key = ?1 ORDER BY e.key");
        self.reader().many(sql, [scale_set.key()], read)
    }
}

impl VmExtensionWriter for Writing<'_> {
    fn put_vm_extension(&mut self, extension: &VmExtension) -> Result<Put, Error> {
        self.attempt(|tx| put(tx, extension))
    }

    fn remove_vm_extension(&mut self, id: &ResourceId) -> Result<bool, Error> {
        self.attempt(|tx| remove(tx, id))
    }
}

/// Removes every extension of a machine.
pub(super) fn remove_all_of(tx: &mut Changing<'_>, vm: &ResourceId) -> Result<(), Error> {
    for extension in tx.vm_extensions(vm)? {
        remove(tx, &extension.id)?;
    }
    Ok(())
}

fn put(tx: &mut Changing<'_>, new: &VmExtension) -> Result<Put, Error> {
    let key = new.id.key();
    let contradicts = !new.id.name().eq_ignore_ascii_case(&new.name) || new.id.parent().as_ref() != Some(&new.vm);
    if contradicts {
        let why = "its id has another name or machine";
        return Err(Error::Contradiction { noun: Noun::VmExtension, key: key.to_owned(), why });
    }
    let before = tx.vm_extension(&new.id)?;
    if let Some(before) = &before
        && (VmExtension { name: before.name.clone(), ..new.clone() }) == *before
    {
        return Ok(Put::Unchanged);
    }
    let sql = "INSERT INTO vm_extension \
               (key, id, vm, name, location, tags, publisher, extension_type, type_handler_version, \
               auto_upgrade_minor_version, enable_automatic_upgrade, force_update_tag, settings, protected_kek_id, \
               protected_settings, disabled, sequence, state, status_sequence, status_outcome, status_code, \
               status_version, status_message, status_at) \
               SELECT :key, :id, pk, :name, :location, :tags, :publisher, :type, :version, :minor, :automatic, :tag, \
               :settings, :kek, :protected, :disabled, :sequence, :state, :status_sequence, :outcome, :code, \
               :status_version, :message, :at FROM virtual_machine WHERE key = :vm \
               ON CONFLICT (key) DO UPDATE SET location = excluded.location, tags = excluded.tags, \
               publisher = excluded.publisher, extension_type = excluded.extension_type, \
               type_handler_version = excluded.type_handler_version, \
               auto_upgrade_minor_version = excluded.auto_upgrade_minor_version, \
               enable_automatic_upgrade = excluded.enable_automatic_upgrade, \
               force_update_tag = excluded.force_update_tag, settings = excluded.settings, \
               protected_kek_id = excluded.protected_kek_id, protected_settings = excluded.protected_settings, \
               disabled = excluded.disabled, sequence = excluded.sequence, state = excluded.state, \
               status_sequence = excluded.status_sequence, \
               status_outcome = excluded.status_outcome, status_code = excluded.status_code, \
               status_version = excluded.status_version, status_message = excluded.status_message, \
               status_at = excluded.status_at";
    let (spec, status) = (&new.spec, new.status.as_ref());
    let (outcome, code) = status.map_or((None, None), |status| {
        let (word, code) = words(status.outcome);
        (Some(word), code)
    });
    let values = named_params! {
        ":key": key,
        ":id": new.id.as_str(),
        ":vm": new.vm.key(),
        ":name": new.name,
        ":location": new.location,
        ":tags": tags_text(&new.tags),
        ":publisher": spec.publisher,
        ":type": spec.extension_type,
        ":version": spec.type_handler_version,
        ":minor": spec.auto_upgrade_minor_version,
        ":automatic": spec.enable_automatic_upgrade,
        ":tag": spec.force_update_tag,
        ":settings": spec.settings.as_deref().unwrap_or_default(),
        ":kek": spec.protected_settings.as_ref().map(|sealed| &sealed.kek_id),
        ":protected": spec.protected_settings.as_ref().map(|sealed| &sealed.bytes),
        ":disabled": new.disabled,
        ":sequence": number(new.sequence),
        ":state": new.state.as_str(),
        ":status_sequence": status.map(|status| number(status.sequence)),
        ":outcome": outcome,
        ":code": code,
        ":status_version": status.map(|status| &status.version),
        ":message": status.map(|status| &status.message),
        ":at": status.map(|status| status.at.unix()),
    };
    if tx.change(Noun::VmExtension, key, Op::Put, sql, values)? == 0 {
        return Err(Error::Missing { noun: Noun::VirtualMachine, key: new.vm.key().to_owned() });
    }
    Ok(if before.is_some() { Put::Updated } else { Put::Created })
}

fn remove(tx: &mut Changing<'_>, id: &ResourceId) -> Result<bool, Error> {
    let before = tx.vm_extension(id)?;
    let sql = "DELETE FROM vm_extension WHERE key = ?1";
    let found = tx.change(Noun::VmExtension, id.key(), Op::Removed, sql, [id.key()])? > 0;
    if let Some(gone) = before.filter(|_| found) {
        resource::remove_all_within(tx, id)?;
        if gone.is_managed_identity() {
            revoke(tx, &gone)?;
        }
    }
    Ok(found)
}

/// What it had on the disk may have been copied. What others of the machine sign with too stays while there are any.
fn revoke(tx: &mut Changing<'_>, gone: &VmExtension) -> Result<(), Error> {
    if tx.vm_extensions(&gone.vm)?.iter().any(VmExtension::is_managed_identity) {
        return certificate_credential::revoke_all_held_by(tx, &gone.vm, &gone.id);
    }
    certificate_credential::revoke_all_on(tx, &gone.vm, None)?;
    cutover::remove_of(tx, &gone.vm)
}

fn words(outcome: HandlerOutcome) -> (&'static str, Option<i32>) {
    match outcome {
        HandlerOutcome::Transitioning => ("transitioning", None),
        HandlerOutcome::Success => ("success", None),
        HandlerOutcome::Error(code) => ("error", Some(code)),
        HandlerOutcome::Terminal(code) => ("terminal", Some(code)),
    }
}

fn read(row: &rusqlite::Row<'_>) -> Result<VmExtension, Error> {
    let row = Row::new(row, "vm_extension", "key");
    let state = row.word("state", |text| ProvisioningState::ALL.into_iter().find(|state| state.as_str() == text))?;
    Ok(VmExtension {
        id: row.resource_id("id")?,
        vm: row.resource_id("vm")?,
        name: row.get("name")?,
        location: row.get("location")?,
        tags: row.tags("tags")?,
        spec: extension_spec::read(&row)?,
        disabled: row.get("disabled")?,
        sequence: row.number("sequence")?,
        state,
        status: status(&row)?,
    })
}

fn status(row: &Row<'_, '_>) -> Result<Option<HandlerStatus>, Error> {
    let Some(outcome): Option<String> = row.get("status_outcome")? else { return Ok(None) };
    let code = || row.get::<i32>("status_code");
    let outcome = match outcome.as_str() {
        "transitioning" => HandlerOutcome::Transitioning,
        "success" => HandlerOutcome::Success,
        "error" => HandlerOutcome::Error(code()?),
        "terminal" => HandlerOutcome::Terminal(code()?),
        other => return Err(row.bad(format!("unknown outcome '{other}'"))),
    };
    Ok(Some(HandlerStatus {
        sequence: row.number("status_sequence")?,
        outcome,
        version: row.get("status_version")?,
        message: row.get("status_message")?,
        at: row.time("status_at")?,
    }))
}
