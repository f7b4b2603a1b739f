//! Resources of unknown types, and the view over those of all types.

use domain::{Resource, ResourceId, ResourceSummary, Scope};

use super::query::Source;
use super::role_assignment;
use super::row::{Row, listed, tags_text};
use super::transaction::{Changing, Writing};
use crate::{Error, Noun, Op, Page, Put, ResourceReader, ResourceWriter};

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT key, id, location, tags, document, created_at, changed_at FROM resource ", $rest)
    };
}

impl<S: Source> ResourceReader for S {
    fn resource(&self, id: &ResourceId) -> Result<Option<Resource>, Error> {
        self.reader().one(select!("WHERE key = ?1"), [id.key()], read)
    }

    fn resources(&self, scope: &Scope, piece: &Page) -> Result<Vec<Resource>, Error> {
        let sql = select!("WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3");
        listed(scope, piece, |from, below, limit| self.reader().many(sql, (from, below, limit), read))
    }

    fn resource_summaries(&self, scope: &Scope, piece: &Page) -> Result<Vec<ResourceSummary>, Error> {
        let sql = "SELECT key, id, location, tags, created_at FROM any_resource \
                   WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3";
        listed(scope, piece, |from, below, limit| self.reader().many(sql, (from, below, limit), summary))
    }
}

fn summary(row: &rusqlite::Row<'_>) -> Result<ResourceSummary, Error> {
    let row = Row::new(row, "any_resource", "key");
    Ok(ResourceSummary {
        id: row.resource_id("id")?,
        location: row.get("location")?,
        tags: row.tags("tags")?,
        created_at: row.optional_time("created_at")?.filter(|at| at.unix() > 0),
    })
}

impl ResourceWriter for Writing<'_> {
    fn put_resource(&mut self, resource: &Resource) -> Result<Put, Error> {
        self.attempt(|tx| put(tx, resource))
    }

    fn remove_resource(&mut self, id: &ResourceId) -> Result<bool, Error> {
        self.attempt(|tx| {
            let found = tx.resource(id)?.is_some();
            if found {
                remove_all_within(tx, id)?;
            }
            Ok(found)
        })
    }
}

/// Removes what is of unknown type at this id, below it or attached to it, and every role over any of that.
pub(super) fn remove_all_within(tx: &mut Changing<'_>, id: &ResourceId) -> Result<(), Error> {
    let scope = Scope::At(id.clone());
    for resource in tx.resources(&scope, &Page::ALL)? {
        let key = resource.id.key();
        tx.change_one(Noun::Resource, key, Op::Removed, "DELETE FROM resource WHERE key = ?1", [key])?;
    }
    role_assignment::remove_all_within(tx, &scope)
}

fn put(tx: &mut Changing<'_>, new: &Resource) -> Result<Put, Error> {
    let before = tx.resource(&new.id)?;
    if let Some(before) = &before
        && (Resource { created_at: before.created_at, changed_at: before.changed_at, ..new.clone() }) == *before
    {
        return Ok(Put::Unchanged);
    }
    let sql = "INSERT INTO resource (key, id, location, tags, document, created_at, changed_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
               ON CONFLICT (key) DO UPDATE SET location = excluded.location, tags = excluded.tags, \
               document = excluded.document, changed_at = excluded.changed_at";
    let key = new.id.key();
    let values = (
        key,
        new.id.as_str(),
        &new.location,
        tags_text(&new.tags),
        &new.document,
        new.created_at.unix(),
        new.changed_at.unix(),
    );
    tx.change_one(Noun::Resource, key, Op::Put, sql, values)?;
    Ok(if before.is_some() { Put::Updated } else { Put::Created })
}

fn read(row: &rusqlite::Row<'_>) -> Result<Resource, Error> {
    let row = Row::new(row, "resource", "key");
    Ok(Resource {
        id: row.resource_id("id")?,
        location: row.get("location")?,
        tags: row.tags("tags")?,
        document: row.get("document")?,
        created_at: row.time("created_at")?,
        changed_at: row.time("changed_at")?,
    })
}
