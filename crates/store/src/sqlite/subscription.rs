//! Subscriptions.

use domain::{Subscription, SubscriptionId};

use super::query::Source;
use super::row::Row;
use super::transaction::Writing;
use crate::{Error, Noun, Op, Put, SubscriptionReader, SubscriptionWriter, TenantReader as _};

impl<S: Source> SubscriptionReader for S {
    fn subscription(&self, id: SubscriptionId) -> Result<Option<Subscription>, Error> {
        self.reader().one("SELECT id, name, tenant FROM subscription WHERE id = ?1", [id.to_string()], read)
    }

    fn subscription_by_name(&self, name: &str) -> Result<Option<Subscription>, Error> {
        self.reader().one("SELECT id, name, tenant FROM subscription WHERE name = ?1", [name], read)
    }

    fn subscriptions(&self) -> Result<Vec<Subscription>, Error> {
        self.reader().many("SELECT id, name, tenant FROM subscription ORDER BY name", [], read)
    }
}

impl SubscriptionWriter for Writing<'_> {
    fn put_subscription(&mut self, subscription: &Subscription) -> Result<Put, Error> {
        self.attempt(|tx| {
            let key = subscription.id.to_string();
            let before = tx.subscription(subscription.id)?;
            match &before {
                Some(before) if before == subscription => return Ok(Put::Unchanged),
                Some(before) if before.tenant != subscription.tenant => {
                    let why = "it belongs to another tenant";
                    return Err(Error::Contradiction { noun: Noun::Subscription, key, why });
                }
                Some(_) => {}
                None if tx.tenant(subscription.tenant)?.is_none() => {
                    return Err(Error::Missing { noun: Noun::Tenant, key: subscription.tenant.to_string() });
                }
                None => {}
            }
            let sql = "INSERT INTO subscription (id, name, tenant) VALUES (?1, ?2, ?3) \
                       ON CONFLICT (id) DO UPDATE SET name = excluded.name";
            let tenant = subscription.tenant.to_string();
            tx.change_one(Noun::Subscription, &key, Op::Put, sql, [&key, &subscription.name, &tenant])?;
            Ok(if before.is_some() { Put::Updated } else { Put::Created })
        })
    }

    fn remove_subscription(&mut self, id: SubscriptionId) -> Result<bool, Error> {
        self.attempt(|tx| {
            let key = id.to_string();
            let sql = "DELETE FROM subscription WHERE id = ?1";
            Ok(tx.change(Noun::Subscription, &key, Op::Removed, sql, [&key])? > 0)
        })
    }
}

fn read(row: &rusqlite::Row<'_>) -> Result<Subscription, Error> {
    let row = Row::new(row, "subscription", "id");
    Ok(Subscription { id: row.parse("id")?, name: row.get("name")?, tenant: row.parse("tenant")? })
}
