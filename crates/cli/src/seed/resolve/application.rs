//! Applications and external issuers of a seed.

use control::seed::SeedApplication;
use domain::{Application, ExternalIssuer, FederatedCredential, JwksSource, Scope, derived_ids, names};

use super::super::error::SeedError;
use super::super::schema::{ApplicationSeed, FederatedSeed, IssuerSeed, Word};
use super::super::secret;
use super::{DEFAULT_AUDIENCE, Resolver};

/// The most external identities that one application trusts.
const MAX_FEDERATED: usize = 20;

impl Resolver<'_> {
    pub(super) fn issuer(&mut self, seed: IssuerSeed) -> Result<(), SeedError> {
        let IssuerSeed { url, jwks } = seed;
        if !url.value.starts_with("https://") {
            return Err(
                self.error(url.referenced, format!("an issuer's url begins with https://, not '{}'", url.value))
            );
        }
        if self.world.external_issuers.iter().any(|other| other.url == url.value) {
            return Err(self.error(url.referenced, format!("there are two issuers '{}'", url.value)));
        }
        let jwks = match jwks {
            None => JwksSource::Url(format!("{}/.well-known/openid-configuration", url.value.trim_end_matches('/'))),
            Some(word) if word.value.starts_with("https://") => JwksSource::Url(word.value),
            Some(word) if word.value.trim_start().starts_with('{') => JwksSource::Inline(word.value),
            Some(word) if word.value.contains("://") => {
                return Err(self.error(word.referenced, "jwks is a file or an https URL".to_owned()));
            }
            Some(word) => JwksSource::File(self.beside(&word.value)),
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
        if self.world.applications.iter().any(|other| other.application.name.eq_ignore_ascii_case(&name.value)) {
            return Err(self.error(name.referenced, format!("there are two applications '{}'", name.value)));
        }
        let federated = self.federated(&name, federated_credentials)?;
        let tenant = self.referred("tenant", &self.tenants, tenant.as_ref(), &name)?.id;
        let application = Application {
            tenant,
            client_id: self.guid_or(client_id.as_ref(), || derived_ids::application_client_id(tenant, &name.value))?,
            principal_id: self
                .guid_or(principal_id.as_ref(), || derived_ids::application_principal_id(tenant, &name.value))?,
            name: name.value.clone(),
            secrets: Vec::new(),
            federated,
        };
        let secret = secret.map(|word| self.checked(&word, secret::resolve(&word.value, self.path))).transpose()?;
        let certificates = match certificate {
            None => Vec::new(),
            Some(word) => vec![self.checked(&word, secret::read_file(&self.beside(&word.value)))?],
        };
        let mut scopes = Vec::new();
        for role in roles {
            let scope: Scope = self.checked(&role.scope, role.scope.value.parse())?;
            scopes.push((role.role, scope));
        }
        self.world.applications.push(SeedApplication { application, secret, certificates, roles: scopes });
        Ok(())
    }

    /// The external identities that an application trusts: as many and named as the real service allows (MicrosoftDocs/
    /// entra-docs `workload-identity-federation-considerations.md`).
    fn federated(&self, application: &Word, seeds: Vec<FederatedSeed>) -> Result<Vec<FederatedCredential>, SeedError> {
        let wrong = |text: String| self.error(application.referenced, text);
        if seeds.len() > MAX_FEDERATED {
            let count = seeds.len();
            return Err(wrong(format!(
                "an application has at most {MAX_FEDERATED} federated credentials, not {count}"
            )));
        }
        let mut known: Vec<FederatedCredential> = Vec::with_capacity(seeds.len());
        for (number, seed) in seeds.into_iter().enumerate() {
            let credential = FederatedCredential {
                name: seed.name.unwrap_or_else(|| format!("federated-{}", number + 1)),
                issuer: seed.issuer,
                subject: seed.subject,
                audience: seed.audience.unwrap_or_else(|| DEFAULT_AUDIENCE.to_owned()),
            };
            self.checked(application, names::federated_credential(&credential.name))?;
            let same = |other: &&FederatedCredential| {
                other.name.eq_ignore_ascii_case(&credential.name)
                    || (other.issuer == credential.issuer && other.subject == credential.subject)
            };
            if let Some(other) = known.iter().find(same) {
                return Err(wrong(format!(
                    "the federated credentials '{}' and '{}' have the same name, or the same issuer and subject",
                    other.name, credential.name
                )));
            }
            known.push(credential);
        }
        Ok(known)
    }
}
