//! The refusal table: every route, with everything that is wrong, to the byte.

mod words;

use contract::gate::{Route, Surface};

use self::words::{Words, bare};
use super::*;

/// Every route with its path and a query that is right. A route that isn't here fails the test below.
const ROUTES: [(Route, &str, &str); 7] = [
    (Route::ImdsToken, "/metadata/identity/oauth2/token", "api-version=2018-02-01&resource=r"),
    (Route::ImdsIdentityInfo, "/metadata/identity/info", "api-version=2018-02-01"),
    (Route::ImdsInstance, "/metadata/instance", "api-version=2018-02-01"),
    (Route::ImdsVersions, "/metadata/versions", ""),
    (Route::ImdsAttested, "/metadata/attested/document", "api-version=2018-10-01&nonce=1"),
    (Route::ImdsScheduledEvents, "/metadata/scheduledevents", "api-version=2020-07-01"),
    (Route::ImdsLoadBalancer, "/metadata/loadbalancer", "api-version=2020-10-01"),
];

fn invalid(text: &str) -> String {
    format!("{{\"error\":\"invalid_request\",\"error_description\":\"{text}\"}}")
}

struct Row {
    name: &'static str,
    request: String,
    status: u16,
    body: String,
    closes: bool,
}

/// Rows that hold for every route.
fn rows(host: &str, route: Route, path: &str, query: &str) -> Vec<Row> {
    let target = format!("{path}?{query}");
    let get = |target: &str, lines: &str| format!("GET {target} HTTP/1.1\r\n{host}{lines}\r\n");
    let row = |name, request, status, body| Row { name, request, status, body, closes: true };
    let words = Words::of(route);
    let Words { header, host: hosts, forwarded, origin, body: no_body, .. } = words;
    let malformed = r#"{"error":"bad_request","error_description":"The request is malformed"}"#.to_owned();
    let allowed = |method: &str| {
        let text = format!("Http method is not allowed: Path = \\\"{path}\\\", Method = \\\"{method}\\\"");
        if route.is_identity() {
            format!("{{\"error\":\"method_not_allowed\",\"error_description\":\"{text}\"}}")
        } else {
            bare(&text)
        }
    };
    let unknown = |path: &str| {
        let text = format!("API is not found: Path = \\\"{path}\\\", Method = \\\"GET\\\"");
        if route == Route::ImdsInstance && path.starts_with("/metadata/instance/") {
            bare("The requested element was not found")
        } else if route.is_identity() {
            format!("{{\"error\":\"not_found\",\"error_description\":\"{text}\"}}")
        } else {
            bare(&text)
        }
    };
    // One that no route takes, and one that most don't.
    let post = if words.methods == "GET" { "POST" } else { "PUT" };
    let good = "Metadata: true\r\n";
    let mut rows = vec![
        Row { closes: false, ..row("no header", get(&target, ""), 400, header.clone()) },
        row("header twice", get(&target, "Metadata: true\r\nMetadata: true\r\n"), 400, header.clone()),
        row("true, true", get(&target, "Metadata: true, true\r\n"), 400, header.clone()),
        row("false", get(&target, "Metadata: false\r\n"), 400, header),
        row("forwarded", get(&target, "Metadata: true\r\nX-Forwarded-For: 127.0.0.1\r\n"), 400, forwarded.clone()),
        row("forwarded, empty", get(&target, "Metadata: true\r\nx-forwarded-for:\r\n"), 400, forwarded),
        row("origin", get(&target, "Metadata: true\r\nOrigin: http://evil\r\n"), 403, origin.clone()),
        row("fetch site", get(&target, "Metadata: true\r\nSec-Fetch-Site: same-origin\r\n"), 403, origin),
        row("foreign host", format!("GET {target} HTTP/1.1\r\nHost: evil\r\n{good}\r\n"), 400, hosts.clone()),
        row("no host", format!("GET {target} HTTP/1.1\r\n{good}\r\n"), 400, hosts.clone()),
        row("two hosts", get(&target, &format!("{host}{good}")), 400, hosts),
        row("POST", format!("{post} {target} HTTP/1.1\r\n{host}{good}Content-Length: 0\r\n\r\n"), 405, allowed(post)),
        row("lower case", format!("get {target} HTTP/1.1\r\n{host}{good}\r\n"), 405, allowed("get")),
        row(
            "POST with a body",
            format!("{post} {target} HTTP/1.1\r\n{host}{good}Content-Length: 3\r\n\r\nabc"),
            405,
            allowed(post),
        ),
        row("OPTIONS", format!("OPTIONS {target} HTTP/1.1\r\n{host}{good}\r\n"), 405, allowed("OPTIONS")),
        row("DELETE", format!("DELETE {target} HTTP/1.1\r\n{host}{good}\r\n"), 405, allowed("DELETE")),
        row("body", get(&target, &format!("{good}Content-Length: 3\r\n")) + "abc", 400, no_body.clone()),
        row(
            "both framings",
            get(&target, &format!("{good}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n")),
            400,
            malformed.clone(),
        ),
        row("chunked", get(&target, &format!("{good}Transfer-Encoding: chunked\r\n")), 400, malformed.clone()),
        row(
            "bare LF",
            format!("GET {target} HTTP/1.1\n{}{}\n", host.replace('\r', ""), good.replace('\r', "")),
            400,
            malformed.clone(),
        ),
        row("NUL", get(&target, &format!("{good}a: \0\r\n")), 400, malformed.clone()),
        row("HTTP/1.2", get(&target, good).replace("HTTP/1.1", "HTTP/1.2"), 400, malformed.clone()),
        row("absolute form", get(&format!("http://evil{target}"), good), 400, malformed.clone()),
        row("fragment", get(&format!("{path}#x"), good), 400, malformed.clone()),
        row("angle brackets", get(&format!("{path}/<x>?{query}"), good), 400, malformed.clone()),
        row("quotes", get(&format!("{target}&x=\"y\""), good), 400, malformed.clone()),
        row("non-ASCII target", get(&format!("{target}\u{e9}"), good), 400, malformed),
        row("non-UTF-8 query", get(&format!("{target}&x=%ff"), good), 400, words.not_text),
        row("name twice", get(&format!("{target}&a=1&A=2"), good), 400, words.twice),
        row("long value", get(&format!("{target}&a={}", "x".repeat(2_049)), good), 400, words.long),
        row(
            "17 kB head",
            get(&target, &format!("{good}a: {}\r\n", "x".repeat(17 * 1024))),
            431,
            r#"{"error":"request_header_fields_too_large","error_description":"The request head is too large"}"#
                .to_owned(),
        ),
        row(
            "many lines",
            get(&target, &format!("{good}{}", "a: b\r\n".repeat(64))),
            431,
            r#"{"error":"request_header_fields_too_large","error_description":"The request head is too large"}"#
                .to_owned(),
        ),
        row("large body", get(&target, &format!("{good}Content-Length: 16385\r\n")), 400, no_body.clone()),
        row(
            "large body that comes",
            get(&target, &format!("{good}Content-Length: 200000\r\n")) + &"x".repeat(200_000),
            400,
            no_body.clone(),
        ),
        row(
            "POST with a large body",
            format!("{post} {target} HTTP/1.1\r\n{host}{good}Content-Length: 16385\r\n\r\n"),
            405,
            allowed(post),
        ),
        row(
            "length beyond all sense",
            get(&target, &format!("{good}Content-Length: 18446744073709551615\r\n")),
            413,
            r#"{"error":"request_too_large","error_description":"The request body is too large"}"#.to_owned(),
        ),
    ];
    if let Some((missing, not_known)) = words.version {
        let version = query.split('&').next().expect("an api-version");
        rows.push(row("no api-version", get(&target.replace(version, "b=c"), good), 400, missing));
        for unknown in words.unknown {
            let target = target.replace(version, &format!("api-version={}", unknown.replace(' ', "%20")));
            rows.push(row("api-version", get(&target, good), 400, not_known(unknown)));
        }
    }
    for wrong in ["%2f", "/..", "/.", "X", ";a", "/%2e%2e"] {
        let path = format!("{path}{wrong}");
        rows.push(row("path", get(&format!("{path}?{query}"), good), 404, unknown(&path)));
    }
    rows
}

