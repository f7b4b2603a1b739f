//! `…/.well-known/openid-configuration`.

use std::sync::Arc;

use authority::issuer::TokenVersion;
use axum::extract::{Path, State};
use axum::response::Response;
use contract::oidc::Discovery;
use http::HeaderMap;

use crate::answer::{self, Tracing};
use crate::app::App;
use crate::tenant::{self, TenantError, TenantPath};

/// How long a discovery document may be kept, in seconds.
const MAX_AGE: u32 = 3_600;

pub(crate) async fn v1(State(app): State<Arc<App>>, Path(tenant): Path<String>, headers: HeaderMap) -> Response {
    // An ADFS has one document, and those who ask for it send a scope to what it names.
    let version = if tenant::is_adfs(&tenant) { TokenVersion::V2 } else { TokenVersion::V1 };
    document(&app, &tenant, &headers, version).await
}

pub(crate) async fn v2(State(app): State<Arc<App>>, Path(tenant): Path<String>, headers: HeaderMap) -> Response {
    document(&app, &tenant, &headers, TokenVersion::V2).await
}

async fn document(app: &App, tenant: &str, headers: &HeaderMap, version: TokenVersion) -> Response {
    let issuers = app.authority.issuers();
    let (name, issuer) = match tenant::find(&app.store, tenant).await {
        Ok(TenantPath::One(one)) if tenant::is_adfs(tenant) => ("adfs".to_owned(), issuers.issuer(version, one.id)),
        Ok(TenantPath::One(tenant)) => (tenant.id.to_string(), issuers.issuer(version, tenant.id)),
        Ok(TenantPath::Common) => (tenant.to_owned(), issuers.common(version)),
        Err(TenantError::Refused(refusal)) => return Tracing::of(headers, app).refuse(&refusal, app),
        Err(TenantError::Store(error)) => return answer::internal(&error),
    };
    let discovery = Discovery { authority: &app.base_url, tenant: &name, issuer: &issuer, host: app.host() };
    let body = match version {
        TokenVersion::V1 => discovery.v1(),
        TokenVersion::V2 => discovery.v2(),
    };
    match body {
        Ok(body) => answer::ok(body, MAX_AGE),
        Err(error) => answer::internal(&error),
    }
}
