//! Resource groups.

use domain::{ResourceGroup, ResourceId, SubscriptionId};

use super::query::Source;
use super::row::{Row, tags_text};
use super::transaction::Writing;
use crate::{Error, Noun, Op, Put, ResourceGroupReader, ResourceGroupWriter, SubscriptionReader as _};

impl<S: Source> ResourceGroupReader for S {
    fn resource_group(&self, id: &ResourceId) -> Result<Option<ResourceGroup>, Error> {
        let sql = "SELECT key, id, name, location, tags, subscription FROM resource_group WHERE key = ?1";
        self.reader().one(sql, [id.key()], read)
    }

    fn resource_groups(&self, subscription: SubscriptionId) -> Result<Vec<ResourceGroup>, Error> {
        let sql = "SELECT key, id, name, location, tags, subscription FROM resource_group \
                   WHERE subscription = ?1 ORDER BY key";
        self.reader().many(sql, [subscription.to_string()], read)
    }
}

impl ResourceGroupWriter for Writing<'_> {
    fn put_resource_group(&mut self, group: &ResourceGroup) -> Result<Put, Error> {
        self.attempt(|tx| {
            let key = group.id.key();
            let named = group.id.resource_group().filter(|_| group.id.provider().is_none());
            if !named.is_some_and(|name| name.eq_ignore_ascii_case(&group.name))
                || group.id.subscription() != Some(group.subscription)
            {
                let why = "its id has another name or subscription";
                return Err(Error::Contradiction { noun: Noun::ResourceGroup, key: key.to_owned(), why });
            }
            let before = tx.resource_group(&group.id)?;
            match &before {
                Some(before) if (&before.location, &before.tags) == (&group.location, &group.tags) => {
                    return Ok(Put::Unchanged);
                }
                Some(_) => {}
                None if tx.subscription(group.subscription)?.is_none() => {
                    return Err(Error::Missing { noun: Noun::Subscription, key: group.subscription.to_string() });
                }
                None => {}
            }
            let sql = "INSERT INTO resource_group (key, id, name, location, tags, subscription) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
                       ON CONFLICT (key) DO UPDATE SET location = excluded.location, tags = excluded.tags";
            let (tags, subscription) = (tags_text(&group.tags), group.subscription.to_string());
            let values = (key, group.id.as_str(), &group.name, &group.location, tags, subscription);
            tx.change_one(Noun::ResourceGroup, key, Op::Put, sql, values)?;
            Ok(if before.is_some() { Put::Updated } else { Put::Created })
        })
    }

    fn remove_resource_group(&mut self, id: &ResourceId) -> Result<bool, Error> {
        self.attempt(|tx| {
            let sql = "DELETE FROM resource_group WHERE key = ?1";
            Ok(tx.change(Noun::ResourceGroup, id.key(), Op::Removed, sql, [id.key()])? > 0)
        })
    }
}

/// The row number of the resource group that a resource is in.
pub(super) fn of(source: &impl Source, resource: &ResourceId) -> Result<i64, Error> {
    let group = resource.group();
    let key = group.as_ref().map(ResourceId::key).unwrap_or_default();
    source
        .reader()
        .one("SELECT key, pk FROM resource_group WHERE key = ?1", [key], |row| {
            Row::new(row, "resource_group", "key").get("pk")
        })?
        .ok_or_else(|| Error::Missing { noun: Noun::ResourceGroup, key: key.to_owned() })
}

fn read(row: &rusqlite::Row<'_>) -> Result<ResourceGroup, Error> {
    let row = Row::new(row, "resource_group", "key");
    Ok(ResourceGroup {
        id: row.resource_id("id")?,
        name: row.get("name")?,
        location: row.get("location")?,
        tags: row.tags("tags")?,
        subscription: row.parse("subscription")?,
    })
}
