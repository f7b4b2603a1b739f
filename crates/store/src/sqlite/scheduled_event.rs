//! What is going to happen to virtual machines.

use domain::{EventId, EventKind, ResourceId, ScheduledEvent};
use rusqlite::named_params;

use super::query::Source;
use super::row::Row;
use super::transaction::{Changing, Writing};
use crate::{Error, Noun, Op, Put, ScheduledEventReader, ScheduledEventWriter};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT e.id, v.id AS vm, e.kind, e.not_before, e.started_at, e.description, e.by_user, e.duration \
             FROM scheduled_event e JOIN virtual_machine v ON v.pk = e.vm ",
            $rest
        )
    };
}

impl<S: Source> ScheduledEventReader for S {
    fn scheduled_event(&self, id: EventId) -> Result<Option<ScheduledEvent>, Error> {
        self.reader().one(select!("WHERE e.id = ?1"), [id.to_string()], read)
    }

    fn scheduled_events_of(&self, vm: &ResourceId) -> Result<(u64, Vec<ScheduledEvent>), Error> {
        let sql = "SELECT key, event_incarnation FROM virtual_machine WHERE key = ?1";
        let incarnation = self
            .reader()
            .one(sql, [vm.key()], |row| Row::new(row, "virtual_machine", "key").number("event_incarnation"))?;
        let events = self.reader().many(select!("WHERE v.key = ?1 ORDER BY e.not_before, e.id"), [vm.key()], read)?;
        Ok((incarnation.unwrap_or(0), events))
    }

    fn scheduled_events(&self) -> Result<Vec<ScheduledEvent>, Error> {
        self.reader().many(select!("ORDER BY e.not_before, e.id"), [], read)
    }
}

impl ScheduledEventWriter for Writing<'_> {
    fn put_scheduled_event(&mut self, event: &ScheduledEvent) -> Result<Put, Error> {
        self.attempt(|tx| put(tx, event))
    }

    fn remove_scheduled_event(&mut self, id: EventId) -> Result<bool, Error> {
        self.attempt(|tx| {
            let Some(event) = tx.scheduled_event(id)? else { return Ok(false) };
            let key = event.vm.key();
            let sql = "DELETE FROM scheduled_event WHERE id = ?1";
            tx.change_one(Noun::ScheduledEvent, key, Op::Removed, sql, [id.to_string()])?;
            count(tx, key)?;
            Ok(true)
        })
    }
}

/// Removes those of a machine that goes.
pub(super) fn remove_of(tx: &mut Changing<'_>, vm: &ResourceId) -> Result<(), Error> {
    let sql = "DELETE FROM scheduled_event WHERE vm = (SELECT pk FROM virtual_machine WHERE key = ?1)";
    tx.change(Noun::ScheduledEvent, vm.key(), Op::Removed, sql, [vm.key()])?;
    Ok(())
}

fn put(tx: &mut Changing<'_>, new: &ScheduledEvent) -> Result<Put, Error> {
    let key = new.vm.key();
    let before = tx.scheduled_event(new.id)?;
    if before.as_ref() == Some(new) {
        return Ok(Put::Unchanged);
    }
    let sql = "INSERT INTO scheduled_event (id, vm, kind, not_before, started_at, description, by_user, duration) \
               SELECT :id, pk, :kind, :not_before, :started, :description, :by_user, :duration \
               FROM virtual_machine WHERE key = :key \
               ON CONFLICT (id) DO UPDATE SET not_before = excluded.not_before, started_at = excluded.started_at, \
               description = excluded.description, duration = excluded.duration";
    let values = named_params! {
        ":key": key,
        ":id": new.id.to_string(),
        ":kind": new.kind.as_str(),
        ":not_before": new.not_before.unix(),
        ":started": new.started_at.map(domain::Timestamp::unix),
        ":description": new.description,
        ":by_user": new.by_user,
        ":duration": new.duration,
    };
    if tx.change(Noun::ScheduledEvent, key, Op::Put, sql, values)? == 0 {
        return Err(Error::Missing { noun: Noun::VirtualMachine, key: key.to_owned() });
    }
    count(tx, key)?;
    Ok(if before.is_some() { Put::Updated } else { Put::Created })
}

/// Counts a change of a machine's events.
fn count(tx: &mut Changing<'_>, key: &str) -> Result<(), Error> {
    let sql = "UPDATE virtual_machine SET event_incarnation = event_incarnation + 1 WHERE key = ?1";
    tx.change_one(Noun::ScheduledEvent, key, Op::Put, sql, [key])
}

fn read(row: &rusqlite::Row<'_>) -> Result<ScheduledEvent, Error> {
    let row = Row::new(row, "scheduled_event", "id");
    Ok(ScheduledEvent {
        id: row.parse("id")?,
        vm: row.resource_id("vm")?,
        kind: row.word("kind", |text| EventKind::ALL.into_iter().find(|kind| kind.as_str() == text))?,
        not_before: row.time("not_before")?,
        started_at: row.optional_time("started_at")?,
        description: row.get("description")?,
        by_user: row.get("by_user")?,
        duration: row.get("duration")?,
    })
}
