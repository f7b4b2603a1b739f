//! Applications of a seed: their secrets, certificates and roles.

use std::collections::BTreeSet;

use authority::secret::SecretKey;
use domain::{Application, CertificateCredential, PrincipalId, RoleAssignment, Scope, derived_ids};
use store::Tx;

use super::{Agree, SeedApplication, SeedConflict};

pub(super) fn apply(tx: &mut dyn Tx, wanted: &SeedApplication, secrets: &SecretKey) -> Result<(), SeedConflict> {
    let certificates =
        wanted.certificates.iter().map(|pem| certificate(wanted, pem)).collect::<Result<Vec<_>, SeedConflict>>()?;
    if let Some(found) = tx.application(wanted.application.tenant, wanted.application.client_id)? {
        return agree(tx, &found, wanted, &certificates, secrets);
    }
    let mut application = wanted.application.clone();
    if let Some(secret) = &wanted.secret {
        let verifier = secrets.verifier(secret).map_err(credential(&application.name, "secret"))?;
        application.secrets.push(verifier);
    }
    tx.put_application(&application)?;
    for certificate in &certificates {
        tx.put_certificate_credential(certificate)?;
    }
    for assignment in wanted.roles.iter().map(|(role, scope)| assignment(application.principal_id, role, scope)) {
        tx.put_role_assignment(&assignment)?;
    }
    Ok(())
}

fn certificate(wanted: &SeedApplication, pem: &[u8]) -> Result<CertificateCredential, SeedConflict> {
    let application = &wanted.application;
    let certificate =
        authority::certificate::Certificate::from_pem(pem).map_err(credential(&application.name, "certificate"))?;
    Ok(CertificateCredential {
        holder: application.principal_id,
        tenant: application.tenant,
        client_id: application.client_id,
        vm: None,
        extension: None,
        thumbprint_sha1: certificate.thumbprint_sha1,
        thumbprint_sha256: certificate.thumbprint_sha256,
        certificate_der: certificate.der,
        not_before: certificate.not_before,
        not_after: certificate.not_after,
        revoked_at: None,
    })
}

/// A role as a seed gives it. Its id follows from what it says, so that it is known again.
fn assignment(principal: PrincipalId, role: &str, scope: &Scope) -> RoleAssignment {
    let id = derived_ids::role_assignment_id(principal, role, scope);
    RoleAssignment { id, principal, role: role.to_owned(), scope: scope.clone(), created_at: None, created_by: None }
}

fn agree(
    tx: &dyn Tx,
    found: &Application,
    wanted: &SeedApplication,
    certificates: &[CertificateCredential],
    secrets: &SecretKey,
) -> Result<(), SeedConflict> {
    let application = &wanted.application;
    let mut federated = (found.federated.clone(), application.federated.clone());
    federated.0.sort_by(|a, b| a.name.cmp(&b.name));
    federated.1.sort_by(|a, b| a.name.cmp(&b.name));
    let agreed = Agree::on("application", &application.name)
        .field("name", &found.name, &application.name)?
        .field("principalId", &found.principal_id, &application.principal_id)?
        .debug("set of federated credentials", &federated.0, &federated.1)?
        .debug(
            "set of certificates",
            &thumbprints(&tx.certificate_credentials_of(found.principal_id)?),
            &thumbprints(certificates),
        )?
        .debug("set of roles", &seeded_roles(tx, found.principal_id)?, &roles(&wanted.roles))?;
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

/// The certificates that may be signed in with, by the thumbprint that people know them by.
fn thumbprints(certificates: &[CertificateCredential]) -> BTreeSet<String> {
    let usable = certificates.iter().filter(|certificate| certificate.revoked_at.is_none());
    usable.map(|certificate| contract::jose::encode(certificate.thumbprint_sha1)).collect()
}

/// The roles that a seed gave. One that somebody else gave later has an id of its own, and is no business of the seed.
fn seeded_roles(tx: &dyn Tx, principal: PrincipalId) -> Result<BTreeSet<String>, SeedConflict> {
    let given = tx.role_assignments_of(principal)?;
    let seeded = given.into_iter().filter(|given| assignment(principal, &given.role, &given.scope).id == given.id);
    Ok(roles(&seeded.map(|given| (given.role, given.scope)).collect::<Vec<_>>()))
}

fn roles(roles: &[(String, Scope)]) -> BTreeSet<String> {
    roles.iter().map(|(role, scope)| format!("{role} on {scope}")).collect()
}

fn credential<E: std::error::Error + Send + Sync + 'static>(
    name: &str,
    credential: &'static str,
) -> impl FnOnce(E) -> SeedConflict {
    let name = name.to_owned();
    move |why| SeedConflict::Credential { name, credential, why: Box::new(why) }
}
