//! Who asks the endpoints of VMs for tokens.

use domain::caller::MAX_CALLERS;
use domain::{CalledEndpoint, Caller, Calls, Day, ResourceId};
use rusqlite::named_params;

use super::query::Source;
use super::row::{Row, number};
use super::transaction::{Changing, Writing};
use crate::{CallerReader, CallerWriter, Error, Noun, Op, Tally};

/// The user of a process that isn't known.
const NOBODY: i64 = -1;

impl<S: Source> CallerReader for S {
    fn calls(&self, vm: &ResourceId, from: Day) -> Result<Vec<Calls>, Error> {
        let sql = "SELECT v.key, c.* FROM caller c JOIN virtual_machine v ON v.pk = c.vm \
                   WHERE v.key = ?1 AND c.day >= ?2 \
                   ORDER BY c.endpoint, c.day, c.identity, c.client, c.process, c.uid";
        self.reader().many(sql, (vm.key(), from.0), read)
    }
}

impl CallerWriter for Writing<'_> {
    fn count_calls(&mut self, vm: &ResourceId, calls: &[Calls], tally: Tally) -> Result<(), Error> {
        self.attempt(|tx| calls.iter().try_for_each(|one| count(tx, vm, one, tally)))
    }

    fn prune_calls(&mut self, before: Day) -> Result<usize, Error> {
        self.attempt(|tx| {
            let sql = "SELECT DISTINCT v.key FROM caller c JOIN virtual_machine v ON v.pk = c.vm WHERE c.day < ?1";
            let machines: Vec<String> =
                tx.reader().many(sql, [before.0], |row| Row::new(row, "caller", "key").get("key"))?;
            let mut forgotten = 0;
            for key in machines {
                let sql = "DELETE FROM caller WHERE day < ?2 AND vm = (SELECT pk FROM virtual_machine WHERE key = ?1)";
                forgotten += tx.change(Noun::Caller, &key, Op::Put, sql, (&key, before.0))?;
            }
            Ok(forgotten)
        })
    }
}

/// Removes those of a machine.
pub(super) fn remove_of(tx: &mut Changing<'_>, vm: &ResourceId) -> Result<(), Error> {
    let sql = "DELETE FROM caller WHERE vm = (SELECT pk FROM virtual_machine WHERE key = ?1)";
    tx.change(Noun::Caller, vm.key(), Op::Removed, sql, [vm.key()])?;
    Ok(())
}

fn count(tx: &mut Changing<'_>, vm: &ResourceId, calls: &Calls, tally: Tally) -> Result<(), Error> {
    let others = Caller::others();
    let caller = if is_one_too_many(tx, vm, calls)? { &others } else { &calls.caller };
    let key = vm.key();
    // Those that aren't told apart can't be told from those that were counted already.
    let sql = match tally {
        Tally::More => {
            "INSERT INTO caller SELECT pk, :endpoint, :day, :identity, :client, :process, :uid, :calls, :last \
             FROM virtual_machine WHERE key = :key \
             ON CONFLICT DO UPDATE SET calls = calls + excluded.calls, last_at = max(last_at, excluded.last_at)"
        }
        Tally::AtLeast => {
            "INSERT INTO caller SELECT pk, :endpoint, :day, :identity, :client, :process, :uid, :calls, :last \
             FROM virtual_machine WHERE key = :key \
             ON CONFLICT DO UPDATE SET calls = max(calls, excluded.calls), last_at = max(last_at, excluded.last_at) \
             WHERE calls < excluded.calls OR last_at < excluded.last_at"
        }
    };
    let values = named_params! {
        ":key": key,
        ":endpoint": calls.endpoint.as_str(),
        ":day": calls.day.0,
        ":identity": caller.identity.map(|id| id.to_string()).unwrap_or_default(),
        ":client": caller.client,
        ":process": caller.process.as_deref().unwrap_or_default(),
        ":uid": caller.uid.map_or(NOBODY, i64::from),
        ":calls": number(calls.count),
        ":last": calls.last_at.unix(),
    };
    let changed = tx.change(Noun::Caller, key, Op::Put, sql, values)?;
    if changed == 0 && tx.reader().one("SELECT pk FROM virtual_machine WHERE key = ?1", [key], |_| Ok(()))?.is_none() {
        return Err(Error::Missing { noun: Noun::VirtualMachine, key: key.to_owned() });
    }
    Ok(())
}

/// Whether a caller isn't there yet and there is no room for another.
fn is_one_too_many(tx: &Changing<'_>, vm: &ResourceId, calls: &Calls) -> Result<bool, Error> {
    let there = tx.calls(vm, calls.day)?;
    let mut there = there.iter().filter(|one| one.day == calls.day && one.endpoint == calls.endpoint);
    let known = there.clone().any(|one| one.caller == calls.caller);
    // One place is kept for the others.
    Ok(!known && there.nth(MAX_CALLERS - 2).is_some())
}

fn read(row: &rusqlite::Row<'_>) -> Result<Calls, Error> {
    let row = Row::new(row, "caller", "key");
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    let uid: i64 = row.get("uid")?;
    let identity = given(row.get("identity")?);
    Ok(Calls {
        endpoint: row.word("endpoint", |text| CalledEndpoint::ALL.into_iter().find(|one| one.as_str() == text))?,
        day: Day(row.get("day")?),
        caller: Caller {
            identity: identity.map(|id| id.parse().map_err(|why: domain::InvalidGuid| row.bad(why))).transpose()?,
            client: row.get("client")?,
            process: given(row.get("process")?),
            uid: u32::try_from(uid).ok(),
        },
        count: row.number("calls")?,
        last_at: row.time("last_at")?,
    })
}
