//! Applications with their secrets and federated credentials.

use domain::{
    Application, ClientId, FederatedCredential, PrincipalId, PrincipalKind, SecretVerifier, ServicePrincipal, TenantId,
};

use super::query::Source;
use super::row::Row;
use super::service_principal;
use super::transaction::{Changing, Writing};
use crate::{ApplicationReader, ApplicationWriter, Error, Noun, Op, Put};

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT client_id, principal_id, tenant, name FROM application ", $rest)
    };
}

impl<S: Source> ApplicationReader for S {
    fn application(&self, tenant: TenantId, client_id: ClientId) -> Result<Option<Application>, Error> {
        let key = [client_id.to_string(), tenant.to_string()];
        let bare = self.reader().one(select!("WHERE client_id = ?1 AND tenant = ?2"), key, read)?;
        bare.map(|bare| with_credentials(self, bare)).transpose()
    }

    fn application_by_name(&self, tenant: TenantId, name: &str) -> Result<Option<Application>, Error> {
        let sql = select!("WHERE tenant = ?1 AND name = ?2");
        let bare = self.reader().one(sql, (tenant.to_string(), name), read)?;
        bare.map(|bare| with_credentials(self, bare)).transpose()
    }

    fn applications(&self, tenant: TenantId) -> Result<Vec<Application>, Error> {
        let bare = self.reader().many(select!("WHERE tenant = ?1 ORDER BY name"), [tenant.to_string()], read)?;
        bare.into_iter().map(|bare| with_credentials(self, bare)).collect()
    }
}

impl ApplicationWriter for Writing<'_> {
    fn put_application(&mut self, application: &Application) -> Result<Put, Error> {
        self.attempt(|tx| {
            let application = in_order(application)?;
            match by_client(tx, application.client_id)? {
                Some(before) => update(tx, &before, &application),
                None => create(tx, &application),
            }
        })
    }

    fn remove_application(&mut self, tenant: TenantId, client_id: ClientId) -> Result<bool, Error> {
        self.attempt(|tx| {
            let Some(application) = tx.application(tenant, client_id)? else {
                return Ok(false);
            };
            let key = client_id.to_string();
            let sql = "DELETE FROM application WHERE client_id = ?1";
            tx.change_one(Noun::Application, &key, Op::Removed, sql, [&key])?;
            service_principal::bury(tx, application.principal_id)?;
            Ok(true)
        })
    }
}

/// The secrets of a principal, by id.
pub(super) fn secrets(source: &impl Source, of: PrincipalId) -> Result<Vec<SecretVerifier>, Error> {
    let sql = "SELECT id, salt, tag, hint, expires_on FROM client_secret WHERE principal_id = ?1 ORDER BY id";
    source.reader().many(sql, [of.to_string()], |row| {
        let row = Row::new(row, "client_secret", "id");
        Ok(SecretVerifier {
            id: row.parse("id")?,
            salt: row.get("salt")?,
            tag: row.get("tag")?,
            hint: row.get("hint")?,
            expires_on: row.optional_time("expires_on")?,
        })
    })
}

/// The federated credentials of a principal, by name.
pub(super) fn federated(source: &impl Source, of: PrincipalId) -> Result<Vec<FederatedCredential>, Error> {
    let sql = "SELECT name, issuer, subject, audience FROM federated_credential WHERE principal_id = ?1 ORDER BY name";
    source.reader().many(sql, [of.to_string()], |row| {
        let row = Row::new(row, "federated_credential", "name");
        Ok(FederatedCredential {
            name: row.get("name")?,
            issuer: row.get("issuer")?,
            subject: row.get("subject")?,
            audience: row.get("audience")?,
        })
    })
}

/// Deletes the secrets and federated credentials of a principal.
pub(super) fn forget_credentials(tx: &mut Changing<'_>, of: PrincipalId) -> Result<(), Error> {
    let key = of.to_string();
    for sql in [
        "DELETE FROM client_secret WHERE principal_id = ?1",
        "DELETE FROM federated_credential WHERE principal_id = ?1",
    ] {
        tx.change(Noun::ServicePrincipal, &key, Op::Put, sql, [&key])?;
    }
    Ok(())
}