#[tokio::test]
async fn every_route_refuses_what_is_wrong_in_exactly_these_bytes() {
    for route in Route::all(Surface::Imds) {
        let (_, path, query) = ROUTES.iter().find(|(known, ..)| *known == route).expect("every route has its row");
        let world = World::new(fixtures::vm(true, 1));
        for Row { name, request, status, body, closes } in rows(&world.host(), route, path, query) {
            let answer = world.send(&request).await;
            assert_eq!((answer.status, &answer.body), (status, &body), "{path}: {name}");
            assert_eq!(answer.closes(), closes, "{path}: {name}");
            assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"), "{name}");
            assert!(!answer.body.contains("token-"), "{name}");
            assert_eq!(answer.header("location"), None);
            assert_eq!(answer.header("allow"), (status == 405).then_some(Words::of(route).methods), "{name}");
        }
        assert_eq!(world.source.asked(), 0);
    }
}

/// What can't be written as text.
#[tokio::test]
async fn bytes_that_are_no_utf_8_are_malformed_in_a_target_and_harmless_in_a_header() {
    let world = World::new(fixtures::vm(true, 0));
    let request = |target: &[u8], value: &[u8]| {
        [b"GET ", target, b" HTTP/1.1\r\n", world.host().as_bytes(), b"Metadata: true\r\na: ", value, b"\r\n\r\n"]
            .concat()
    };
    let answer =
        exchange(world.address, request(&[TOKEN.as_bytes(), b"\xff"].concat(), b"b")).await.expect("an answer");
    let body = r#"{"error":"bad_request","error_description":"The request is malformed"}"#;
    assert_eq!((answer.status, answer.body.as_str(), answer.closes()), (400, body, true));
    let answer = exchange(world.address, request(TOKEN.as_bytes(), b"\xff\xfe")).await.expect("an answer");
    assert_eq!(answer.status, 200);
    let name = exchange(world.address, [b"GET / HTTP/1.1\r\nHost: ".as_slice(), b"\xff\r\n\r\n"].concat()).await;
    assert_eq!(name.expect("an answer").status, 404, "the path is looked at before the Host");
    let host = [b"GET ", TOKEN.as_bytes(), b" HTTP/1.1\r\nMetadata: true\r\nHost: \xff\r\n\r\n"].concat();
    let answer = exchange(world.address, host).await.expect("an answer");
    assert_eq!((answer.status, answer.body), (400, invalid("The Host header is not allowed")));
}

