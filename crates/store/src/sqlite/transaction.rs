//! Open transactions. Everything that is written goes through [`Changing::change`], which notes the noun for the feed:
//! there is no other way to the connection, so a change cannot go unrecorded.

use std::collections::BTreeMap;
use std::sync::MutexGuard;

use domain::Timestamp;
use rusqlite::{Connection, Params};

use super::error::driver;
use super::query::{Reader, Source};
use super::{Lease, audit, change_feed, error};
use crate::{Act, ChangeFeedReader as _, ChangeFeedWriter, Cursor, Error, Noun, Op, ReadTx, Tx};

/// What changed so far, each noun once.
pub(super) type Touched = BTreeMap<(Noun, String), Op>;

/// A snapshot.
pub(super) struct Reading<'s> {
    connection: Lease<'s>,
}

impl<'s> Reading<'s> {
    pub(super) fn start(connection: Lease<'s>) -> Result<Self, Error> {
        let reading = Self { connection };
        run(&reading.connection, "BEGIN DEFERRED").map_err(driver("open a snapshot"))?;
        // A deferred transaction takes its snapshot at its first read.
        reading.reader().one("SELECT one FROM installation", [], |_| Ok(()))?;
        Ok(reading)
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        roll_back(&self.connection);
    }
}

impl Source for Reading<'_> {
    fn reader(&self) -> Reader<'_> {
        Reader::new(&self.connection)
    }
}

/// A transaction that may write.
pub(super) struct Writing<'s> {
    connection: MutexGuard<'s, Connection>,
    act: Act,
    touched: Touched,
    pruned: bool,
    recorded: bool,
    spoilt: bool,
}

impl<'s> Writing<'s> {
    pub(super) fn start(connection: MutexGuard<'s, Connection>, act: Act) -> Result<Self, Error> {
        roll_back(&connection);
        run(&connection, "BEGIN IMMEDIATE").map_err(driver("open a transaction"))?;
        Ok(Self { connection, act, touched: Touched::new(), pruned: false, recorded: false, spoilt: false })
    }

    /// Makes changes. When they fail the transaction is spoilt, since some of them may have been made.
    pub(super) fn attempt<T>(
        &mut self,
        changes: impl FnOnce(&mut Changing<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut changing = Changing { connection: &self.connection, at: self.act.at, touched: &mut self.touched };
        let done = changes(&mut changing);
        self.spoilt |= done.is_err();
        done
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        roll_back(&self.connection);
    }
}

impl Source for Writing<'_> {
    fn reader(&self) -> Reader<'_> {
        Reader::new(&self.connection)
    }
}

impl Tx for Writing<'_> {
    fn save(self: Box<Self>) -> Result<Cursor, Error> {
        if self.spoilt {
            return Err(Error::Spoilt);
        }
        let mut head = None;
        if !self.touched.is_empty() || self.pruned || self.recorded {
            let entry = audit::append(&self.connection, &self.act)?;
            head = change_feed::append(&self.connection, entry, self.act.at, &self.touched)?;
        }
        let cursor = head.map_or_else(|| self.cursor(), Ok)?;
        run(&self.connection, "COMMIT").map_err(driver("commit"))?;
        Ok(cursor)
    }

    fn record(&mut self) {
        self.recorded = true;
    }
}

impl ChangeFeedWriter for Writing<'_> {
    fn prune_changes(&mut self, before: Timestamp, most: u64) -> Result<u64, Error> {
        let pruned = change_feed::prune(&self.connection, before, most);
        self.spoilt |= pruned.is_err();
        self.pruned |= pruned.as_ref().is_ok_and(|count| *count > 0);
        pruned
    }
}

impl<S: Source> ReadTx for S {}

/// A transaction while something is changed.
pub(super) struct Changing<'t> {
    connection: &'t Connection,
    at: Timestamp,
    touched: &'t mut Touched,
}

impl Changing<'_> {
    /// When the act happens.
    pub(super) fn at(&self) -> Timestamp {
        self.at
    }

    /// Runs a statement that changes a noun; says how many rows it touched. When it touched none, nothing changed.
    pub(super) fn change(
        &mut self,
        noun: Noun,
        key: &str,
        op: Op,
        sql: &str,
        params: impl Params,
    ) -> Result<usize, Error> {
        let run = || self.connection.prepare_cached(sql)?.execute(params);
        let rows = run().map_err(|failed| error::change(noun, key, op, failed))?;
        if rows > 0 {
            self.touched.insert((noun, key.to_owned()), op);
        }
        Ok(rows)
    }

    /// The same for a statement that must touch one row.
    pub(super) fn change_one(
        &mut self,
        noun: Noun,
        key: &str,
        op: Op,
        sql: &str,
        params: impl Params,
    ) -> Result<(), Error> {
        match self.change(noun, key, op, sql, params)? {
            1 => Ok(()),
            actual => Err(Error::Rows { noun, key: key.to_owned(), expected: 1, actual }),
        }
    }
}

impl Source for Changing<'_> {
    fn reader(&self) -> Reader<'_> {
        Reader::new(self.connection)
    }
}

/// Ends a transaction that was not committed. When even that fails the next one tries again.
fn roll_back(connection: &Connection) {
    if !connection.is_autocommit()
        && let Err(failed) = run(connection, "ROLLBACK")
    {
        tracing::error!(error = %failed, "a transaction could not be rolled back");
    }
}

/// Runs a statement that every transaction needs, which therefore is kept compiled.
fn run(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}
