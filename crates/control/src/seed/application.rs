//! Applications of a seed: their secrets, certificates and roles.

use authority::secret::SecretKey;
use domain::{Application, CertificateCredential, RoleAssignment, derived_ids};
use store::Tx;

use super::{Agree, SeedApplication, SeedConflict};

pub(super) fn apply(tx: &mut dyn Tx, wanted: &SeedApplication, secrets: &SecretKey) -> Result<(), SeedConflict> {
    let name = &wanted.application.name;
    match tx.application(wanted.application.tenant, wanted.application.client_id)? {
        None => {
            let mut application = wanted.application.clone();
            if let Some(secret) = &wanted.secret {
                application.secrets.push(secrets.verifier(secret).map_err(credential(name, "secret"))?);
            }
            tx.put_application(&application)?;
        }
        Some(found) => agree(&found, wanted, secrets)?,
    }
    for pem in &wanted.certificates {
        let certificate =
            authority::certificate::Certificate::from_pem(pem).map_err(credential(name, "certificate"))?;
        let certificate = CertificateCredential {
            holder: wanted.application.principal_id,
            tenant: wanted.application.tenant,
            client_id: wanted.application.client_id,
            vm: None,
            thumbprint_sha1: certificate.thumbprint_sha1,
            thumbprint_sha256: certificate.thumbprint_sha256,
            certificate_der: certificate.der,
            not_before: certificate.not_before,
            not_after: certificate.not_after,
            revoked_at: None,
        };
        tx.put_certificate_credential(&certificate)?;
    }
    for (role, scope) in &wanted.roles {
        let principal = wanted.application.principal_id;
        let id = derived_ids::role_assignment_id(principal, role, scope);
        tx.put_role_assignment(&RoleAssignment { id, principal, role: role.clone(), scope: scope.clone() })?;
    }
    Ok(())
}

fn agree(found: &Application, wanted: &SeedApplication, secrets: &SecretKey) -> Result<(), SeedConflict> {
    let application = &wanted.application;
    let mut federated = (found.federated.clone(), application.federated.clone());
    federated.0.sort_by(|a, b| a.name.cmp(&b.name));
    federated.1.sort_by(|a, b| a.name.cmp(&b.name));
    let agreed = Agree::on("application", &application.name)
        .field("name", &found.name, &application.name)?
        .field("principalId", &found.principal_id, &application.principal_id)?
        .debug("set of federated credentials", &federated.0, &federated.1)?;
    let same_secret = match &wanted.secret {
        None => found.secrets.is_empty(),
        Some(secret) => found.secrets.iter().any(|verifier| secrets.matches(verifier, secret)),
    };
    // What the secrets are is nobody's business, so the texts don't show them.
    agreed.field(
        "secret",
        &if same_secret { "the same" } else { "one" },
        &if same_secret { "the same" } else { "another" },
    )?;
    Ok(())
}

fn credential<E: std::error::Error + Send + Sync + 'static>(
    name: &str,
    credential: &'static str,
) -> impl FnOnce(E) -> SeedConflict {
    let name = name.to_owned();
    move |why| SeedConflict::Credential { name, credential, why: Box::new(why) }
}
