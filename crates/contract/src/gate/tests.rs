use http::{HeaderName, HeaderValue};
use proptest::prelude::*;

use super::*;

fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn imds() -> Gate {
    Gate::new(Surface::Imds, AllowedHosts::imds("127.0.0.1:16925".parse().unwrap(), ["Localhost:16925".to_owned()]))
}

fn extension() -> Gate {
    Gate::new(Surface::Extension, AllowedHosts::extension(50_342, []))
}

const TOKEN: &str = "/metadata/identity/oauth2/token";
const GOOD: [(&str, &str); 2] = [("Host", "127.0.0.1:16925"), ("Metadata", "true")];
const GOOD_EXTENSION: [(&str, &str); 2] = [("Host", "localhost:50342"), ("Metadata", "true")];

fn admit(gate: &Gate, method: &str, path: &str, lines: &[(&str, &str)], has_body: bool) -> Result<Route, Refusal> {
    let headers = headers(lines);
    gate.admit(RequestHead { method, path, query: Some("q"), headers: &headers, has_body }).map(|admitted| {
        assert_eq!((admitted.query, admitted.post), ("q", method == "POST"));
        admitted.route
    })
}

#[test]
fn requests_as_real_clients_send_them_pass() {
    for value in ["true", "True", "TRUE", " true\t"] {
        let lines = [("host", "127.0.0.1:16925"), ("METADATA", value)];
        assert_eq!(admit(&imds(), "GET", TOKEN, &lines, false), Ok(Route::ImdsToken), "{value:?}");
    }
    for host in ["169.254.169.254", "169.254.169.254:80", "LOCALHOST:16925"] {
        let lines = [("Host", host), ("Metadata", "true"), ("sec-fetch-mode", "cors"), ("x-identity-header", "x")];
        assert_eq!(admit(&imds(), "GET", TOKEN, &lines, false), Ok(Route::ImdsToken), "{host}");
    }
    for host in ["localhost", "localhost:50342", "127.0.0.1:50342", "[::1]:50342", "[::1]", "127.0.0.1"] {
        for method in ["GET", "POST"] {
            let lines = [("Host", host), ("Metadata", "true")];
            let route = admit(&extension(), method, "/oauth2/token", &lines, method == "POST");
            assert_eq!(route, Ok(Route::ExtensionToken), "{host}");
        }
    }
}

/// Everything is wrong at once; mending the first fault shows the next, in the order of the contract.
#[test]
fn checks_fail_in_the_order_of_the_contract() {
    let bad = [("Origin", "http://evil"), ("X-Forwarded-For", "")];
    let unknown = Refusal::UnknownPath { path: "/x".into(), method: "PUT".into(), identity: false };
    assert_eq!(admit(&imds(), "PUT", "/x", &bad, true), Err(unknown));
    let method = Refusal::MethodNotAllowed { path: TOKEN.into(), method: "PUT".into(), allow: "GET" };
    assert_eq!(admit(&imds(), "PUT", TOKEN, &bad, true), Err(method));
    assert_eq!(admit(&imds(), "GET", TOKEN, &bad, true), Err(Refusal::BodyNotAllowed));
    assert_eq!(admit(&imds(), "GET", TOKEN, &bad, false), Err(Refusal::Host(HostRefusal::Missing)));
    let host = [("Host", "127.0.0.1:16925"), bad[0], bad[1]];
    assert_eq!(admit(&imds(), "GET", TOKEN, &host, false), Err(Refusal::CrossOrigin));
    assert_eq!(admit(&imds(), "GET", TOKEN, &[host[0], bad[1]], false), Err(Refusal::Forwarded));
    let missing = Refusal::Metadata(MetadataRefusal::Missing);
    assert_eq!(admit(&imds(), "GET", TOKEN, &[host[0]], false), Err(missing));
}

#[test]
fn the_extensions_own_order() {
    let source = Refusal::UnknownSource { uri: "/x".into() };
    assert_eq!(admit(&extension(), "PUT", "/x", &[], true), Err(source));
    let source = Refusal::UnknownSource { uri: "/oauth2/token".into() };
    for lines in [vec![], vec![("Host", "evil")], vec![("Host", "localhost:1")]] {
        assert_eq!(admit(&extension(), "PUT", "/oauth2/token", &lines, true), Err(source.clone()), "{lines:?}");
    }
    let twice = [GOOD_EXTENSION[0], GOOD_EXTENSION[0], GOOD_EXTENSION[1]];
    assert_eq!(admit(&extension(), "GET", "/oauth2/token", &twice, false), Err(Refusal::Host(HostRefusal::Several)));
    let method = Refusal::MethodNotAllowed { path: "/oauth2/token".into(), method: "get".into(), allow: "GET, POST" };
    assert_eq!(admit(&extension(), "get", "/oauth2/token", &GOOD_EXTENSION, false), Err(method));
    assert_eq!(admit(&extension(), "GET", "/oauth2/token", &GOOD_EXTENSION, true), Err(Refusal::BodyNotAllowed));
}

