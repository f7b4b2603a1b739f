//! The audit.

use rusqlite::Connection;

use super::error::driver;
use super::query::Source;
use super::row::Row;
use crate::{Act, AuditEntry, AuditReader, Error};

/// Appends an act; gives its number.
pub(super) fn append(connection: &Connection, act: &Act) -> Result<i64, Error> {
    let run = || {
        connection
            .prepare_cached("INSERT INTO audit (at, actor, action, target) VALUES (?1, ?2, ?3, ?4) RETURNING seq")?
            .query_row((act.at.unix(), &act.actor, &act.action, &act.target), |row| row.get(0))
    };
    run().map_err(driver("append to the audit"))
}

impl<S: Source> AuditReader for S {
    fn audit(&self, after: u64, limit: usize) -> Result<Vec<AuditEntry>, Error> {
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql = "SELECT seq, at, actor, action, target FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2";
        self.reader().many(sql, [after, limit], |row| {
            let row = Row::new(row, "audit", "seq");
            Ok(AuditEntry { seq: row.number("seq")?, act: act(&row)? })
        })
    }

    fn latest_act(&self) -> Result<Option<Act>, Error> {
        let sql = "SELECT seq, at, actor, action, target FROM audit ORDER BY seq DESC LIMIT 1";
        self.reader().one(sql, [], |row| act(&Row::new(row, "audit", "seq")))
    }
}

fn act(row: &Row<'_, '_>) -> Result<Act, Error> {
    Ok(Act { actor: row.get("actor")?, action: row.get("action")?, target: row.get("target")?, at: row.time("at")? })
}
