//! Applications and external issuers of a seed.

use control::seed::SeedApplication;
use domain::{Application, ExternalIssuer, FederatedCredential, JwksSource, Scope, derived_ids, names};

use super::super::error::SeedError;
use super::super::schema::{ApplicationSeed, FederatedSeed, IssuerSeed, RoleSeed, Word};
use super::super::secret;
use super::{DEFAULT_AUDIENCE, Resolver};
use crate::up::world::ADMIN;

/// The roles that can be given.
const ROLES: [&str; 7] = [
    "Owner",
    "Contributor",
    "Reader",
    "User Access Administrator",
    "Managed Identity Operator",
    "Managed Identity Contributor",
    "Virtual Machine Contributor",
];

/// The most external identities that one application trusts.
const MAX_FEDERATED: usize = 20;

impl Resolver<'_> {
    pub(super) fn issuer(&mut self, seed: IssuerSeed) -> Result<(), SeedError> {
        let IssuerSeed { url, jwks } = seed;
        if !is_https(&url.value) {
            return Err(self.error(url.referenced, format!("'{}' is no https URL", url.value)));
        }
        if self.world.external_issuers.iter().any(|other| other.url == url.value) {
            return Err(self.error(url.referenced, format!("there are two issuers '{}'", url.value)));
        }
        let jwks = match jwks {
            None => JwksSource::Url(format!("{}/.well-known/openid-configuration", url.value.trim_end_matches('/'))),
            Some(word) if is_https(&word.value) => JwksSource::Url(word.value),
            Some(word) if word.value.trim_start().starts_with('{') => JwksSource::Inline(word.value),
            Some(word) if word.value.contains("://") => {
                return Err(self.error(word.referenced, "jwks is a file or an https URL".to_owned()));
            }
            Some(word) => {
                let path = self.beside(&word.value);
                self.checked(&word, secret::read_file(&path))?;
                JwksSource::File(path)
            }
        };
        self.world.external_issuers.push(ExternalIssuer { url: url.value, jwks });
        Ok(())
    }

    pub(super) fn application(&mut self, seed: ApplicationSeed) -> Result<(), SeedError> {
        let ApplicationSeed {
            name,
            tenant,
            client_id,
            principal_id,
            secret,
            certificate,
            federated_credentials,
            roles,
        } = seed;
        self.checked(&name, names::display_name("application", &name.value))?;
        if name.value.eq_ignore_ascii_case(ADMIN) {
            let text = format!("'{ADMIN}' is symbolon's own application, which may do everything; take another name");
            return Err(self.error(name.referenced, text));
        }
        if self.world.applications.iter().any(|other| other.application.name.eq_ignore_ascii_case(&name.value)) {
            return Err(self.error(name.referenced, format!("there are two applications '{}'", name.value)));
        }
        let federated = self.federated(&name, federated_credentials)?;
        let tenant = self.referred("tenant", &self.tenants, tenant.as_ref(), &name)?.id;
        let written = (client_id, principal_id);
        let client_id = self.guid_or(written.0.as_ref(), || derived_ids::application_client_id(tenant, &name.value))?;
        let principal_id =
            self.guid_or(written.1.as_ref(), || derived_ids::application_principal_id(tenant, &name.value))?;
        self.claim("clientId", &client_id, (written.0.as_ref(), &name), "application")?;
        self.claim("principalId", &principal_id, (written.1.as_ref(), &name), "application")?;
        let application =
            Application { tenant, client_id, principal_id, name: name.value.clone(), secrets: Vec::new(), federated };
        let secret = secret.map(|word| self.checked(&word, secret::resolve(&word.value, self.path))).transpose()?;
        let certificates = match certificate {
            None => Vec::new(),
            Some(word) => vec![self.checked(&word, secret::read_file(&self.beside(&word.value)))?],
        };
        let roles = roles.iter().map(|seed| self.role(seed)).collect::<Result<_, _>>()?;
        self.world.applications.push(SeedApplication { application, secret, certificates, roles });
        Ok(())
    }

    /// The external identities that an application trusts: as many and named as the real service allows (MicrosoftDocs/
    /// entra-docs `workload-identity-federation-considerations.md`).
    fn federated(&self, application: &Word, seeds: Vec<FederatedSeed>) -> Result<Vec<FederatedCredential>, SeedError> {
        if seeds.len() > MAX_FEDERATED {
            let text = format!("an application has at most {MAX_FEDERATED} federated credentials, not {}", seeds.len());
            return Err(self.error(application.referenced, text));
        }
        let mut known: Vec<FederatedCredential> = Vec::with_capacity(seeds.len());
        for (number, seed) in (1..).zip(seeds) {
            let FederatedSeed { name, issuer, subject, audience } = seed;
            let at = issuer.referenced;
            if !self.world.external_issuers.iter().any(|known| known.url == issuer.value) {
                let text =
                    format!("there is no issuer '{}' in this file; name it under issuers, to the letter", issuer.value);
                return Err(self.error(at, text));
            }
            let credential = FederatedCredential {
                name: name.unwrap_or_else(|| format!("federated-{number}")),
                issuer: issuer.value,
                subject,
                audience: audience.unwrap_or_else(|| DEFAULT_AUDIENCE.to_owned()),
            };
            self.checked(application, names::federated_credential(&credential.name))?;
            let same = |other: &&FederatedCredential| {
                other.name.eq_ignore_ascii_case(&credential.name)
                    || (other.issuer == credential.issuer && other.subject == credential.subject)
            };
            if let Some(other) = known.iter().find(same) {
                let text = format!(
                    "the federated credentials '{}' and '{}' have the same name, or the same issuer and subject",
                    other.name, credential.name
                );
                return Err(self.error(at, text));
            }
            known.push(credential);
        }
        Ok(known)
    }

    fn role(&self, seed: &RoleSeed) -> Result<(String, Scope), SeedError> {
        let known = ROLES.into_iter().find(|role| role.eq_ignore_ascii_case(&seed.role.value));
        let role = known.ok_or_else(|| {
            let text = format!("there is no role '{}'; there is {}", seed.role.value, ROLES.join(", "));
            self.error(seed.role.referenced, text)
        })?;
        let scope: Scope = self.checked(&seed.scope, seed.scope.value.parse())?;
        let subscription = match &scope {
            Scope::Root => None,
            Scope::At(id) => id.subscription(),
        };
        if let Some(id) = subscription.filter(|id| !self.world.subscriptions.iter().any(|known| known.id == *id)) {
            return Err(self.error(seed.scope.referenced, format!("there is no subscription {id} in this file")));
        }
        Ok((role.to_owned(), scope))
    }
}

/// Whether an issuer or a key set can be asked there.
fn is_https(url: &str) -> bool {
    let uri: Option<http::Uri> = url.parse().ok();
    uri.is_some_and(|uri| uri.scheme_str() == Some("https") && uri.host().is_some_and(|host| !host.is_empty()))
}
