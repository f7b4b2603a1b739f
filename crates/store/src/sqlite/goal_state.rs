//! The goal states of VMs.

use domain::{GoalState, Protection, ResourceId};
use rusqlite::named_params;

use super::query::Source;
use super::row::{Row, number};
use super::transaction::{Changing, Writing};
use crate::{Error, GoalStateReader, GoalStateWriter, Noun, Op, Put};

impl<S: Source> GoalStateReader for S {
    fn goal_state(&self, vm: &ResourceId) -> Result<Option<GoalState>, Error> {
        let sql = "SELECT v.key, v.id AS vm, g.incarnation, g.changed_at, g.wanted, g.certificate, g.kek_id, \
                   g.private_key, g.settings, g.renew_at FROM goal_state g JOIN virtual_machine v ON v.pk = g.vm \
                   WHERE v.key = ?1";
        self.reader().one(sql, [vm.key()], read)
    }
}

impl GoalStateWriter for Writing<'_> {
    fn put_goal_state(&mut self, goal_state: &GoalState) -> Result<Put, Error> {
        self.attempt(|tx| put(tx, goal_state))
    }
}

/// Removes that of a machine.
pub(super) fn remove_of(tx: &mut Changing<'_>, vm: &ResourceId) -> Result<(), Error> {
    let sql = "DELETE FROM goal_state WHERE vm = (SELECT pk FROM virtual_machine WHERE key = ?1)";
    tx.change(Noun::GoalState, vm.key(), Op::Removed, sql, [vm.key()])?;
    Ok(())
}

fn put(tx: &mut Changing<'_>, new: &GoalState) -> Result<Put, Error> {
    let key = new.vm.key();
    let before = tx.goal_state(&new.vm)?;
    if let Some(before) = &before {
        if before == new {
            return Ok(Put::Unchanged);
        }
        if before.incarnation >= new.incarnation {
            let why = "it changes without a greater incarnation";
            return Err(Error::Contradiction { noun: Noun::GoalState, key: key.to_owned(), why });
        }
    }
    let sql = "INSERT INTO goal_state (vm, incarnation, changed_at, wanted, certificate, kek_id, private_key, settings, \
               renew_at) SELECT pk, :incarnation, :changed, :wanted, :certificate, :kek, :private, :settings, :renew \
               FROM virtual_machine WHERE key = :key \
               ON CONFLICT (vm) DO UPDATE SET incarnation = excluded.incarnation, changed_at = excluded.changed_at, \
               wanted = excluded.wanted, certificate = excluded.certificate, kek_id = excluded.kek_id, \
               private_key = excluded.private_key, settings = excluded.settings, renew_at = excluded.renew_at";
    let protection = new.protection.as_ref();
    let settings = protection.map(|protection| {
        let settings = protection.settings.iter();
        serde_json::Value::Object(settings.map(|(name, text)| (name.clone(), text.as_str().into())).collect())
            .to_string()
    });
    let values = named_params! {
        ":key": key,
        ":incarnation": number(new.incarnation),
        ":changed": new.changed_at.unix(),
        ":wanted": new.wanted,
        ":certificate": protection.map(|protection| &protection.certificate),
        ":kek": protection.map(|protection| &protection.key.kek_id),
        ":private": protection.map(|protection| &protection.key.bytes),
        ":settings": settings,
        ":renew": protection.and_then(|protection| protection.renew_at).map(domain::Timestamp::unix),
    };
    if tx.change(Noun::GoalState, key, Op::Put, sql, values)? == 0 {
        return Err(Error::Missing { noun: Noun::VirtualMachine, key: key.to_owned() });
    }
    Ok(if before.is_some() { Put::Updated } else { Put::Created })
}

fn read(row: &rusqlite::Row<'_>) -> Result<GoalState, Error> {
    let row = Row::new(row, "goal_state", "key");
    Ok(GoalState {
        vm: row.resource_id("vm")?,
        incarnation: row.number("incarnation")?,
        changed_at: row.time("changed_at")?,
        wanted: row.bytes("wanted")?,
        protection: protection(&row)?,
    })
}

fn protection(row: &Row<'_, '_>) -> Result<Option<Protection>, Error> {
    let Some(certificate) = row.get("certificate")? else { return Ok(None) };
    let key = row.sealed("kek_id", "private_key")?.ok_or_else(|| row.bad("a certificate without its key"))?;
    let settings = row.tags("settings")?;
    Ok(Some(Protection { certificate, key, settings, renew_at: row.optional_time("renew_at")? }))
}