#[tokio::test]
async fn http_1_0_is_served_like_1_1_and_closed() {
    let world = World::new(fixtures::vm(true, 0));
    let lines = "Metadata: true\r\nConnection: keep-alive\r\n";
    let request = format!("GET {TOKEN} HTTP/1.0\r\n{}{lines}\r\n", world.host());
    let mut connection = testkit::raw::RawConnection::open(world.address).await;
    connection.send(request.as_bytes()).await;
    assert_eq!(connection.answer().await.expect("an answer").status, 200);
    assert!(connection.is_closed().await);
    let no_host = world.send(&format!("GET {TOKEN} HTTP/1.0\r\nMetadata: true\r\n\r\n")).await;
    assert_eq!((no_host.status, no_host.body), (400, invalid("The Host header is not allowed")));
}

/// Cached and being made: a refusal beside them holds nothing of them.
#[tokio::test]
async fn no_refusal_holds_a_token_that_is_there() {
    let world = World::new(fixtures::vm(true, 1));
    for (route, path, query) in ROUTES {
        let expected = if route == Route::ImdsAttested {
            503
        } else if route == Route::ImdsLoadBalancer {
            404
        } else {
            200
        };
        assert_eq!(world.get(&format!("{path}?{query}")).await.status, expected);
        for Row { name, request, status, .. } in rows(&world.host(), route, path, query) {
            let answer = world.send(&request).await;
            assert!(answer.status == status && !answer.body.contains("token-"), "{name}: {}", answer.body);
            assert!(answer.headers.iter().all(|(_, value)| !value.contains("token-")), "{name}");
        }
    }
}

