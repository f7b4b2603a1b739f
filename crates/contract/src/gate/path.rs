//! Which route a raw path means.
//!
//! Runs of `/` count as one and a last `/` as none, because Azure's own clients send such paths; the first
//! segment `metadata` is compared without case. Nothing is decoded or resolved: `%2F`, `.` and `..` match no
//! route, so a filter in front can't be made to disagree.

use super::{Route, Surface};

/// The routes of a surface, each with its path as almost everybody writes it.
pub(super) fn routes(surface: Surface) -> &'static [(&'static str, Route)] {
    match surface {
        Surface::Imds => &[
            (crate::imds::TOKEN_PATH, Route::ImdsToken),
            ("/metadata/identity/info", Route::ImdsIdentityInfo),
            ("/metadata/instance", Route::ImdsInstance),
            ("/metadata/versions", Route::ImdsVersions),
            ("/metadata/attested/document", Route::ImdsAttested),
            ("/metadata/scheduledevents", Route::ImdsScheduledEvents),
            ("/metadata/loadbalancer", Route::ImdsLoadBalancer),
        ],
        Surface::Extension => &[("/oauth2/token", Route::ExtensionToken)],
    }
}

/// The route of a path on a surface.
pub(super) fn route(surface: Surface, path: &str) -> Option<Route> {
    let routes = routes(surface);
    let written = routes.iter().find(|(known, _)| path == *known);
    written.or_else(|| routes.iter().find(|(known, route)| matches(path, known, *route))).map(|(_, route)| *route)
}

/// Whether a path lies below `/metadata/identity`, where errors have two keys.
pub(super) fn is_identity(path: &str) -> bool {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    segments.next().is_some_and(is_metadata) && segments.next() == Some("identity")
}

fn matches(path: &str, wanted: &str, route: Route) -> bool {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    path.starts_with('/')
        && wanted.split('/').skip(1).all(|wanted| match segments.next() {
            Some(segment) if wanted == "metadata" => is_metadata(segment),
            Some(segment) => segment == wanted,
            None => false,
        })
        && (route == Route::ImdsInstance || segments.next().is_none())
}

fn is_metadata(segment: &str) -> bool {
    segment.eq_ignore_ascii_case("metadata")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_spellings_of_real_clients_are_known() {
        for path in [
            "/metadata/identity/oauth2/token",
            "/metadata/identity/oauth2/token/",
            "//metadata/identity/oauth2/token",
            "/METADATA/identity//oauth2/token//",
        ] {
            assert_eq!(route(Surface::Imds, path), Some(Route::ImdsToken), "{path}");
        }
        assert_eq!(route(Surface::Imds, "/metadata/identity/info"), Some(Route::ImdsIdentityInfo));
        for path in ["/metadata/instance", "/Metadata//instance/", "/metadata/instance/network/interface/0"] {
            assert_eq!(route(Surface::Imds, path), Some(Route::ImdsInstance), "{path}");
        }
        assert_eq!(route(Surface::Extension, "//oauth2/token/"), Some(Route::ExtensionToken));
    }

    /// Every path of the table is found, so that whoever goes through [`Route::all`] misses none.
    #[test]
    fn all_routes_are_those_of_the_table() {
        for surface in [Surface::Imds, Surface::Extension] {
            let found: Vec<_> = routes(surface).iter().filter_map(|(path, _)| route(surface, path)).collect();
            assert_eq!(found, Route::all(surface));
        }
    }

    #[test]
    fn everything_else_is_not() {
        for path in [
            "/",
            "",
            "metadata/identity/oauth2/token",
            "/metadata/identity/oauth2/tokenXYZ",
            "/metadata/identity/oauth2/token/x",
            "/metadata/Identity/oauth2/token",
            "/metadata/identity/oauth2/%74oken",
            "/metadata%2fidentity/oauth2/token",
            "/metadata/identity/./oauth2/token",
            "/metadata/identity/x/../oauth2/token",
            "/metadata/identity/oauth2/token;a",
            "/metadata/identity/getplatformmetadata",
            "/metadata",
            "/metadata/instances",
            "/metadata/versions/2017-03-01",
            "/metadata/attested",
            "/metadata/endpoints",
            "/oauth2/token",
        ] {
            assert_eq!(route(Surface::Imds, path), None, "{path}");
        }
        assert_eq!(route(Surface::Extension, "/metadata/identity/oauth2/token"), None);
    }

    proptest! {
        #[test]
        fn collapsing_and_trimming_change_no_verdict(path in "(/|/{1,3}(metadata|METADATA|identity|oauth2|token|info|instance|versions|%2f|\\.\\.)){0,6}/{0,2}") {
            let mut collapsed = String::new();
            for segment in path.split('/').filter(|segment| !segment.is_empty()) {
                collapsed.push('/');
                collapsed.push_str(segment);
            }
            for surface in [Surface::Imds, Surface::Extension] {
                prop_assert_eq!(route(surface, &path), route(surface, &collapsed));
            }
        }

        #[test]
        fn any_text_has_a_verdict(path: String) {
            let _ = (route(Surface::Imds, &path), route(Surface::Extension, &path), is_identity(&path));
        }
    }
}
