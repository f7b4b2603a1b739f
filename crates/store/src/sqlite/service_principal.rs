//! Service principals: found and buried with what stands behind them.

use domain::{ClientId, IdentityKind, ManagedIdentity, PrincipalId, PrincipalKind, ServicePrincipal, TenantId};

use super::query::Source;
use super::row::Row;
use super::transaction::Changing;
use super::{application, certificate_credential, role_assignment};
use crate::{Error, Noun, Op, ServicePrincipalReader};

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT principal_id, client_id, tenant, kind, owner, deleted_at FROM service_principal ", $rest)
    };
}

impl<S: Source> ServicePrincipalReader for S {
    fn service_principal(&self, id: PrincipalId) -> Result<Option<ServicePrincipal>, Error> {
        self.reader().one(select!("WHERE principal_id = ?1"), [id.to_string()], read)
    }

    fn service_principal_by_client(&self, id: ClientId) -> Result<Option<ServicePrincipal>, Error> {
        self.reader().one(select!("WHERE client_id = ?1"), [id.to_string()], read)
    }

    fn service_principals(&self, tenant: TenantId) -> Result<Vec<ServicePrincipal>, Error> {
        self.reader().many(select!("WHERE tenant = ?1 ORDER BY principal_id"), [tenant.to_string()], read)
    }
}

/// Founds the principal of a managed identity.
pub(super) fn found_identity(tx: &mut Changing<'_>, identity: &ManagedIdentity) -> Result<(), Error> {
    let kind = match identity.kind {
        IdentityKind::SystemAssigned => PrincipalKind::SystemAssigned,
        IdentityKind::UserAssigned => PrincipalKind::UserAssigned,
    };
    let principal = ServicePrincipal {
        principal_id: identity.principal_id,
        client_id: identity.client_id,
        tenant: identity.tenant,
        kind,
        owner: Some(identity.id.clone()),
        deleted_at: None,
    };
    found(tx, &principal)
}

/// Founds a principal. Its ids must never have been another's.
pub(super) fn found(tx: &mut Changing<'_>, principal: &ServicePrincipal) -> Result<(), Error> {
    let key = principal.principal_id.to_string();
    let sql = "INSERT INTO service_principal (principal_id, client_id, tenant, kind, owner) \
               SELECT ?1, ?2, id, ?4, ?5 FROM tenant WHERE id = ?3";
    let values = (
        &key,
        principal.client_id.to_string(),
        principal.tenant.to_string(),
        kind_text(principal.kind),
        principal.owner.as_ref().map(domain::ResourceId::as_str),
    );
    if tx.change(Noun::ServicePrincipal, &key, Op::Put, sql, values)? == 0 {
        return Err(Error::Missing { noun: Noun::Tenant, key: principal.tenant.to_string() });
    }
    Ok(())
}

/// Buries a principal: it can sign in no more and has no roles, and its ids stay taken.
pub(super) fn bury(tx: &mut Changing<'_>, id: PrincipalId) -> Result<(), Error> {
    application::forget_credentials(tx, id)?;
    certificate_credential::revoke_all_of(tx, id)?;
    role_assignment::remove_all_of(tx, id)?;
    let key = id.to_string();
    let sql = "UPDATE service_principal SET deleted_at = ?2 WHERE principal_id = ?1 AND deleted_at IS NULL";
    let at = tx.at().unix();
    tx.change_one(Noun::ServicePrincipal, &key, Op::Removed, sql, (&key, at))
}

/// Whether a principal is there and alive.
pub(super) fn require_living(source: &impl Source, id: PrincipalId) -> Result<ServicePrincipal, Error> {
    source
        .service_principal(id)?
        .filter(|principal| principal.deleted_at.is_none())
        .ok_or_else(|| Error::Missing { noun: Noun::ServicePrincipal, key: id.to_string() })
}

pub(super) fn read(row: &rusqlite::Row<'_>) -> Result<ServicePrincipal, Error> {
    let row = Row::new(row, "service_principal", "principal_id");
    Ok(ServicePrincipal {
        principal_id: row.parse("principal_id")?,
        client_id: row.parse("client_id")?,
        tenant: row.parse("tenant")?,
        kind: row.word("kind", kind_from_text)?,
        owner: row.parse_optional("owner")?,
        deleted_at: row.optional_time("deleted_at")?,
    })
}

fn kind_text(kind: PrincipalKind) -> &'static str {
    match kind {
        PrincipalKind::SystemAssigned => "system_assigned",
        PrincipalKind::UserAssigned => "user_assigned",
        PrincipalKind::Application => "application",
    }
}

fn kind_from_text(text: &str) -> Option<PrincipalKind> {
    [PrincipalKind::SystemAssigned, PrincipalKind::UserAssigned, PrincipalKind::Application]
        .into_iter()
        .find(|kind| kind_text(*kind) == text)
}
