//! What a request must be before anybody looks at what it asks for; in the order of the other data planes.

use contract::gate::{self, AllowedHosts, RequestHead};
use contract::headers::{ORIGIN, SEC_FETCH_SITE, X_FORWARDED_FOR, X_MS_VERSION};

use crate::refusal::Refusal;
use crate::route::Route;

/// Lets a request through, or says why not.
pub(crate) fn admit<'r>(head: &RequestHead<'r>, hosts: &AllowedHosts) -> Result<Route<'r>, Refusal> {
    let Some(route) = Route::resolve(head.path, head.query)? else {
        let (path, method) = (head.path.to_owned(), head.method.to_owned());
        return Err(gate::Refusal::UnknownPath { path, method, identity: false }.into());
    };
    let allow = route.method();
    if head.method != allow {
        let (path, method) = (head.path.to_owned(), head.method.to_owned());
        return Err(gate::Refusal::MethodNotAllowed { path, method, allow }.into());
    }
    if head.has_body && allow == "GET" {
        return Err(gate::Refusal::BodyNotAllowed.into());
    }
    hosts.check(head.headers).map_err(gate::Refusal::Host)?;
    if head.headers.contains_key(ORIGIN) || head.headers.contains_key(SEC_FETCH_SITE) {
        return Err(gate::Refusal::CrossOrigin.into());
    }
    if head.headers.contains_key(X_FORWARDED_FOR) {
        return Err(gate::Refusal::Forwarded.into());
    }
    if let Some(expected) = route.version() {
        let mut values = head.headers.get_all(X_MS_VERSION).iter();
        if values.next().is_none_or(|value| value != expected) || values.next().is_some() {
            return Err(Refusal::Version { expected });
        }
    }
    Ok(route)
}
