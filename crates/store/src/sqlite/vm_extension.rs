//! VM extensions.

use domain::{ResourceId, VmExtension};

use super::query::Source;
use super::row::Row;
use super::transaction::{Changing, Writing};
use crate::{Error, Noun, Op, Put, VmExtensionReader, VmExtensionWriter};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT e.key, e.id, v.id AS vm, e.name, e.publisher, e.extension_type, e.type_handler_version, e.settings \
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
               (key, id, vm, name, publisher, extension_type, type_handler_version, settings) \
               SELECT ?1, ?2, pk, ?4, ?5, ?6, ?7, ?8 FROM virtual_machine WHERE key = ?3 \
               ON CONFLICT (key) DO UPDATE SET publisher = excluded.publisher, \
               extension_type = excluded.extension_type, type_handler_version = excluded.type_handler_version, \
               settings = excluded.settings";
    let values = [
        key,
        new.id.as_str(),
        new.vm.key(),
        &new.name,
        &new.publisher,
        &new.extension_type,
        &new.type_handler_version,
        &new.settings,
    ];
    if tx.change(Noun::VmExtension, key, Op::Put, sql, values)? == 0 {
        return Err(Error::Missing { noun: Noun::VirtualMachine, key: new.vm.key().to_owned() });
    }
    Ok(if before.is_some() { Put::Updated } else { Put::Created })
}

fn remove(tx: &mut Changing<'_>, id: &ResourceId) -> Result<bool, Error> {
    let sql = "DELETE FROM vm_extension WHERE key = ?1";
    Ok(tx.change(Noun::VmExtension, id.key(), Op::Removed, sql, [id.key()])? > 0)
}

fn read(row: &rusqlite::Row<'_>) -> Result<VmExtension, Error> {
    let row = Row::new(row, "vm_extension", "key");
    Ok(VmExtension {
        id: row.resource_id("id")?,
        vm: row.resource_id("vm")?,
        name: row.get("name")?,
        publisher: row.get("publisher")?,
        extension_type: row.get("extension_type")?,
        type_handler_version: row.get("type_handler_version")?,
        settings: row.get("settings")?,
    })
}
