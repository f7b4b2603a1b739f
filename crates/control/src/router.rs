//! Every route of the control plane, in one place.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::Method;

use crate::app::App;
use crate::{answer, arm, discovery, instance_discovery, key_set, token_endpoint};

/// Every route, with its path for documents and tests.
pub const ROUTES: [(&str, &str); 11] = [
    ("GET", "/{tenant}/.well-known/openid-configuration"),
    ("GET", "/{tenant}/v2.0/.well-known/openid-configuration"),
    ("GET", "/{tenant}/discovery/keys"),
    ("GET", "/{tenant}/discovery/v2.0/keys"),
    ("GET", "/{tenant}/discovery/instance"),
    ("POST", "/{tenant}/oauth2/token"),
    ("POST", "/{tenant}/oauth2/v2.0/token"),
    ("GET", "/healthz"),
    ("GET", "/metadata/endpoints"),
    ("POST", "/msgraph/v1.0/directoryObjects/getByIds"),
    ("GET", "/msgraph/v1.0/servicePrincipals"),
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
        .route("/metadata/endpoints", get(arm::cloud_metadata))
        .route("/msgraph/v1.0/directoryObjects/getByIds", post(arm::by_ids))
        .route("/msgraph/v1.0/servicePrincipals", get(arm::service_principals))
        .fallback(others)
        .method_not_allowed_fallback(answer::method_not_allowed)
        .with_state(app)
}

/// The control plane's paths have fixed words in any case, which this router doesn't know: it reads them itself.
async fn others(state: State<Arc<App>>, request: Request) -> Response {
    let is_metadata = request.uri().path().trim_start_matches('/') == "metadata/endpoints";
    if arm::is_ours(request.uri()) {
        arm::handle(state, request).await
    } else if request.method() == Method::GET && is_metadata {
        // A cloud that was registered with a slash at its end asks with two.
        let uri = request.uri().clone();
        arm::cloud_metadata(state, uri).await
    } else {
        answer::not_found(request).await
    }
}
