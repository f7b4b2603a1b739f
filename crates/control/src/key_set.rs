//! `…/discovery/keys`: the public keys.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use http::HeaderMap;

use crate::answer::{self, Tracing};
use crate::app::App;
use crate::tenant::{self, TenantError};

/// How long a key set may be kept, in seconds: well below the time for which a key is published before it
/// signs.
const MAX_AGE: u32 = 3_600;

pub(crate) async fn v1(State(app): State<Arc<App>>, Path(tenant): Path<String>, headers: HeaderMap) -> Response {
    match known(&app, &tenant, &headers).await {
        Ok(()) => answer::ok(app.authority.ring().load().jwks_v1.clone(), MAX_AGE),
        Err(refusal) => *refusal,
    }
}

pub(crate) async fn v2(State(app): State<Arc<App>>, Path(tenant): Path<String>, headers: HeaderMap) -> Response {
    match known(&app, &tenant, &headers).await {
        Ok(()) => answer::ok(app.authority.ring().load().jwks_v2.clone(), MAX_AGE),
        Err(refusal) => *refusal,
    }
}

async fn known(app: &App, tenant: &str, headers: &HeaderMap) -> Result<(), Box<Response>> {
    match tenant::find(&app.store, tenant).await {
        Ok(_) => Ok(()),
        Err(TenantError::Refused(refusal)) => Err(Box::new(Tracing::of(headers, app).refuse(&refusal, app))),
        Err(TenantError::Store(error)) => Err(Box::new(answer::internal(&error))),
    }
}
