//! Role assignments.

use domain::{PrincipalId, RoleAssignment, RoleAssignmentId, Scope};

use super::query::Source;
use super::row::{Row, within};
use super::service_principal::require_living;
use super::transaction::{Changing, Writing};
use crate::{Error, Noun, Op, Put, RoleAssignmentReader, RoleAssignmentWriter};

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT id, principal_id, role, scope, created_at, created_by FROM role_assignment ", $rest)
    };
}

impl<S: Source> RoleAssignmentReader for S {
    fn role_assignment(&self, id: RoleAssignmentId) -> Result<Option<RoleAssignment>, Error> {
        self.reader().one(select!("WHERE id = ?1"), [id.to_string()], read)
    }

    fn role_assignments_of(&self, principal: PrincipalId) -> Result<Vec<RoleAssignment>, Error> {
        self.reader().many(select!("WHERE principal_id = ?1 ORDER BY id"), [principal.to_string()], read)
    }

    fn role_assignments(&self, scope: &Scope) -> Result<Vec<RoleAssignment>, Error> {
        let sql = select!("WHERE scope_key = ?1 OR (scope_key >= ?2 AND scope_key < ?3) ORDER BY id");
        self.reader().many(sql, within(scope), read)
    }
}

impl RoleAssignmentWriter for Writing<'_> {
    fn put_role_assignment(&mut self, assignment: &RoleAssignment) -> Result<Put, Error> {
        self.attempt(|tx| put(tx, assignment))
    }

    fn remove_role_assignment(&mut self, id: RoleAssignmentId) -> Result<bool, Error> {
        self.attempt(|tx| remove(tx, id))
    }
}

/// Removes every role assignment of a principal.
pub(super) fn remove_all_of(tx: &mut Changing<'_>, principal: PrincipalId) -> Result<(), Error> {
    for assignment in tx.role_assignments_of(principal)? {
        remove(tx, assignment.id)?;
    }
    Ok(())
}

/// Removes every role over a scope or over something below it.
pub(super) fn remove_all_within(tx: &mut Changing<'_>, scope: &Scope) -> Result<(), Error> {
    for assignment in tx.role_assignments(scope)? {
        remove(tx, assignment.id)?;
    }
    Ok(())
}

fn put(tx: &mut Changing<'_>, new: &RoleAssignment) -> Result<Put, Error> {
    let key = new.id.to_string();
    match tx.role_assignment(new.id)? {
        // Once given, it stays as old as it is, and whoever gave it gave it.
        Some(RoleAssignment { principal, role, scope, .. })
            if (principal, &role, &scope) == (new.principal, &new.role, &new.scope) =>
        {
            return Ok(Put::Unchanged);
        }
        Some(_) => {
            let why = "it is there with another principal, role or scope";
            return Err(Error::Contradiction { noun: Noun::RoleAssignment, key, why });
        }
        None => {}
    }
    require_living(tx, new.principal)?;
    let sql = "INSERT INTO role_assignment (id, principal_id, role, scope, scope_key, created_at, created_by) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let scope = new.scope.to_string();
    let values = (
        &key,
        new.principal.to_string(),
        &new.role,
        &scope,
        scope.to_ascii_lowercase(),
        new.created_at.unwrap_or(tx.at()).unix(),
        new.created_by.map(|id| id.to_string()),
    );
    tx.change_one(Noun::RoleAssignment, &key, Op::Put, sql, values)?;
    Ok(Put::Created)
}

fn remove(tx: &mut Changing<'_>, id: RoleAssignmentId) -> Result<bool, Error> {
    let key = id.to_string();
    let sql = "DELETE FROM role_assignment WHERE id = ?1";
    Ok(tx.change(Noun::RoleAssignment, &key, Op::Removed, sql, [&key])? > 0)
}

fn read(row: &rusqlite::Row<'_>) -> Result<RoleAssignment, Error> {
    let row = Row::new(row, "role_assignment", "id");
    Ok(RoleAssignment {
        id: row.parse("id")?,
        principal: row.parse("principal_id")?,
        role: row.get("role")?,
        scope: row.parse("scope")?,
        created_at: Some(row.time("created_at")?),
        created_by: row.parse_optional("created_by")?,
    })
}