#[tokio::test]
async fn a_sixth_at_once_is_refused_and_an_answer_makes_room() {
    let world = World::throttled(fixtures::vm(true, 0));
    world.source.hold();
    let [a, b, c, d, e, sixth] = [1, 2, 3, 4, 5, 6].map(|number| format!("{TOKEN}{number}"));
    let too_many = async {
        while world.source.asked() < 5 {
            tokio::task::yield_now().await;
        }
        let answer = world.get(&sixth).await;
        world.source.let_pass(6);
        answer
    };
    let (a, b, c, d, e, refused) =
        tokio::join!(world.get(&a), world.get(&b), world.get(&c), world.get(&d), world.get(&e), too_many);
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")));
    assert_eq!([a, b, c, d, e].map(|answer| answer.status), [200; 5]);
    assert_eq!(world.get(&sixth).await.status, 200);
}

#[tokio::test]
async fn parameters_of_the_token_path() {
    let world = World::new(fixtures::vm(true, 1));
    let base = "/metadata/identity/oauth2/token?api-version=2018-02-01";
    let missing = invalid("Required query variable 'resource' is missing");
    assert_eq!(missing.len(), 95);
    for (query, body) in [
        ("", missing.clone()),
        ("&resource=", missing),
        (
            "&resource=r&client_id=a&object_id=b",
            invalid("Only one of client_id, object_id and msi_res_id can be specified"),
        ),
        (
            "&resource=r&client_id=a&clientid=a",
            invalid("Only one of client_id, object_id and msi_res_id can be specified"),
        ),
        ("&resource=r&Resource=r", invalid("Query variable 'Resource' is specified more than once")),
    ] {
        let answer = world.get(&format!("{base}{query}")).await;
        assert_eq!((answer.status, answer.closes(), answer.body), (400, true, body), "{query}");
    }
    let long = world.get(&format!("{base}&resource={}", "r".repeat(8 * 1024))).await;
    assert_eq!(long.body, invalid("Query variable 'resource' is longer than 2048 bytes"));
    let most = world.get(&format!("{base}&resource={}", "r".repeat(2_048))).await;
    assert_eq!(most.status, 200);
}

/// MSAL .NET probes for a second version with a POST, and wants a 404.
#[tokio::test]
async fn an_unknown_path_is_unknown_however_long_its_body_is() {
    let world = World::new(fixtures::vm(true, 0));
    let path = "/metadata/identity/issuecredential";
    for length in [0, 3, 16_385, 1_u64 << 40] {
        let answer = world
            .send(&format!(
                "POST {path}?cred-api-version=2.0 HTTP/1.1\r\n{}Content-Length: {length}\r\n\r\n",
                world.host()
            ))
            .await;
        let body = format!(
            "{{\"error\":\"not_found\",\"error_description\":\"API is not found: Path = \\\"{path}\\\", Method = \\\"POST\\\"\"}}"
        );
        assert_eq!((answer.status, answer.body), (404, body), "{length}");
    }
}

#[tokio::test]
async fn other_paths_have_one_key() {
    let world = World::new(fixtures::vm(true, 0));
    for path in [
        "/",
        "/metadata",
        "/metadata/instances",
        "/metadata/attested",
        "/oauth2/token",
        "/metadata/identityX/oauth2/token",
    ] {
        let answer = world.get(path).await;
        let body = format!("{{\"error\":\"API is not found: Path = \\\"{path}\\\", Method = \\\"GET\\\"\"}}");
        assert_eq!((answer.status, answer.body), (404, body));
    }
}

#[tokio::test]
async fn the_throttle_refuses_behind_the_gate_and_before_the_parameters() {
    let world = World::throttled(fixtures::vm(true, 0));
    for _ in 0..20 {
        assert_eq!(world.get(TOKEN).await.status, 200);
    }
    for target in [TOKEN, "/metadata/identity/oauth2/token?a=1&a=1"] {
        let answer = world.get(target).await;
        let body = r#"{"error":"too_many_requests","error_description":"Too many requests"}"#;
        assert_eq!((answer.status, answer.body.as_str(), answer.header("retry-after")), (429, body, Some("1")));
    }
    let forwarded = format!("GET {TOKEN} HTTP/1.1\r\n{}Metadata: true\r\nX-Forwarded-For: a\r\n\r\n", world.host());
    assert_eq!(world.send(&forwarded).await.status, 400);
    world.clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(world.get(TOKEN).await.status, 200);
}
