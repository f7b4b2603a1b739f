//! Tenants.

use domain::{Tenant, TenantId, Timestamp};
use rusqlite::Params;

use super::query::Source;
use super::row::Row;
use super::transaction::Writing;
use crate::{Error, Noun, Op, Put, TenantReader, TenantWriter};

impl<S: Source> TenantReader for S {
    fn tenant(&self, id: TenantId) -> Result<Option<Tenant>, Error> {
        one(self, "SELECT id, name, created_at FROM tenant WHERE id = ?1", [id.to_string()])
    }

    fn tenant_by_name(&self, name: &str) -> Result<Option<Tenant>, Error> {
        one(self, "SELECT id, name, created_at FROM tenant WHERE name = ?1", [name])
    }

    fn tenants(&self) -> Result<Vec<Tenant>, Error> {
        self.reader().many("SELECT id, name, created_at FROM tenant ORDER BY name", [], read)
    }
}

impl TenantWriter for Writing<'_> {
    fn put_tenant(&mut self, tenant: &Tenant) -> Result<Put, Error> {
        self.attempt(|tx| {
            let before = tx.tenant(tenant.id)?;
            if before.as_ref().is_some_and(|before| before.name == tenant.name) {
                return Ok(Put::Unchanged);
            }
            let key = tenant.id.to_string();
            // Once created, it stays as old as it is.
            let sql = "INSERT INTO tenant (id, name, created_at) VALUES (?1, ?2, ?3) \
                       ON CONFLICT (id) DO UPDATE SET name = excluded.name";
            let created_at = tenant.created_at.unwrap_or(tx.at()).unix();
            tx.change_one(Noun::Tenant, &key, Op::Put, sql, (&key, &tenant.name, created_at))?;
            Ok(if before.is_some() { Put::Updated } else { Put::Created })
        })
    }

    fn remove_tenant(&mut self, id: TenantId) -> Result<bool, Error> {
        self.attempt(|tx| {
            let key = id.to_string();
            let rows = tx.change(Noun::Tenant, &key, Op::Removed, "DELETE FROM tenant WHERE id = ?1", [&key])?;
            Ok(rows > 0)
        })
    }
}

fn one(source: &impl Source, sql: &str, params: impl Params) -> Result<Option<Tenant>, Error> {
    source.reader().one(sql, params, read)
}

fn read(row: &rusqlite::Row<'_>) -> Result<Tenant, Error> {
    let row = Row::new(row, "tenant", "id");
    Ok(Tenant {
        id: row.parse("id")?,
        name: row.get("name")?,
        created_at: Some(Timestamp::from_unix(row.get("created_at")?)),
    })
}
