//! Long-running operations, and what they wait for.

use domain::{Operation, OperationError, OperationId, OperationState, ResourceId, Timestamp, Wait};

use super::query::Source;
use super::row::{Row, number};
use super::transaction::{Changing, Writing};
use crate::{Error, Noun, Op, OperationReader, OperationWriter};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, action, subject, caller, state, error_code, error_message, started_at, ended_at FROM operation ",
            $rest
        )
    };
}

impl<S: Source> OperationReader for S {
    fn operation(&self, id: OperationId) -> Result<Option<Operation>, Error> {
        self.reader().one(select!("WHERE id = ?1"), [id.to_string()], read)
    }

    fn operations_under_way(&self) -> Result<Vec<Operation>, Error> {
        self.reader().many(select!("WHERE ended_at IS NULL ORDER BY started_at, id"), [], read)
    }

    fn operation_on(&self, subject: &ResourceId) -> Result<Option<Operation>, Error> {
        let sql = select!("WHERE ended_at IS NULL AND subject_key = ?1 ORDER BY started_at, id LIMIT 1");
        self.reader().one(sql, [subject.key()], read)
    }

    fn overdue_waits(&self, began: Timestamp) -> Result<Vec<Wait>, Error> {
        let sql = "SELECT DISTINCT w.on_key, w.number FROM operation o JOIN operation_wait w ON w.operation = o.id \
                   WHERE o.ended_at IS NULL AND o.started_at <= ?1 ORDER BY w.on_key, w.number";
        self.reader().many(sql, [began.unix()], |row| {
            let row = Row::new(row, "operation_wait", "on_key");
            Ok(Wait { on: row.resource_id("on_key")?, number: row.number("number")? })
        })
    }
}

impl OperationWriter for Writing<'_> {
    fn begin_operation(&mut self, operation: &Operation, waits: &[Wait]) -> Result<(), Error> {
        self.attempt(|tx| {
            let id = operation.id.to_string();
            let (state, error) = words(&operation.state);
            let sql = "INSERT INTO operation \
                       (id, action, subject_key, subject, caller, state, error_code, error_message, started_at, ended_at) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
            let values = (
                &id,
                &operation.action,
                operation.subject.key(),
                operation.subject.as_str(),
                operation.caller.to_string(),
                state,
                error.map(|error| &error.code),
                error.map(|error| &error.message),
                operation.started_at.unix(),
                operation.ended_at.map(Timestamp::unix),
            );
            tx.change_one(Noun::Operation, &id, Op::Put, sql, values)?;
            let sql = "INSERT OR IGNORE INTO operation_wait (on_key, number, operation) VALUES (?1, ?2, ?3)";
            for wait in waits {
                tx.change(Noun::Operation, &id, Op::Put, sql, (wait.on.key(), number(wait.number), &id))?;
            }
            Ok(())
        })
    }

    fn reach(&mut self, on: &ResourceId, reached: u64, failed: Option<&OperationError>) -> Result<usize, Error> {
        self.attempt(|tx| {
            let sql = "SELECT operation FROM operation_wait WHERE on_key = ?1 AND number <= ?2 ORDER BY operation";
            let waiting: Vec<OperationId> = tx.reader().many(sql, (on.key(), number(reached)), |row| {
                Row::new(row, "operation_wait", "operation").parse("operation")
            })?;
            let mut ended = 0;
            for id in waiting {
                let key = id.to_string();
                let sql = "DELETE FROM operation_wait WHERE on_key = ?1 AND number <= ?2 AND operation = ?3";
                tx.change(Noun::Operation, &key, Op::Put, sql, (on.key(), number(reached), &key))?;
                let sql = "SELECT operation FROM operation_wait WHERE operation = ?1 LIMIT 1";
                let waits_on = tx.reader().one(sql, [&key], |_| Ok(()))?.is_some();
                if failed.is_some() || !waits_on {
                    ended += usize::from(end(tx, id, failed)?);
                }
            }
            Ok(ended)
        })
    }

    fn end_operation(&mut self, id: OperationId, failed: Option<&OperationError>) -> Result<bool, Error> {
        self.attempt(|tx| end(tx, id, failed))
    }

    fn prune_operations(&mut self, before: Timestamp) -> Result<usize, Error> {
        self.attempt(|tx| {
            let sql = "SELECT id FROM operation WHERE ended_at < ?1 \
                       AND id NOT IN (SELECT operation FROM deployment) ORDER BY id";
            let old: Vec<String> =
                tx.reader().many(sql, [before.unix()], |row| Row::new(row, "operation", "id").get("id"))?;
            for id in &old {
                tx.change_one(Noun::Operation, id, Op::Removed, "DELETE FROM operation WHERE id = ?1", [id])?;
            }
            Ok(old.len())
        })
    }
}

/// Ends an operation, and whatever it still waited for.
fn end(tx: &mut Changing<'_>, id: OperationId, failed: Option<&OperationError>) -> Result<bool, Error> {
    let key = id.to_string();
    let sql = "UPDATE operation SET state = ?2, error_code = ?3, error_message = ?4, ended_at = ?5 \
               WHERE id = ?1 AND ended_at IS NULL";
    let state = if failed.is_some() { "failed" } else { "succeeded" };
    let (code, message) = (failed.map(|error| &error.code), failed.map(|error| &error.message));
    let at = tx.at().unix();
    let ended = tx.change(Noun::Operation, &key, Op::Put, sql, (&key, state, code, message, at))? > 0;
    tx.change(Noun::Operation, &key, Op::Put, "DELETE FROM operation_wait WHERE operation = ?1", [&key])?;
    Ok(ended)
}

fn words(state: &OperationState) -> (&'static str, Option<&OperationError>) {
    match state {
        OperationState::InProgress => ("in_progress", None),
        OperationState::Succeeded => ("succeeded", None),
        OperationState::Failed(error) => ("failed", Some(error)),
    }
}

fn read(row: &rusqlite::Row<'_>) -> Result<Operation, Error> {
    let row = Row::new(row, "operation", "id");
    let state: String = row.get("state")?;
    let state = match state.as_str() {
        "in_progress" => OperationState::InProgress,
        "succeeded" => OperationState::Succeeded,
        "failed" => {
            OperationState::Failed(OperationError { code: row.get("error_code")?, message: row.get("error_message")? })
        }
        other => return Err(row.bad(format!("unknown state '{other}'"))),
    };
    Ok(Operation {
        id: row.parse("id")?,
        action: row.get("action")?,
        subject: row.resource_id("subject")?,
        caller: row.parse("caller")?,
        state,
        started_at: row.time("started_at")?,
        ended_at: row.optional_time("ended_at")?,
    })
}
