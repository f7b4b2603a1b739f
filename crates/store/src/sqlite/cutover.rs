//! The way of machines from the extension to the metadata service.

use domain::{Cutover, ResourceId, Step};
use rusqlite::named_params;

use super::query::Source;
use super::row::Row;
use super::transaction::{Changing, Writing};
use crate::{CutoverReader, CutoverWriter, Error, Noun, Op, Put};

impl<S: Source> CutoverReader for S {
    fn cutover(&self, vm: &ResourceId) -> Result<Option<Cutover>, Error> {
        let sql = "SELECT v.key, v.id AS vm, c.wanted, c.since, c.reached, c.reached_at, c.failed \
                   FROM cutover c JOIN virtual_machine v ON v.pk = c.vm WHERE v.key = ?1";
        self.reader().one(sql, [vm.key()], read)
    }
}

impl CutoverWriter for Writing<'_> {
    fn put_cutover(&mut self, cutover: &Cutover) -> Result<Put, Error> {
        self.attempt(|tx| put(tx, cutover))
    }
}

/// Removes that of a machine.
pub(super) fn remove_of(tx: &mut Changing<'_>, vm: &ResourceId) -> Result<(), Error> {
    let sql = "DELETE FROM cutover WHERE vm = (SELECT pk FROM virtual_machine WHERE key = ?1)";
    tx.change(Noun::Cutover, vm.key(), Op::Removed, sql, [vm.key()])?;
    Ok(())
}

fn put(tx: &mut Changing<'_>, new: &Cutover) -> Result<Put, Error> {
    let key = new.vm.key();
    let before = tx.cutover(&new.vm)?;
    if before.as_ref() == Some(new) {
        return Ok(Put::Unchanged);
    }
    let sql = "INSERT INTO cutover (vm, wanted, since, reached, reached_at, failed) \
               SELECT pk, :wanted, :since, :reached, :reached_at, :failed FROM virtual_machine WHERE key = :key \
               ON CONFLICT (vm) DO UPDATE SET wanted = excluded.wanted, since = excluded.since, \
               reached = excluded.reached, reached_at = excluded.reached_at, failed = excluded.failed";
    let values = named_params! {
        ":key": key,
        ":wanted": new.wanted.as_str(),
        ":since": new.since.unix(),
        ":reached": new.reached.as_str(),
        ":reached_at": new.reached_at.unix(),
        ":failed": new.failed,
    };
    if tx.change(Noun::Cutover, key, Op::Put, sql, values)? == 0 {
        return Err(Error::Missing { noun: Noun::VirtualMachine, key: key.to_owned() });
    }
    Ok(if before.is_some() { Put::Updated } else { Put::Created })
}

fn read(row: &rusqlite::Row<'_>) -> Result<Cutover, Error> {
    let row = Row::new(row, "cutover", "key");
    Ok(Cutover {
        vm: row.resource_id("vm")?,
        wanted: row.word("wanted", Step::of)?,
        since: row.time("since")?,
        reached: row.word("reached", Step::of)?,
        reached_at: row.time("reached_at")?,
        failed: row.get("failed")?,
    })
}
