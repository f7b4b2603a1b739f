//! The change feed. One writer at a time means that revisions become visible in their order, so "everything above the
//! last revision seen" loses nothing here. (Where several write at once it does; see the module of the traits.)

use domain::Timestamp;
use rusqlite::Connection;

use super::PAGE;
use super::error::driver;
use super::query::Source;
use super::row::Row;
use super::transaction::Touched;
use crate::{Change, ChangeFeedReader, Changes, Cursor, CursorExpired, Error, Noun, Op};

/// Appends what an act changed; the head then, when it changed anything.
pub(super) fn append(
    connection: &Connection,
    entry: i64,
    at: Timestamp,
    touched: &Touched,
) -> Result<Option<Cursor>, Error> {
    let sql = "INSERT INTO change_feed (audit, at, noun, key, op) VALUES (?1, ?2, ?3, ?4, ?5) \
               RETURNING (SELECT epoch FROM installation) AS epoch, rev AS head";
    let failed = |why| driver("append to the change feed")(why);
    let mut insert = connection.prepare_cached(sql).map_err(failed)?;
    let mut last = None;
    for ((noun, key), op) in touched {
        let values = (entry, at.unix(), noun.as_str(), key, op_text(*op));
        last =
            Some(insert.query_row(values, |row| Ok(head(&Row::new(row, "installation", "epoch")))).map_err(failed)??);
    }
    Ok(last)
}

/// Reads everything that is kept.
pub(super) fn check(source: &impl Source) -> Result<(), Error> {
    let bounds = bounds(source)?;
    let mut cursor = Cursor { position: bounds.floor, ..bounds.head };
    while cursor.position < bounds.head.position {
        let page = source.changes(&cursor, PAGE)?;
        if page.changes.is_empty() {
            break;
        }
        cursor = page.next;
    }
    Ok(())
}

/// Forgets what changed before an instant, in order: it stops at the first change that is younger, but leaves no more
/// than `most`.
pub(super) fn prune(connection: &Connection, before: Timestamp, most: u64) -> Result<u64, Error> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let run = || {
        let floor = "SELECT max(coalesce((SELECT min(rev) FROM change_feed WHERE at >= ?1) - 1, max(rev)), max(rev) - ?2) \
                     FROM change_feed";
        let values = (before.unix(), most);
        let floor: Option<i64> = connection.prepare_cached(floor)?.query_row(values, |row| row.get(0))?;
        let pruned = connection.prepare_cached("DELETE FROM change_feed WHERE rev <= ?1")?.execute([floor])?;
        if pruned > 0 {
            connection.prepare_cached("UPDATE installation SET feed_floor = ?1")?.execute([floor])?;
        }
        Ok(u64::try_from(pruned).unwrap_or(u64::MAX))
    };
    run().map_err(driver("prune the change feed"))
}

impl<S: Source> ChangeFeedReader for S {
    fn cursor(&self) -> Result<Cursor, Error> {
        bounds(self).map(|bounds| bounds.head)
    }

    fn changes(&self, after: &Cursor, limit: usize) -> Result<Changes, Error> {
        let bounds = bounds(self)?;
        if after.epoch != bounds.head.epoch {
            return Err(Error::Cursor(CursorExpired::OtherEpoch));
        }
        if after.position < bounds.floor {
            return Err(Error::Cursor(CursorExpired::TooOld));
        }
        if after.position > bounds.head.position {
            return Err(Error::Cursor(CursorExpired::Ahead));
        }
        let from = i64::try_from(after.position).unwrap_or(i64::MAX);
        let limit = i64::try_from(limit.max(1)).unwrap_or(i64::MAX);
        let mut next = *after;
        let sql = "SELECT rev, at, noun, key, op FROM change_feed WHERE rev > ?1 ORDER BY rev LIMIT ?2";
        let changes = self.reader().many(sql, [from, limit], |row| {
            let row = Row::new(row, "change_feed", "rev");
            next.position = row.number("rev")?;
            Ok(Change {
                noun: row.word("noun", Noun::from_stored)?,
                key: row.get("key")?,
                op: row.word("op", op_from_text)?,
                at: row.time("at")?,
            })
        })?;
        Ok(Changes { changes, next })
    }
}

struct Bounds {
    floor: u64,
    head: Cursor,
}

fn bounds(source: &impl Source) -> Result<Bounds, Error> {
    let sql = "SELECT epoch, feed_floor, coalesce((SELECT max(rev) FROM change_feed), feed_floor) AS head \
               FROM installation";
    source
        .reader()
        .one(sql, [], |row| {
            let row = Row::new(row, "installation", "epoch");
            Ok(Bounds { floor: row.number("feed_floor")?, head: head(&row)? })
        })?
        .ok_or_else(|| Error::stored("installation", "1", "there is no such row"))
}

fn head(row: &Row<'_, '_>) -> Result<Cursor, Error> {
    Ok(Cursor { epoch: row.parse("epoch")?, position: row.number("head")? })
}

fn op_text(op: Op) -> &'static str {
    match op {
        Op::Put => "put",
        Op::Removed => "removed",
    }
}

fn op_from_text(text: &str) -> Option<Op> {
    [Op::Put, Op::Removed].into_iter().find(|op| op_text(*op) == text)
}
