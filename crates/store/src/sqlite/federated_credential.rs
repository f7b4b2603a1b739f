//! Federated credentials of user-assigned identities.

use domain::{FederatedCredential, PrincipalId};

use super::application::federated;
use super::query::Source;
use super::service_principal::require_living;
use super::transaction::Writing;
use crate::{Error, FederatedCredentialReader, FederatedCredentialWriter, Noun, Op, Put};

impl<S: Source> FederatedCredentialReader for S {
    fn federated_credentials(&self, of: PrincipalId) -> Result<Vec<FederatedCredential>, Error> {
        federated(self, of)
    }
}

impl FederatedCredentialWriter for Writing<'_> {
    fn put_federated_credential(&mut self, of: PrincipalId, new: &FederatedCredential) -> Result<Put, Error> {
        self.attempt(|tx| {
            require_living(tx, of)?;
            let known = federated(tx, of)?;
            let before = known.iter().find(|known| known.name.eq_ignore_ascii_case(&new.name));
            let name = before.map_or(&new.name, |before| &before.name);
            if before == Some(&FederatedCredential { name: name.clone(), ..new.clone() }) {
                return Ok(Put::Unchanged);
            }
            let sql = "INSERT INTO federated_credential (principal_id, name, issuer, subject, audience) \
                       VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (principal_id, name) DO UPDATE SET \
                       issuer = excluded.issuer, subject = excluded.subject, audience = excluded.audience";
            let key = of.to_string();
            let values = [&key, name, &new.issuer, &new.subject, &new.audience];
            tx.change_one(Noun::ServicePrincipal, &key, Op::Put, sql, values)?;
            Ok(if before.is_some() { Put::Updated } else { Put::Created })
        })
    }

    fn remove_federated_credential(&mut self, of: PrincipalId, name: &str) -> Result<bool, Error> {
        self.attempt(|tx| {
            let sql = "DELETE FROM federated_credential WHERE principal_id = ?1 AND name = ?2 COLLATE NOCASE";
            let key = of.to_string();
            Ok(tx.change(Noun::ServicePrincipal, &key, Op::Put, sql, [&key, name])? > 0)
        })
    }
}
