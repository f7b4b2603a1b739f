//! `POST /{tenant}/oauth2/token` and `/{tenant}/oauth2/v2.0/token`.

use std::sync::Arc;
use std::time::Duration;

use authority::kek::KekError;
use authority::signing_pool::PoolError;
use authority::{MintError, TokenSpec};
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use contract::aadsts::Aadsts;
use contract::token_endpoint::{EndpointVersion, TokenAnswer, TokenForm, TokenRequest};
use http::HeaderMap;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use percent_encoding::percent_decode_str;

use crate::answer::{self, Tracing};
use crate::app::App;
use crate::client::{self, ClientError};
use crate::tenant::{self, TenantError, TenantPath};
use crate::user_token;

/// The longest form that is read: an assertion with its certificates has a few kilobytes.
pub(crate) const MAX_FORM: usize = 64 * 1024;
/// How long a token of this endpoint lives.
pub(crate) const LIFETIME: Duration = Duration::from_secs(3_600);
/// A token lives an instant less when it arrives, as the real service says.
pub(crate) const IN_FLIGHT: u64 = 1;

pub(crate) async fn v1(state: State<Arc<App>>, tenant: Path<String>, headers: HeaderMap, body: Body) -> Response {
    answer(EndpointVersion::V1, state, tenant, headers, body).await
}

pub(crate) async fn v2(state: State<Arc<App>>, tenant: Path<String>, headers: HeaderMap, body: Body) -> Response {
    answer(EndpointVersion::V2, state, tenant, headers, body).await
}

async fn answer(
    version: EndpointVersion,
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let tracing = Tracing::of(&headers, &app);
    let form = match answer::read_body(body, MAX_FORM).await {
        Ok(form) => form,
        Err(refused) => return refused,
    };
    match token(version, &app, &tenant, &headers, &form).await {
        Ok(body) => {
            metrics::counter!("symbolon_authority_requests_total", "outcome" => "token").increment(1);
            answer::ok(body, 0)
        }
        Err(Failure::Refused(refusal)) => tracing.refuse(&refusal, &app),
        Err(Failure::Busy) => answer::busy(),
        Err(Failure::Store(error)) => answer::internal(&error),
        Err(Failure::Mint(error)) => answer::internal(&error),
        Err(Failure::Seal(error)) => answer::internal(&error),
    }
}

/// Why there is no token.
pub(crate) enum Failure {
    /// The client's fault.
    Refused(Aadsts),
    /// As many wait for a signature as may.
    Busy,
    /// The store's.
    Store(store::Error),
    /// No token could be made.
    Mint(MintError),
    /// No refresh token could be.
    Seal(KekError),
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<Aadsts> for Failure {
    fn from(refusal: Aadsts) -> Self {
        Self::Refused(refusal)
    }
}

impl From<TenantError> for Failure {
    fn from(error: TenantError) -> Self {
        match error {
            TenantError::Refused(refusal) => Self::Refused(refusal),
            TenantError::Store(error) => Self::Store(error),
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Refused(refusal) => Self::Refused(refusal),
            ClientError::Store(error) => Self::Store(error),
        }
    }
}

impl From<MintError> for Failure {
    fn from(error: MintError) -> Self {
        match error {
            MintError::Pool(PoolError::Full) => Self::Busy,
            MintError::Pool(PoolError::Sign(_) | PoolError::Ended) | MintError::Random | MintError::Claims(_) => {
                Self::Mint(error)
            }
        }
    }
}

async fn token(
    version: EndpointVersion,
    app: &App,
    named: &str,
    headers: &HeaderMap,
    form: &Bytes,
) -> Result<Vec<u8>, Failure> {
    let tenant = tenant::find(&app.store, named).await?;
    check_content_type(headers)?;
    match TokenRequest::parse(version, form, basic(headers)?)? {
        TokenRequest::Client(form) => client_token(version, app, tenant, named, form).await,
        TokenRequest::User(form) => user_token::answer(app, &tenant, named, &form).await,
    }
}

async fn client_token(
    version: EndpointVersion,
    app: &App,
    tenant: TenantPath,
    named: &str,
    form: TokenForm<'_>,
) -> Result<Vec<u8>, Failure> {
    let tenant = match tenant {
        TenantPath::One(tenant) => tenant,
        TenantPath::Common => tenant::only(&app.store, named).await?,
    };
    let authenticated = client::authenticate(app, &tenant, named, &form).await?;
    let spec = TokenSpec {
        tenant: tenant.id,
        principal_id: authenticated.principal_id,
        client_id: authenticated.client_id,
        subject: authenticated.subject,
        audience: form.resource.as_ref().into(),
        lifetime: LIFETIME,
        tenant_created_at: tenant.created_at,
        capabilities: form.capabilities,
        evidence: authenticated.evidence,
    };
    let minted = app.authority.mint(&spec).await?;
    let (not_before, expires_on) = (minted.not_before.unix(), minted.expires_on.unix());
    let answer = TokenAnswer {
        access_token: &minted.into_jwt(),
        expires_in: LIFETIME.as_secs() - IN_FLIGHT,
        expires_on,
        not_before,
        resource: &form.resource,
    };
    Ok(answer.body(version).into_bytes())
}

pub(crate) fn check_content_type(headers: &HeaderMap) -> Result<(), Aadsts> {
    let form = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|media| media.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"));
    let reason = "its Content-Type is not application/x-www-form-urlencoded";
    if form { Ok(()) } else { Err(Aadsts::MalformedRequest { reason: reason.to_owned() }) }
}

/// User and password of HTTP Basic, each form-encoded (RFC 6749 §2.3.1).
fn basic(headers: &HeaderMap) -> Result<Option<(String, String)>, Aadsts> {
    let Some(value) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let malformed = || Aadsts::MalformedRequest { reason: "its Authorization header is not HTTP Basic".to_owned() };
    let value = value.to_str().map_err(|_| malformed())?;
    let (scheme, credentials) = value.split_once(' ').ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(malformed());
    }
    let decoded = STANDARD.decode(credentials.trim()).map_err(|_| malformed())?;
    let decoded = String::from_utf8(decoded).map_err(|_| malformed())?;
    let (user, password) = decoded.split_once(':').ok_or_else(malformed)?;
    let decode = |text: &str| {
        let spaced = text.replace('+', " ");
        percent_decode_str(&spaced).decode_utf8().map(std::borrow::Cow::into_owned).map_err(|_| malformed())
    };
    Ok(Some((decode(user)?, decode(password)?)))
}
