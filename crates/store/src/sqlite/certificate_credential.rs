//! Certificates that service principals sign in with.

use domain::{CertificateCredential, ClientId, PrincipalId, ResourceId, TenantId, Timestamp};

use super::query::Source;
use super::row::{Row, hex};
use super::service_principal::require_living;
use super::transaction::{Changing, Writing};
use crate::{CertificateCredentialReader, CertificateCredentialWriter, Error, Noun, Op, Put, Thumbprint};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT c.thumbprint_sha256, c.thumbprint_sha1, c.principal_id, p.tenant, p.client_id, c.vm, \
             c.extension, c.certificate_der, c.not_before, c.not_after, c.revoked_at \
             FROM certificate_credential c JOIN service_principal p USING (principal_id) ",
            $rest
        )
    };
}

impl<S: Source> CertificateCredentialReader for S {
    fn certificate_credential(
        &self,
        tenant: TenantId,
        client_id: ClientId,
        thumbprint: Thumbprint,
    ) -> Result<Option<CertificateCredential>, Error> {
        let (tenant, client) = (tenant.to_string(), client_id.to_string());
        match thumbprint {
            Thumbprint::Sha1(bytes) => self.reader().one(
                select!("WHERE p.client_id = ?1 AND p.tenant = ?2 AND c.thumbprint_sha1 = ?3"),
                (client, tenant, bytes),
                read,
            ),
            Thumbprint::Sha256(bytes) => self.reader().one(
                select!("WHERE p.client_id = ?1 AND p.tenant = ?2 AND c.thumbprint_sha256 = ?3"),
                (client, tenant, bytes),
                read,
            ),
        }
    }

    fn certificate_credentials_of_vm(&self, vm: &ResourceId) -> Result<Vec<CertificateCredential>, Error> {
        let sql = select!("WHERE c.vm_key = ?1 ORDER BY c.not_before, c.thumbprint_sha256");
        self.reader().many(sql, [vm.key()], read)
    }

    fn certificate_credentials_of(&self, holder: PrincipalId) -> Result<Vec<CertificateCredential>, Error> {
        let sql = select!("WHERE c.principal_id = ?1 ORDER BY c.not_before, c.thumbprint_sha256");
        self.reader().many(sql, [holder.to_string()], read)
    }
}

impl CertificateCredentialWriter for Writing<'_> {
    fn put_certificate_credential(&mut self, credential: &CertificateCredential) -> Result<Put, Error> {
        self.attempt(|tx| match by_thumbprint(tx, credential.thumbprint_sha256)? {
            Some(before) => update(tx, &before, credential),
            None => create(tx, credential),
        })
    }

    fn revoke_certificate_credential(&mut self, thumbprint_sha256: [u8; 32]) -> Result<bool, Error> {
        self.attempt(|tx| revoke(tx, thumbprint_sha256))
    }

    fn prune_certificate_credentials(&mut self, before: Timestamp) -> Result<usize, Error> {
        self.attempt(|tx| {
            let sql = select!("WHERE c.vm_key IS NOT NULL AND c.not_after < ?1 ORDER BY c.thumbprint_sha256");
            let ended: Vec<CertificateCredential> = tx.reader().many(sql, [before.unix()], read)?;
            for credential in &ended {
                let (key, sql) = (
                    hex(&credential.thumbprint_sha256),
                    "DELETE FROM certificate_credential WHERE thumbprint_sha256 = ?1",
                );
                tx.change_one(Noun::CertificateCredential, &key, Op::Removed, sql, [credential.thumbprint_sha256])?;
            }
            Ok(ended.len())
        })
    }
}

/// Revokes every certificate of a principal.
pub(super) fn revoke_all_of(tx: &mut Changing<'_>, holder: PrincipalId) -> Result<(), Error> {
    for credential in tx.certificate_credentials_of(holder)? {
        revoke(tx, credential.thumbprint_sha256)?;
    }
    Ok(())
}

/// Revokes the certificates that an extension of a machine alone holds.
pub(super) fn revoke_all_held_by(tx: &mut Changing<'_>, vm: &ResourceId, extension: &ResourceId) -> Result<(), Error> {
    for credential in tx.certificate_credentials_of_vm(vm)? {
        if credential.extension.as_ref() == Some(extension) {
            revoke(tx, credential.thumbprint_sha256)?;
        }
    }
    Ok(())
}

