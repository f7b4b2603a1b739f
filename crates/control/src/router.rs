//! Every route of the control plane, in one place.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;
use crate::{answer, discovery, instance_discovery, key_set, token_endpoint};

/// Every route, with its path for documents and tests.
pub const ROUTES: [(&str, &str); 8] = [
    ("GET", "/{tenant}/.well-known/openid-configuration"),
    ("GET", "/{tenant}/v2.0/.well-known/openid-configuration"),
    ("GET", "/{tenant}/discovery/keys"),
    ("GET", "/{tenant}/discovery/v2.0/keys"),
    ("GET", "/{tenant}/discovery/instance"),
    ("POST", "/{tenant}/oauth2/token"),
    ("POST", "/{tenant}/oauth2/v2.0/token"),
    ("GET", "/healthz"),
];

/// The router.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/{tenant}/.well-known/openid-configuration", get(discovery::v1))
        .route("/{tenant}/v2.0/.well-known/openid-configuration", get(discovery::v2))
        .route("/{tenant}/discovery/keys", get(key_set::v1))
        .route("/{tenant}/discovery/v2.0/keys", get(key_set::v2))
        .route("/{tenant}/discovery/instance", get(instance_discovery::get))
        .route("/{tenant}/oauth2/token", post(token_endpoint::v1))
        .route("/{tenant}/oauth2/v2.0/token", post(token_endpoint::v2))
        .route("/healthz", get(answer::health))
        .fallback(answer::not_found)
        .method_not_allowed_fallback(answer::method_not_allowed)
        .with_state(app)
}
