//! User-assigned identities.

use domain::{IdentityKind, ManagedIdentity, ResourceId, Scope, UserAssignedIdentity};

use super::query::Source;
use super::row::{Row, listed, tags_text};
use super::transaction::{Changing, Writing};
use super::{resource, resource_group, scale_set, service_principal};
use crate::{
    Error, Noun, Op, Page, Put, UserAssignedIdentityReader, UserAssignedIdentityWriter, VirtualMachineReader as _,
};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT i.key, i.id, i.name, i.location, i.tags, i.principal_id, p.client_id, p.tenant \
             FROM user_assigned_identity i JOIN service_principal p USING (principal_id) ",
            $rest
        )
    };
}

impl<S: Source> UserAssignedIdentityReader for S {
    fn user_assigned_identity(&self, id: &ResourceId) -> Result<Option<UserAssignedIdentity>, Error> {
        self.reader().one(select!("WHERE i.key = ?1"), [id.key()], read)
    }

    fn user_assigned_identities(&self, scope: &Scope, piece: &Page) -> Result<Vec<UserAssignedIdentity>, Error> {
        let sql = select!("WHERE i.key >= ?1 AND i.key < ?2 ORDER BY i.key LIMIT ?3");
        listed(scope, piece, |from, below, limit| self.reader().many(sql, (from, below, limit), read))
    }
}

impl UserAssignedIdentityWriter for Writing<'_> {
    fn put_user_assigned_identity(&mut self, identity: &UserAssignedIdentity) -> Result<Put, Error> {
        self.attempt(|tx| match tx.user_assigned_identity(&identity.identity.id)? {
            Some(before) => update(tx, &before, identity),
            None => create(tx, identity),
        })
    }

    fn remove_user_assigned_identity(&mut self, id: &ResourceId) -> Result<bool, Error> {
        self.attempt(|tx| remove(tx, id))
    }
}

fn create(tx: &mut Changing<'_>, new: &UserAssignedIdentity) -> Result<Put, Error> {
    let id = &new.identity.id;
    let key = id.key();
    let contradiction = |why| Err(Error::Contradiction { noun: Noun::UserAssignedIdentity, key: key.to_owned(), why });
    match new.identity.kind {
        IdentityKind::UserAssigned => {}
        IdentityKind::SystemAssigned => return contradiction("it is system-assigned"),
    }
    if !id.name().eq_ignore_ascii_case(&new.name) {
        return contradiction("its id has another name");
    }
    let group = resource_group::of(tx, id)?;
    service_principal::found_identity(tx, &new.identity)?;
    let sql = "INSERT INTO user_assigned_identity (key, id, name, location, tags, resource_group, principal_id) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let principal = new.identity.principal_id.to_string();
    let values = (key, id.as_str(), &new.name, &new.location, tags_text(&new.tags), group, principal);
    tx.change_one(Noun::UserAssignedIdentity, key, Op::Put, sql, values)?;
    Ok(Put::Created)
}

fn update(tx: &mut Changing<'_>, before: &UserAssignedIdentity, new: &UserAssignedIdentity) -> Result<Put, Error> {
    let key = new.identity.id.key();
    if before.identity != new.identity {
        let why = "it has another tenant, principal id or client id";
        return Err(Error::Contradiction { noun: Noun::UserAssignedIdentity, key: key.to_owned(), why });
    }
    if (&before.location, &before.tags) == (&new.location, &new.tags) {
        return Ok(Put::Unchanged);
    }
    let sql = "UPDATE user_assigned_identity SET location = ?2, tags = ?3 WHERE key = ?1";
    tx.change_one(Noun::UserAssignedIdentity, key, Op::Put, sql, (key, &new.location, tags_text(&new.tags)))?;
    Ok(Put::Updated)
}

fn remove(tx: &mut Changing<'_>, id: &ResourceId) -> Result<bool, Error> {
    let Some(identity) = tx.user_assigned_identity(id)? else {
        return Ok(false);
    };
    for vm in tx.virtual_machines_with(id)? {
        let sql = "DELETE FROM vm_identity WHERE vm = (SELECT pk FROM virtual_machine WHERE key = ?1) \
                   AND identity = (SELECT pk FROM user_assigned_identity WHERE key = ?2)";
        tx.change_one(Noun::VirtualMachine, vm.key(), Op::Put, sql, [vm.key(), id.key()])?;
    }
    scale_set::unassign_everywhere(tx, &identity)?;
    resource::remove_all_within(tx, id)?;
    let sql = "DELETE FROM user_assigned_identity WHERE key = ?1";
    tx.change_one(Noun::UserAssignedIdentity, id.key(), Op::Removed, sql, [id.key()])?;
    service_principal::bury(tx, identity.identity.principal_id)?;
    Ok(true)
}

fn read(row: &rusqlite::Row<'_>) -> Result<UserAssignedIdentity, Error> {
    let row = Row::new(row, "user_assigned_identity", "key");
    Ok(UserAssignedIdentity {
        identity: ManagedIdentity {
            kind: IdentityKind::UserAssigned,
            id: row.resource_id("id")?,
            tenant: row.parse("tenant")?,
            principal_id: row.parse("principal_id")?,
            client_id: row.parse("client_id")?,
        },
        name: row.get("name")?,
        location: row.get("location")?,
        tags: row.tags("tags")?,
    })
}