fn create(tx: &mut Changing<'_>, new: &Application) -> Result<Put, Error> {
    let principal = ServicePrincipal {
        principal_id: new.principal_id,
        client_id: new.client_id,
        tenant: new.tenant,
        kind: PrincipalKind::Application,
        owner: None,
        deleted_at: None,
    };
    service_principal::found(tx, &principal)?;
    let key = new.client_id.to_string();
    let sql = "INSERT INTO application (client_id, principal_id, tenant, name) VALUES (?1, ?2, ?3, ?4)";
    let values = [&key, &new.principal_id.to_string(), &new.tenant.to_string(), &new.name];
    tx.change_one(Noun::Application, &key, Op::Put, sql, values)?;
    add_credentials(tx, new)?;
    Ok(Put::Created)
}

fn update(tx: &mut Changing<'_>, before: &Application, new: &Application) -> Result<Put, Error> {
    let key = new.client_id.to_string();
    if (before.tenant, before.principal_id) != (new.tenant, new.principal_id) {
        let why = "it has another tenant or principal id";
        return Err(Error::Contradiction { noun: Noun::Application, key, why });
    }
    if before == new {
        return Ok(Put::Unchanged);
    }
    let sql = "UPDATE application SET name = ?2 WHERE client_id = ?1";
    tx.change_one(Noun::Application, &key, Op::Put, sql, [&key, &new.name])?;
    forget_credentials(tx, new.principal_id)?;
    add_credentials(tx, new)?;
    Ok(Put::Updated)
}

fn add_credentials(tx: &mut Changing<'_>, application: &Application) -> Result<(), Error> {
    let key = application.client_id.to_string();
    let principal = application.principal_id.to_string();
    for secret in &application.secrets {
        let sql = "INSERT INTO client_secret (id, principal_id, salt, tag, hint, expires_on) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let expires_on = secret.expires_on.map(domain::Timestamp::unix);
        let values = (secret.id.to_string(), &principal, &secret.salt, &secret.tag, &secret.hint, expires_on);
        tx.change_one(Noun::Application, &key, Op::Put, sql, values)?;
    }
    for credential in &application.federated {
        let sql = "INSERT INTO federated_credential (principal_id, name, issuer, subject, audience) \
                   VALUES (?1, ?2, ?3, ?4, ?5)";
        let values = [&principal, &credential.name, &credential.issuer, &credential.subject, &credential.audience];
        tx.change_one(Noun::Application, &key, Op::Put, sql, values)?;
    }
    Ok(())
}

/// The application with its credentials in the order they are read back.
fn in_order(application: &Application) -> Result<Application, Error> {
    let mut application = application.clone();
    application.secrets.sort_by_key(|secret| secret.id.to_string());
    application.federated.sort_by(|one, other| one.name.cmp(&other.name));
    let twice = application.federated.windows(2).any(|pair| matches!(pair, [one, other] if one.name == other.name));
    if twice {
        let why = "it names a federated credential twice";
        return Err(Error::Contradiction { noun: Noun::Application, key: application.client_id.to_string(), why });
    }
    Ok(application)
}

fn by_client(source: &impl Source, client_id: ClientId) -> Result<Option<Application>, Error> {
    let bare = source.reader().one(select!("WHERE client_id = ?1"), [client_id.to_string()], read)?;
    bare.map(|bare| with_credentials(source, bare)).transpose()
}

fn with_credentials(source: &impl Source, mut bare: Application) -> Result<Application, Error> {
    bare.secrets = secrets(source, bare.principal_id)?;
    bare.federated = federated(source, bare.principal_id)?;
    Ok(bare)
}

fn read(row: &rusqlite::Row<'_>) -> Result<Application, Error> {
    let row = Row::new(row, "application", "client_id");
    Ok(Application {
        tenant: row.parse("tenant")?,
        client_id: row.parse("client_id")?,
        principal_id: row.parse("principal_id")?,
        name: row.get("name")?,
        secrets: Vec::new(),
        federated: Vec::new(),
    })
}
