//! `/common/discovery/instance`: whether a host is one of this authority.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::Response;
use contract::aadsts::Aadsts;
use contract::oidc;
use http::{HeaderMap, Uri};

use crate::answer::{self, Tracing};
use crate::app::App;

/// How long the answer may be kept, in seconds.
const MAX_AGE: u32 = 3_600;

pub(crate) async fn get(
    State(app): State<Arc<App>>,
    query: Result<Query<HashMap<String, String>>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let refuse = |refusal: &Aadsts| Tracing::of(&headers, &app).refuse(refusal, &app);
    let Ok(Query(query)) = query else {
        return refuse(&Aadsts::MalformedRequest { reason: "the query is not valid".to_owned() });
    };
    let Some(endpoint) = query.get("authorization_endpoint") else {
        return refuse(&Aadsts::MissingParameter { name: "authorization_endpoint" });
    };
    let endpoint: Option<Uri> = endpoint.parse().ok();
    let host = endpoint.as_ref().and_then(Uri::authority).map(http::uri::Authority::as_str);
    let tenant = endpoint.as_ref().map(Uri::path).and_then(|path| path.split('/').nth(1));
    let (Some(host), Some(tenant)) = (host, tenant.filter(|tenant| !tenant.is_empty())) else {
        return refuse(&Aadsts::UnknownInstance);
    };
    if !app.hosts.iter().any(|known| known.eq_ignore_ascii_case(host)) {
        return refuse(&Aadsts::UnknownInstance);
    }
    let api_version = query.get("api-version").map_or("1.1", |version| if version == "1.0" { "1.0" } else { "1.1" });
    match oidc::instance(&app.base_url, app.host(), &app.hosts, tenant, api_version) {
        Ok(body) => answer::ok(body, MAX_AGE),
        Err(error) => answer::internal(&error),
    }
}