#[test]
fn metadata_is_exactly_one_true() {
    let refusal = |values: &[&str]| {
        let mut lines = vec![GOOD[0]];
        lines.extend(values.iter().map(|value| ("Metadata", *value)));
        admit(&imds(), "GET", TOKEN, &lines, false).unwrap_err()
    };
    assert_eq!(refusal(&[]), Refusal::Metadata(MetadataRefusal::Missing));
    assert_eq!(refusal(&["true", "true"]), Refusal::Metadata(MetadataRefusal::Several));
    for wrong in ["", "false", "1", "true, true", "truee", "tru"] {
        assert_eq!(refusal(&[wrong]), Refusal::Metadata(MetadataRefusal::NotTrue), "{wrong}");
    }
}

#[test]
fn hosts_of_others_are_refused() {
    for host in ["evil", "127.0.0.1", "127.0.0.1:80", "169.254.169.254:81", "169.254.169.254.evil", ""] {
        let refusal = admit(&imds(), "GET", TOKEN, &[("Host", host), GOOD[1]], false);
        assert_eq!(refusal, Err(Refusal::Host(HostRefusal::NotAllowed)), "{host}");
    }
    let twice = admit(&imds(), "GET", TOKEN, &[GOOD[0], GOOD[0], GOOD[1]], false);
    assert_eq!(twice, Err(Refusal::Host(HostRefusal::Several)));
}

#[test]
fn on_port_80_a_name_may_stand_alone() {
    let gate = |port: u16| {
        let names = [format!("localhost:{port}"), "other:8080".to_owned()];
        Gate::new(Surface::Imds, AllowedHosts::imds(([127, 0, 0, 1], port).into(), names))
    };
    let admitted = |port, host| admit(&gate(port), "GET", TOKEN, &[("Host", host), GOOD[1]], false).is_ok();
    for host in ["localhost", "LocalHost:80", "127.0.0.1", "127.0.0.1:80", "other:8080"] {
        assert!(admitted(80, host), "{host}");
    }
    assert!(!admitted(80, "other"));
    for host in ["localhost", "127.0.0.1", "localhost:80"] {
        assert!(!admitted(8080, host), "{host}");
    }
}

#[test]
fn each_browser_header_is_enough() {
    for (name, refusal) in [
        ("Origin", Refusal::CrossOrigin),
        ("Sec-Fetch-Site", Refusal::CrossOrigin),
        ("X-Forwarded-For", Refusal::Forwarded),
    ] {
        for value in ["", "null", "127.0.0.1"] {
            let lines = [GOOD[0], GOOD[1], (name, value)];
            assert_eq!(admit(&imds(), "GET", TOKEN, &lines, false), Err(refusal.clone()), "{name}: {value}");
        }
    }
}

