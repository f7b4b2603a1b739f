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
            let act = Act {
                actor: row.get("actor")?,
                action: row.get("action")?,
                target: row.get("target")?,
                at: row.time("at")?,
            };
            Ok(AuditEntry { seq: row.number("seq")?, act })
        })
    }
}
