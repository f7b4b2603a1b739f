//! Every route of the control plane, in one place.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use contract::device_login::PATH;
use http::Method;

use crate::app::App;
use crate::{answer, arm, device_code, device_login, discovery, instance_discovery, key_set, token_endpoint};

/// A route: what is served, and what documents and tests need to know of it.
pub struct Route {
    /// The method it takes.
    pub method: &'static str,
    /// Its path, with what stands for a part of it in braces.
    pub path: &'static str,
    served: fn() -> MethodRouter<Arc<App>>,
}

const fn route(method: &'static str, path: &'static str, served: fn() -> MethodRouter<Arc<App>>) -> Route {
    Route { method, path, served }
}

/// Every route; [`router`] serves these and no other.
pub const ROUTES: [Route; 14] = [
    route("GET", "/{tenant}/.well-known/openid-configuration", || get(discovery::v1)),
    route("GET", "/{tenant}/v2.0/.well-known/openid-configuration", || get(discovery::v2)),
    route("GET", "/{tenant}/discovery/keys", || get(key_set::v1)),
    route("GET", "/{tenant}/discovery/v2.0/keys", || get(key_set::v2)),
    route("GET", "/{tenant}/discovery/instance", || get(instance_discovery::get)),
    route("POST", "/{tenant}/oauth2/token", || post(token_endpoint::v1)),
    route("POST", "/{tenant}/oauth2/v2.0/token", || post(token_endpoint::v2)),
    route("POST", "/{tenant}/oauth2/v2.0/devicecode", || post(device_code::post)),
    route("GET", PATH, || get(device_login::get)),
    route("POST", PATH, || post(device_login::post)),
    route("GET", "/healthz", || get(answer::health)),
    route("GET", "/metadata/endpoints", || get(arm::cloud_metadata)),
    route("POST", "/msgraph/v1.0/directoryObjects/getByIds", || post(arm::by_ids)),
    route("GET", "/msgraph/v1.0/servicePrincipals", || get(arm::service_principals)),
];

/// The router.
pub fn router(app: Arc<App>) -> Router {
    ROUTES
        .into_iter()
        .fold(Router::new(), |router, route| router.route(route.path, (route.served)()))
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
