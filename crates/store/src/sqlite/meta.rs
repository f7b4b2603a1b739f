//! Facts about the installation, and named values.

use uuid::Uuid;

use super::query::Source;
use super::row::Row;
use super::transaction::Writing;
use crate::{Error, MetaReader, MetaWriter, Noun, Op, Put};

impl<S: Source> MetaReader for S {
    fn installation(&self) -> Result<Uuid, Error> {
        self.reader()
            .one("SELECT installation FROM installation", [], |row| {
                Row::new(row, "installation", "installation").parse("installation")
            })?
            .ok_or_else(|| Error::stored("installation", "1", "there is no such row"))
    }

    fn format_version(&self) -> Result<u32, Error> {
        let version = self.reader().one("SELECT max(number) AS number FROM migration", [], |row| {
            Row::new(row, "migration", "number").get("number")
        })?;
        Ok(version.unwrap_or(0))
    }

    fn value(&self, name: &str) -> Result<Option<String>, Error> {
        self.reader().one("SELECT name, value FROM meta WHERE name = ?1", [name], |row| {
            Row::new(row, "meta", "name").get("value")
        })
    }
}

impl MetaWriter for Writing<'_> {
    fn put_value(&mut self, name: &str, value: &str) -> Result<Put, Error> {
        self.attempt(|tx| {
            let before = tx.value(name)?;
            if before.as_deref() == Some(value) {
                return Ok(Put::Unchanged);
            }
            let sql = "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value";
            tx.change_one(Noun::Meta, name, Op::Put, sql, [name, value])?;
            Ok(if before.is_some() { Put::Updated } else { Put::Created })
        })
    }

    fn remove_value(&mut self, name: &str) -> Result<bool, Error> {
        self.attempt(|tx| {
            let rows = tx.change(Noun::Meta, name, Op::Removed, "DELETE FROM meta WHERE name = ?1", [name])?;
            Ok(rows > 0)
        })
    }
}
