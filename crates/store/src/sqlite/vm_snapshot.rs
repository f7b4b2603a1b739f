//! Snapshots of machines for the metadata service: three queries, however many machines there are.

use std::collections::HashMap;
use std::sync::Arc;

use domain::{AssignedIdentities, IdentityKind, ManagedIdentity, ResourceId, VmSnapshot};
use rusqlite::Params;

use super::query::Source;
use super::row::Row;
use super::virtual_machine::system_assigned;
use crate::Error;

/// The columns of a machine that a snapshot is made of; `{0}` is what follows.
macro_rules! machines {
    ($rest:literal) => {
        concat!(
            "SELECT v.pk, v.key, v.id, v.vm_id, v.tenant, s.id AS scale_set, p.principal_id, p.client_id, \
             p.tenant AS principal_tenant FROM virtual_machine v LEFT JOIN scale_set s ON s.pk = v.scale_set \
             LEFT JOIN service_principal p ON p.principal_id = COALESCE(v.principal_id, s.principal_id) ",
            $rest
        )
    };
}

macro_rules! identities {
    ($rest:literal) => {
        concat!(
            "SELECT i.pk, i.key, i.id, i.principal_id, p.client_id, p.tenant \
             FROM user_assigned_identity i JOIN service_principal p USING (principal_id) ",
            $rest
        )
    };
}

/// The snapshot of one machine.
pub(super) fn one(source: &impl Source, id: &ResourceId) -> Result<Option<VmSnapshot>, Error> {
    let found = load(
        source,
        identities!(
            "WHERE i.pk IN (SELECT a.identity FROM vm_identity a JOIN virtual_machine v ON v.pk = a.vm WHERE v.key = ?1 \
             UNION SELECT a.identity FROM scale_set_identity a \
             JOIN virtual_machine v ON v.scale_set = a.scale_set WHERE v.key = ?1)"
        ),
        "SELECT a.vm, a.identity, a.position FROM vm_identity a JOIN virtual_machine v ON v.pk = a.vm \
         WHERE v.key = ?1 UNION ALL SELECT v.pk, a.identity, a.position FROM scale_set_identity a \
         JOIN virtual_machine v ON v.scale_set = a.scale_set WHERE v.key = ?1 ORDER BY 3",
        machines!("WHERE v.key = ?1"),
        [id.key()],
    )?;
    Ok(found.into_iter().next())
}

/// The snapshots of all machines.
pub(super) fn all(source: &impl Source) -> Result<Vec<VmSnapshot>, Error> {
    load(
        source,
        identities!(""),
        "SELECT vm, identity, position FROM vm_identity UNION ALL \
         SELECT v.pk, a.identity, a.position FROM scale_set_identity a \
         JOIN virtual_machine v ON v.scale_set = a.scale_set ORDER BY 1, 3",
        machines!("ORDER BY v.key"),
        [],
    )
}

fn load(
    source: &impl Source,
    identities: &str,
    assignments: &str,
    machines: &str,
    params: impl Params + Clone,
) -> Result<Vec<VmSnapshot>, Error> {
    let mut known: HashMap<i64, Arc<ManagedIdentity>> = HashMap::new();
    source.reader().each(identities, params.clone(), |row| {
        let row = Row::new(row, "user_assigned_identity", "key");
        let identity = ManagedIdentity {
            kind: IdentityKind::UserAssigned,
            id: row.resource_id("id")?,
            tenant: row.parse("tenant")?,
            principal_id: row.parse("principal_id")?,
            client_id: row.parse("client_id")?,
        };
        known.insert(row.get("pk")?, Arc::new(identity));
        Ok(())
    })?;
    let mut assigned: HashMap<i64, Vec<Arc<ManagedIdentity>>> = HashMap::new();
    source.reader().each(assignments, params.clone(), |row| {
        let row = Row::new(row, "vm_identity", "vm");
        let identity = known.get(&row.get("identity")?).ok_or_else(|| row.bad("its identity does not exist"))?;
        assigned.entry(row.get("vm")?).or_default().push(Arc::clone(identity));
        Ok(())
    })?;
    source.reader().many(machines, params, |row| {
        let row = Row::new(row, "virtual_machine", "key");
        let user = assigned.remove(&row.get("pk")?).unwrap_or_default();
        let id = row.resource_id("id")?;
        let owner = row.parse_optional("scale_set")?.unwrap_or_else(|| id.clone());
        Ok(VmSnapshot {
            id,
            vm_id: row.parse("vm_id")?,
            tenant: row.parse("tenant")?,
            identities: AssignedIdentities::shared(system_assigned(&row, owner)?.map(Arc::new), user),
        })
    })
}
