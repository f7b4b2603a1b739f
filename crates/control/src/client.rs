//! Who a client is: by its secret, its own certificate, or an external issuer's word.

use authority::assertion::{self, AssertionRefusal, check_time};
use authority::federated::{self, FederatedRefusal};
use authority::issuer::TokenVersion;
use authority::{Evidence, Subject};
use broker::in_process::subject;
use contract::aadsts::Aadsts;
use contract::assertion::UnverifiedAssertion;
use contract::token_endpoint::{Proof, TokenForm};
use domain::{ClientId, PrincipalId, ResourceId, SecretVerifier, Tenant, Timestamp};
use secrecy::SecretString;
use store::{ClientRecord, Holder};

use crate::app::App;

/// A client that has proved who it is.
pub(crate) struct Authenticated {
    pub(crate) principal_id: PrincipalId,
    pub(crate) client_id: ClientId,
    pub(crate) subject: Subject,
    pub(crate) evidence: Evidence,
}

/// Why a client isn't believed.
pub(crate) enum ClientError {
    /// Its own fault.
    Refused(Aadsts),
    /// The store's.
    Store(store::Error),
}

impl From<Aadsts> for ClientError {
    fn from(refusal: Aadsts) -> Self {
        Self::Refused(refusal)
    }
}

/// Finds the client of a form and checks what it brings. `named` is the tenant as the path has it.
pub(crate) async fn authenticate(
    app: &App,
    tenant: &Tenant,
    named: &str,
    form: &TokenForm<'_>,
) -> Result<Authenticated, ClientError> {
    let sent = form.client_id.as_ref();
    let unknown = || Aadsts::UnknownApplication { client_id: shortened(sent), tenant: tenant.name.clone() };
    let client_id: ClientId = sent.parse().map_err(|_| unknown())?;
    let id = tenant.id;
    let found = app.store.read(move |tx| tx.client(id, client_id)).await.map_err(ClientError::Store)?;
    let client = found.ok_or_else(unknown)?;
    let now = app.authority.clock().now();
    let (evidence, used_by) = match &form.proof {
        Proof::Secret(secret) => {
            check_secret(app, &client.secrets, secret, sent, now)?;
            (Evidence::Secret, None)
        }
        Proof::Assertion(jwt) => {
            let parsed =
                UnverifiedAssertion::parse(jwt).map_err(|why| Aadsts::InvalidAssertion { reason: why.to_string() })?;
            if parsed.issuer.eq_ignore_ascii_case(sent) {
                let vm = own_key(app, tenant, named, &parsed, sent, &client, now)?;
                (if vm.is_some() { Evidence::Extension } else { Evidence::Certificate }, vm)
            } else {
                external(app, &parsed, &client, now).await?;
                (Evidence::Federated, None)
            }
        }
    };
    Ok(Authenticated {
        principal_id: client.principal.principal_id,
        client_id,
        subject: subject_of(&client, evidence, used_by.as_ref()),
        evidence,
    })
}

fn check_secret(
    app: &App,
    known: &[SecretVerifier],
    secret: &str,
    client_id: &str,
    now: Timestamp,
) -> Result<(), Aadsts> {
    let secret = SecretString::from(secret.to_owned());
    let client_id = || client_id.to_owned();
    let found = known.iter().find(|verifier| app.secrets.matches(verifier, &secret));
    let found = found.ok_or_else(|| Aadsts::InvalidSecret { client_id: client_id() })?;
    if found.expires_on.is_some_and(|end| now >= end) {
        return Err(Aadsts::ExpiredSecret { client_id: client_id() });
    }
    Ok(())
}