/// Revokes every certificate on a machine's disk, or only those of one holder.
pub(super) fn revoke_all_on(tx: &mut Changing<'_>, vm: &ResourceId, holder: Option<PrincipalId>) -> Result<(), Error> {
    for credential in tx.certificate_credentials_of_vm(vm)? {
        if holder.is_none_or(|holder| holder == credential.holder) {
            revoke(tx, credential.thumbprint_sha256)?;
        }
    }
    Ok(())
}

fn create(tx: &mut Changing<'_>, new: &CertificateCredential) -> Result<Put, Error> {
    let holder = require_living(tx, new.holder)?;
    let key = hex(&new.thumbprint_sha256);
    if (holder.tenant, holder.client_id) != (new.tenant, new.client_id) {
        let why = "its holder has another tenant or client id";
        return Err(Error::Contradiction { noun: Noun::CertificateCredential, key, why });
    }
    let sql = "INSERT INTO certificate_credential \
               (thumbprint_sha256, thumbprint_sha1, principal_id, vm, vm_key, extension, certificate_der, not_before, \
               not_after, revoked_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let values = (
        new.thumbprint_sha256,
        new.thumbprint_sha1,
        new.holder.to_string(),
        new.vm.as_ref().map(ResourceId::as_str),
        new.vm.as_ref().map(ResourceId::key),
        new.extension.as_ref().map(ResourceId::as_str),
        &new.certificate_der,
        new.not_before.unix(),
        new.not_after.unix(),
        new.revoked_at.map(Timestamp::unix),
    );
    tx.change_one(Noun::CertificateCredential, &key, Op::Put, sql, values)?;
    Ok(Put::Created)
}

fn update(tx: &mut Changing<'_>, before: &CertificateCredential, new: &CertificateCredential) -> Result<Put, Error> {
    if before == new {
        return Ok(Put::Unchanged);
    }
    let key = hex(&new.thumbprint_sha256);
    let revoked = CertificateCredential { revoked_at: new.revoked_at, ..before.clone() };
    if before.revoked_at.is_some() || revoked != *new {
        let why = "it is there with other contents";
        return Err(Error::Contradiction { noun: Noun::CertificateCredential, key, why });
    }
    let sql = "UPDATE certificate_credential SET revoked_at = ?2 WHERE thumbprint_sha256 = ?1";
    let values = (new.thumbprint_sha256, new.revoked_at.map(Timestamp::unix));
    tx.change_one(Noun::CertificateCredential, &key, Op::Put, sql, values)?;
    Ok(Put::Updated)
}

fn revoke(tx: &mut Changing<'_>, thumbprint_sha256: [u8; 32]) -> Result<bool, Error> {
    let sql = "UPDATE certificate_credential SET revoked_at = ?2 WHERE thumbprint_sha256 = ?1 AND revoked_at IS NULL";
    let at = tx.at().unix();
    let key = hex(&thumbprint_sha256);
    Ok(tx.change(Noun::CertificateCredential, &key, Op::Put, sql, (thumbprint_sha256, at))? > 0)
}

fn by_thumbprint(source: &impl Source, sha256: [u8; 32]) -> Result<Option<CertificateCredential>, Error> {
    source.reader().one(select!("WHERE c.thumbprint_sha256 = ?1"), [sha256], read)
}

fn read(row: &rusqlite::Row<'_>) -> Result<CertificateCredential, Error> {
    let row = Row::new(row, "certificate_credential", "thumbprint_sha256");
    Ok(CertificateCredential {
        holder: row.parse("principal_id")?,
        tenant: row.parse("tenant")?,
        client_id: row.parse("client_id")?,
        vm: row.parse_optional("vm")?,
        extension: row.parse_optional("extension")?,
        thumbprint_sha1: row.bytes("thumbprint_sha1")?,
        thumbprint_sha256: row.bytes("thumbprint_sha256")?,
        certificate_der: row.get("certificate_der")?,
        not_before: row.time("not_before")?,
        not_after: row.time("not_after")?,
        revoked_at: row.optional_time("revoked_at")?,
    })
}
