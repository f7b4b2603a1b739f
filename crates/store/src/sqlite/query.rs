//! Looking up: statements that only read, and rows that become what they stand for or name themselves in the error.

use rusqlite::{Connection, Params, Row};

use super::error::driver;
use crate::Error;

/// A connection that may only be looked at. What implements the traits for reading sees no more of it than this, so
/// that no change can pass by the audit and the feed.
#[derive(Clone, Copy)]
pub(super) struct Reader<'c>(&'c Connection);

/// Whatever can be read from: a snapshot, or an open transaction.
pub(super) trait Source {
    fn reader(&self) -> Reader<'_>;
}

impl<'c> Reader<'c> {
    pub(super) fn new(connection: &'c Connection) -> Self {
        Self(connection)
    }

    /// The first row, when there is one.
    pub(super) fn one<T>(
        self,
        sql: &str,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let mut found = None;
        self.each(sql, params, |row| {
            if found.is_none() {
                found = Some(read(row)?);
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Every row.
    pub(super) fn many<T>(
        self,
        sql: &str,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut found = Vec::new();
        self.each(sql, params, |row| {
            found.push(read(row)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// Calls `visit` with every row.
    pub(super) fn each(
        self,
        sql: &str,
        params: impl Params,
        mut visit: impl FnMut(&Row<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut statement = self.0.prepare_cached(sql).map_err(driver("prepare a query"))?;
        debug_assert!(statement.readonly(), "a query must not write: {sql}");
        let mut rows = statement.query(params).map_err(driver("run a query"))?;
        while let Some(row) = rows.next().map_err(driver("read a row"))? {
            visit(row)?;
        }
        Ok(())
    }
}
