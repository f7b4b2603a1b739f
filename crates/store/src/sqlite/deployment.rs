//! Deployments of templates.

use domain::{Deployment, DeploymentOperation, DeploymentState, ResourceId, Scope};

use super::query::Source;
use super::row::{Row, within};
use super::transaction::{Changing, Writing};
use crate::{DeploymentReader, DeploymentWriter, Error, Noun, Op, Put};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT key, id, state, document, request_kek_id, request, caller, operation, started_at FROM deployment ",
            $rest
        )
    };
}

impl<S: Source> DeploymentReader for S {
    fn deployment(&self, id: &ResourceId) -> Result<Option<Deployment>, Error> {
        self.reader().one(select!("WHERE key = ?1"), [id.key()], read)
    }

    fn deployments(&self, scope: &Scope) -> Result<Vec<Deployment>, Error> {
        let sql = select!("WHERE key = ?1 OR (key >= ?2 AND key < ?3) ORDER BY key");
        self.reader().many(sql, within(scope), read)
    }

    fn deployments_under_way(&self) -> Result<Vec<Deployment>, Error> {
        self.reader().many(select!("WHERE state IN ('Accepted', 'Running') ORDER BY started_at, key"), [], read)
    }

    fn deployment_operations(&self, id: &ResourceId) -> Result<Vec<DeploymentOperation>, Error> {
        let sql = "SELECT deployment, number, target, document, operation, ended FROM deployment_operation \
                   WHERE deployment = ?1 ORDER BY number";
        self.reader().many(sql, [id.key()], |row| {
            let row = Row::new(row, "deployment_operation", "deployment");
            Ok(DeploymentOperation {
                number: row.get("number")?,
                target: row.get("target")?,
                document: row.get("document")?,
                operation: row.parse_optional("operation")?,
                ended: row.get("ended")?,
            })
        })
    }
}

impl DeploymentWriter for Writing<'_> {
    fn put_deployment(&mut self, deployment: &Deployment) -> Result<Put, Error> {
        self.attempt(|tx| put(tx, deployment))
    }

    fn put_deployment_operation(&mut self, of: &ResourceId, operation: &DeploymentOperation) -> Result<(), Error> {
        self.attempt(|tx| {
            let sql = "INSERT INTO deployment_operation (deployment, number, target, document, operation, ended) \
                       SELECT key, ?2, ?3, ?4, ?5, ?6 FROM deployment WHERE key = ?1 \
                       ON CONFLICT (deployment, number) DO UPDATE SET target = excluded.target, \
                       document = excluded.document, operation = excluded.operation, ended = excluded.ended";
            let values = (
                of.key(),
                operation.number,
                &operation.target,
                &operation.document,
                operation.operation.map(|id| id.to_string()),
                operation.ended,
            );
            match tx.change(Noun::Deployment, of.key(), Op::Put, sql, values)? {
                0 => Err(Error::Missing { noun: Noun::Deployment, key: of.key().to_owned() }),
                _ => Ok(()),
            }
        })
    }

    fn remove_deployment(&mut self, id: &ResourceId) -> Result<bool, Error> {
        self.attempt(|tx| {
            forget_operations(tx, id, Op::Removed)?;
            let sql = "DELETE FROM deployment WHERE key = ?1";
            Ok(tx.change(Noun::Deployment, id.key(), Op::Removed, sql, [id.key()])? > 0)
        })
    }

    fn remove_deployment_operations(&mut self, id: &ResourceId) -> Result<(), Error> {
        self.attempt(|tx| forget_operations(tx, id, Op::Put))
    }
}

fn forget_operations(tx: &mut Changing<'_>, id: &ResourceId, op: Op) -> Result<(), Error> {
    let sql = "DELETE FROM deployment_operation WHERE deployment = ?1";
    tx.change(Noun::Deployment, id.key(), op, sql, [id.key()]).map(drop)
}

fn put(tx: &mut Changing<'_>, new: &Deployment) -> Result<Put, Error> {
    let before = tx.deployment(&new.id)?;
    if before.as_ref() == Some(new) {
        return Ok(Put::Unchanged);
    }
    let sql = "INSERT INTO deployment \
               (key, id, state, document, request_kek_id, request, caller, operation, started_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (key) DO UPDATE SET state = excluded.state, \
               document = excluded.document, request_kek_id = excluded.request_kek_id, request = excluded.request, \
               caller = excluded.caller, operation = excluded.operation, started_at = excluded.started_at";
    let key = new.id.key();
    let values = (
        key,
        new.id.as_str(),
        new.state.as_str(),
        &new.document,
        new.request.as_ref().map(|sealed| &sealed.kek_id),
        new.request.as_ref().map(|sealed| &sealed.bytes),
        new.caller.to_string(),
        new.operation.to_string(),
        new.started_at.unix(),
    );
    tx.change_one(Noun::Deployment, key, Op::Put, sql, values)?;
    Ok(if before.is_some() { Put::Updated } else { Put::Created })
}

fn read(row: &rusqlite::Row<'_>) -> Result<Deployment, Error> {
    let row = Row::new(row, "deployment", "key");
    Ok(Deployment {
        id: row.resource_id("id")?,
        state: row.word("state", |text| DeploymentState::ALL.into_iter().find(|state| state.as_str() == text))?,
        document: row.get("document")?,
        request: row.sealed("request_kek_id", "request")?,
        caller: row.parse("caller")?,
        operation: row.parse("operation")?,
        started_at: row.time("started_at")?,
    })
}