/// Checks an assertion of the client's own key; the VM on whose disk the key lies, if it is one of those.
fn own_key(
    app: &App,
    tenant: &Tenant,
    named: &str,
    parsed: &UnverifiedAssertion<'_>,
    client_id: &str,
    client: &ClientRecord,
    now: Timestamp,
) -> Result<Option<ResourceId>, Aadsts> {
    let audiences = audiences(app, tenant, named);
    let verified = assertion::verify(parsed, client_id, &client.certificates, &audiences, now);
    let certificate = verified.map_err(|refusal| match refusal {
        AssertionRefusal::UnknownKey(thumbprint) => {
            Aadsts::UnknownKey { thumbprint: shortened(&thumbprint), client_id: client_id.to_owned() }
        }
        AssertionRefusal::Signature => Aadsts::InvalidSignature,
        AssertionRefusal::Time => Aadsts::AssertionTime,
        AssertionRefusal::Client | AssertionRefusal::Audience => {
            Aadsts::InvalidAssertion { reason: refusal.to_string() }
        }
    })?;
    Ok(certificate.vm.clone())
}

async fn external(
    app: &App,
    parsed: &UnverifiedAssertion<'_>,
    client: &ClientRecord,
    now: Timestamp,
) -> Result<(), ClientError> {
    let credential = federated::find(&client.federated, parsed).map_err(|refusal| match refusal {
        FederatedRefusal::Issuer(value) => Aadsts::FederatedIssuer(shortened(&value)),
        FederatedRefusal::Subject(value) => Aadsts::FederatedSubject(shortened(&value)),
        FederatedRefusal::Audience(value) => Aadsts::FederatedAudience(shortened(&value)),
        FederatedRefusal::Case => Aadsts::FederatedCase,
    })?;
    let url = credential.issuer.clone();
    let issuer = app.store.read(move |tx| tx.external_issuer(&url)).await.map_err(ClientError::Store)?;
    let unusable = || Aadsts::FederatedKeys { issuer: credential.issuer.clone() };
    let issuer = issuer.ok_or_else(unusable)?;
    let keys = app.external.keys(&issuer, parsed.kid.as_deref()).await.map_err(|error| {
        tracing::warn!(error = &error as &dyn std::error::Error, issuer = issuer.url, "an issuer's keys can't be had");
        unusable()
    })?;
    let fits = keys.iter().filter(|key| parsed.kid.as_ref().is_none_or(|kid| key.kid.as_ref() == Some(kid)));
    if !fits.into_iter().any(|key| assertion::verify_external(parsed, &key.n, &key.e).is_ok()) {
        return Err(Aadsts::InvalidSignature.into());
    }
    check_time(parsed, now).map_err(|_| Aadsts::AssertionTime)?;
    Ok(())
}

/// Every form in which clients name this token endpoint as their assertion's audience.
fn audiences(app: &App, tenant: &Tenant, named: &str) -> Vec<String> {
    let issuers = app.authority.issuers();
    let id = tenant.id.to_string();
    let mut audiences = vec![issuers.issuer(TokenVersion::V1, tenant.id), issuers.issuer(TokenVersion::V2, tenant.id)];
    for name in [id.as_str(), named, tenant.name.as_str()] {
        for host in &app.hosts {
            audiences.push(format!("https://{host}/{name}/oauth2/token"));
            audiences.push(format!("https://{host}/{name}/oauth2/v2.0/token"));
        }
    }
    audiences
}

fn subject_of(client: &ClientRecord, evidence: Evidence, used_by: Option<&ResourceId>) -> Subject {
    match &client.holder {
        Holder::ManagedIdentity(identity) => subject(identity, used_by),
        Holder::Application { .. } => Subject::Application {
            credential: match evidence {
                Evidence::Secret => "1",
                Evidence::Certificate
                | Evidence::Extension
                | Evidence::Federated
                | Evidence::Machine
                | Evidence::DeviceCode
                | Evidence::RefreshToken => "2",
            },
            // No resource defines roles of its own yet; role assignments are looked up by whoever is asked.
            roles: Vec::new(),
        },
    }
}

/// A refusal repeats only so much of what was sent.
fn shortened(text: &str) -> String {
    text.chars().take(128).collect()
}