#[test]
fn unknown_identity_paths_have_two_keys_and_others_one() {
    let body = |path: &str| {
        let refusal = admit(&imds(), "GET", path, &[], false).unwrap_err();
        String::from_utf8(refusal.answer(Surface::Imds).body.into_owned()).unwrap()
    };
    assert_eq!(
        body("/metadata/identity/getplatformmetadata"),
        r#"{"error":"not_found","error_description":"API is not found: Path = \"/metadata/identity/getplatformmetadata\", Method = \"GET\""}"#
    );
    assert_eq!(body("/x"), r#"{"error":"API is not found: Path = \"/x\", Method = \"GET\""}"#);
}

#[test]
fn only_the_probe_keeps_the_connection() {
    let probe = Refusal::Metadata(MetadataRefusal::Missing);
    assert!(!probe.answer(Surface::Imds).close);
    for other in [Refusal::CrossOrigin, Refusal::IdentityNotFound, Refusal::Metadata(MetadataRefusal::NotTrue)] {
        assert!(other.answer(Surface::Imds).close);
    }
}

/// The rules once more, as plainly as they can be said.
fn is_sound(surface: Surface, method: &str, path: &str, lines: &[(&str, &str)], has_body: bool) -> bool {
    let values = |name: &str| lines.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name)).collect::<Vec<_>>();
    let is_one_of = |name: &str, allowed: &[&str]| {
        let values = values(name);
        values.len() == 1 && allowed.contains(&values[0].1.to_ascii_lowercase().as_str())
    };
    let segments: Vec<_> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let (known, hosts): (_, &[&str]) = match surface {
        Surface::Imds => (
            match segments[..] {
                [first, "identity", "oauth2", "token"]
                | [first, "identity", "info"]
                | [first, "instance", ..]
                | [first, "versions" | "scheduledevents" | "loadbalancer"]
                | [first, "attested", "document"] => first.to_lowercase() == "metadata",
                _ => false,
            },
            &["169.254.169.254", "169.254.169.254:80", "127.0.0.1:16925", "localhost:16925"],
        ),
        Surface::Extension => (
            segments == ["oauth2", "token"],
            &["localhost", "localhost:50342", "127.0.0.1", "127.0.0.1:50342", "[::1]", "[::1]:50342"],
        ),
    };
    let takes_post = surface == Surface::Extension || segments.get(1) == Some(&"scheduledevents");
    let post = takes_post && method == "POST";
    let foreign = ["origin", "sec-fetch-site", "x-forwarded-for"].iter().any(|name| !values(name).is_empty());
    path.starts_with('/')
        && known
        && (post || (method == "GET" && !has_body))
        && is_one_of("host", hosts)
        && is_one_of("metadata", &["true", " true\t"])
        && !foreign
}

/// Mostly what is right, so that one wrong thing alone is drawn often.
fn lines() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    let host = prop_oneof![
        8 => prop::sample::select(vec!["169.254.169.254", "127.0.0.1:16925", "LOCALHOST", "[::1]:50342", "localhost:50342"]),
        1 => prop::sample::select(vec!["evil", "", "localhost:1", "127.0.0.1:80", "169.254.169.254.evil", "127.0.0.1:16925 "]),
    ];
    let metadata = prop_oneof![
        8 => prop::sample::select(vec!["true", "True", " TRUE\t"]),
        1 => prop::sample::select(vec!["false", "", "true, true", "truee"]),
    ];
    let name = |right, often, wrong: [&'static str; 2]| prop_oneof![often => Just(right), 1 => prop::sample::select(wrong.to_vec())];
    let more = prop_oneof![
        12 => prop::sample::select(vec!["sec-fetch-mode", "x-identity-header", "Forwarded", "accept", "content-type"]),
        1 => prop::sample::select(vec!["Origin", "SEC-FETCH-SITE", "X-Forwarded-For", "x-forwarded-for", "Host", "metadata"]),
    ];
    let first = (name("Host", 9, ["hOST", "X-Host"]), host).prop_map(|line| vec![line]);
    let second = (name("Metadata", 9, ["METADATA", "Metadat"]), metadata).prop_map(|line| vec![line]);
    let rest = prop::collection::vec((more, prop::sample::select(vec!["", "true", "null", "localhost"])), 0..3);
    (first, second, rest).prop_map(|parts| [parts.0, parts.1, parts.2].concat()).prop_shuffle()
}

fn path() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::sample::select(vec![TOKEN, "/metadata/identity/info", "/oauth2/token", "//METADATA/identity//info/",
            "/metadata/scheduledevents", "/metadata/instance/compute/name", "/metadata/attested/document"])
            .prop_map(str::to_owned),
        2 => "(/{0,2}(metadata|Metadata|identity|oauth2|token|info|instance|versions|%2f|\\.\\.|;|x)){0,5}/?",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]
    #[test]
    fn what_is_admitted_is_sound_and_what_is_sound_is_admitted(
        method in prop::sample::select(vec!["GET", "GET", "GET", "POST", "POST", "get", "PUT", "OPTIONS", "HEAD"]),
        path in path(),
        lines in lines(),
        has_body in prop::bool::weighted(0.2),
    ) {
        for gate in [imds(), extension()] {
            let headers = headers(&lines);
            let head = RequestHead { method, path: &path, query: None, headers: &headers, has_body };
            let verdict = gate.admit(head);
            prop_assert_eq!(verdict.is_ok(), is_sound(gate.surface(), method, &path, &lines, has_body), "{:?}", verdict);
            if let Ok(admitted) = verdict {
                prop_assert_eq!(admitted.post, method == "POST");
            }
        }
    }
}
