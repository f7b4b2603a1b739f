//! The refusal table of the extension, to the byte.

use contract::gate::{Route, Surface};

use super::*;

fn error(code: &str, text: &str) -> String {
    format!("{{\"error\":\"{code}\",\"error_description\":\"{text}\"}}")
}

#[tokio::test]
async fn every_route_refuses_what_is_wrong_in_exactly_these_bytes() {
    assert_eq!(Route::all(Surface::Extension), [Route::ExtensionToken], "a new route needs its rows here");
    let world = World::new(&[0, 1]);
    let host = world.host();
    let path = "/oauth2/token";
    let get = |target: &str, lines: &str| format!("GET {target} HTTP/1.1\r\n{host}{lines}\r\n");
    let post = |lines: &str, form: &str| {
        let length = form.len();
        format!("POST {path} HTTP/1.1\r\n{host}Metadata: true\r\n{lines}Content-Length: {length}\r\n\r\n{form}")
    };
    let target = "/oauth2/token?resource=r";
    let good = "Metadata: true\r\n";
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let header = error("bad_request_102", "Required metadata header not specified");
    let source = error("unknown_source", "Unknown Source /oauth2/token");
    let not_a_form = error("invalid_request", "Content-Type must be application/x-www-form-urlencoded");
    let malformed = error("bad_request", "The request is malformed");
    let large = error("request_too_large", "The request body is too large");
    let forwarded = error("invalid_request", "Requests with the X-Forwarded-For header are not allowed");
    let missing = error("invalid_request", "Required query variable 'resource' is missing");
    let twice = error("invalid_request", "Query variable 'resource' is specified more than once");
    let space = error("invalid_request", "Query variable 'resource' must not contain a space");
    let selectors = error("invalid_request", "Only one of client_id, object_id and msi_res_id can be specified");
    let not_text = error("invalid_request", "The query is not valid UTF-8");
    let long = error("invalid_request", "Query variable 'resource' is longer than 2048 bytes");
    let method =
        error("method_not_allowed", "Http method is not allowed: Path = \\\"/oauth2/token\\\", Method = \\\"PUT\\\"");
    let rows = [
        ("no header", get(target, ""), 400, header.clone()),
        ("header twice", get(target, "Metadata: true\r\nMetadata: true\r\n"), 400, header.clone()),
        ("false", get(target, "Metadata: false\r\n"), 400, header.clone()),
        ("true, true", get(target, "Metadata: true, true\r\n"), 400, header),
        (
            "other path",
            get("/metadata/identity/oauth2/token", good),
            401,
            error("unknown_source", "Unknown Source /metadata/identity/oauth2/token"),
        ),
        ("encoded path", get("/oauth2%2ftoken", good), 401, error("unknown_source", "Unknown Source /oauth2%2ftoken")),
        ("foreign host", format!("GET {target} HTTP/1.1\r\nHost: evil:50342\r\n{good}\r\n"), 401, source.clone()),
        ("other port", format!("GET {target} HTTP/1.1\r\nHost: localhost:1\r\n{good}\r\n"), 401, source.clone()),
        ("no host", format!("GET {target} HTTP/1.1\r\n{good}\r\n"), 401, source),
        (
            "two hosts",
            get(target, &format!("{host}{good}")),
            400,
            error("invalid_request", "The Host header is not allowed"),
        ),
        ("PUT", format!("PUT {target} HTTP/1.1\r\n{host}{good}\r\n"), 405, method),
        (
            "body on GET",
            get(target, &format!("{good}Content-Length: 3\r\n")) + "abc",
            400,
            error("invalid_request", "A request body is not allowed"),
        ),
        (
            "origin",
            get(target, &format!("{good}Origin: null\r\n")),
            403,
            error("forbidden", "Cross-origin requests are not allowed"),
        ),
        (
            "fetch site",
            get(target, &format!("{good}Sec-Fetch-Site: none\r\n")),
            403,
            error("forbidden", "Cross-origin requests are not allowed"),
        ),
        ("forwarded", get(target, &format!("{good}X-Forwarded-For: a\r\n")), 400, forwarded),
        ("no resource", get("/oauth2/token", good), 400, missing.clone()),
        ("no resource in the form", post(form, "client_id=a"), 400, missing),
        (
            "resource in both",
            post(form, "resource=r").replace("POST /oauth2/token", "POST /oauth2/token?resource=r"),
            400,
            twice,
        ),
        ("space in front", get("/oauth2/token?resource=%20r", good), 400, space.clone()),
        ("space within", get("/oauth2/token?resource=a%20b", good), 400, space.clone()),
        ("space in the form", post(form, "resource=r+"), 400, space),
        ("two selectors", post(form, "resource=r&client_id=a&object_id=b"), 400, selectors),
        ("no form type", post("", "resource=r"), 400, not_a_form.clone()),
        ("JSON", post("Content-Type: application/json\r\n", "{}"), 400, not_a_form.clone()),
        ("two types", post(&format!("{form}{form}"), "resource=r"), 400, not_a_form),
        ("not UTF-8", post(form, "resource=%ff"), 400, not_text.clone()),
        ("both framings", post(&format!("{form}Transfer-Encoding: chunked\r\n"), "resource=r"), 400, malformed.clone()),
        ("chunked GET", get(target, &format!("{good}Transfer-Encoding: chunked\r\n")), 400, malformed.clone()),
        ("absolute form", get("http://evil/oauth2/token?resource=r", good), 400, malformed.clone()),
        ("non-ASCII target", get("/oauth2/token?resource=\u{e9}", good), 400, malformed.clone()),
        ("bare LF", get(target, good).replace('\r', ""), 400, malformed.clone()),
        (
            "form in chunks that is too large",
            format!(
                "POST {path} HTTP/1.1\r\n{host}{good}{form}Transfer-Encoding: chunked\r\n\r\n4001\r\n{}",
                "r".repeat(0x4001)
            ),
            413,
            large.clone(),
        ),
        (
            "chunk beyond all sense",
            format!("POST {path} HTTP/1.1\r\n{host}{good}{form}Transfer-Encoding: chunked\r\n\r\nffffffffffff\r\n"),
            400,
            malformed,
        ),
        ("not UTF-8, in the query", get("/oauth2/token?resource=%ff", good), 400, not_text),
        ("long resource", post(form, &format!("resource={}", "r".repeat(8 * 1024))), 400, long.clone()),
        ("long resource, in the query", get(&format!("{target}{}", "r".repeat(2_048)), good), 400, long),
        (
            "unknown identity",
            post(form, &format!("resource=r&object_id={}", fixtures::client_id(1))),
            400,
            error("invalid_request", "Identity not found"),
        ),
        (
            "name twice, in another case",
            post(form, "resource=r&client_id=&Client_Id="),
            400,
            error("invalid_request", "Query variable 'Client_Id' is specified more than once"),
        ),
        (
            "dots in the path",
            get("/oauth2/./token?resource=r", good),
            401,
            error("unknown_source", "Unknown Source /oauth2/./token"),
        ),
        (
            "root",
            format!("POST / HTTP/1.1\r\n{host}{good}{form}Content-Length: 10\r\n\r\nresource=r"),
            401,
            error("unknown_source", "Unknown Source /"),
        ),
        (
            "large form",
            format!("POST {path} HTTP/1.1\r\n{host}{good}{form}Content-Length: 16385\r\n\r\n"),
            413,
            large.clone(),
        ),
        (
            "length beyond all sense",
            format!("POST {path} HTTP/1.1\r\n{host}{good}{form}Content-Length: 18446744073709551615\r\n\r\n"),
            413,
            large,
        ),
        (
            "17 kB head",
            get(target, &format!("{good}a: {}\r\n", "x".repeat(17 * 1024))),
            431,
            error("request_header_fields_too_large", "The request head is too large"),
        ),
    ];
    for (name, request, status, body) in rows {
        let answer = world.send(&request).await;
        assert_eq!((answer.status, &answer.body), (status, &body), "{name}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{name}");
        assert_eq!(answer.header("allow"), (status == 405).then_some("GET, POST"), "{name}");
        assert_eq!(answer.closes(), name != "no header", "{name}");
        assert!(!answer.body.contains("token-"), "{name}");
    }
    assert_eq!(world.source.asked(), 0);
}

/// The checks come in the order of the contract: with everything wrong, the first that fails answers.
#[tokio::test]
async fn of_several_faults_the_first_is_told() {
    let world = World::new(&[0]);
    let lines = [
        ("PUT /oauth2/tokenX", "Host: evil\r\n", 401, "unknown_source"),
        ("PUT /oauth2/token", "Host: evil\r\n", 401, "unknown_source"),
        ("PUT /oauth2/token", "", 405, "method_not_allowed"),
        ("GET /oauth2/token", "Origin: a\r\nX-Forwarded-For: a\r\n", 403, "forbidden"),
        ("GET /oauth2/token", "X-Forwarded-For: a\r\n", 400, "invalid_request"),
        ("GET /oauth2/token", "", 400, "bad_request_102"),
        ("GET /oauth2/token?a=1&a=1", "Metadata: true\r\n", 400, "invalid_request"),
        // More body than is read, of which nothing comes.
        ("POST /oauth2/tokenX", "Content-Length: 20000\r\n", 401, "unknown_source"),
        ("PUT /oauth2/token", "Content-Length: 20000\r\n", 405, "method_not_allowed"),
        ("POST /oauth2/token", "Content-Length: 20000\r\nOrigin: a\r\n", 403, "forbidden"),
        ("POST /oauth2/token", "Content-Length: 20000\r\n", 400, "bad_request_102"),
        ("POST /oauth2/token", "Content-Length: 20000\r\nMetadata: true\r\n", 400, "invalid_request"),
    ];
    for (start, more, status, error) in lines {
        let host = if more.starts_with("Host") { String::new() } else { world.host() };
        let answer = world.send(&format!("{start} HTTP/1.1\r\n{host}{more}\r\n")).await;
        let found = answer.body.split('"').nth(3).unwrap_or_default();
        assert_eq!((answer.status, found), (status, error), "{start} {more}");
    }
}

/// Behind the header's check, before the parameters': the others aren't counted.
#[tokio::test]
async fn the_throttle_refuses_behind_the_gate_and_before_the_parameters() {
    let world = World::throttled(&[0]);
    for _ in 0..20 {
        assert_eq!(world.send(&format!("GET /oauth2/token HTTP/1.1\r\n{}\r\n", world.host())).await.status, 400);
        assert_eq!(world.get("/oauth2/token?resource=r").await.status, 200);
    }
    let body = error("too_many_requests", "Too many requests");
    for answer in [
        world.get("/oauth2/token?resource=r").await,
        world.get("/oauth2/token?a=1&a=1").await,
        world.post("/oauth2/token", "resource=%ff").await,
    ] {
        assert_eq!((answer.status, &answer.body, answer.header("retry-after")), (429, &body, Some("1")));
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
    let headerless = world.send(&format!("GET /oauth2/token HTTP/1.1\r\n{}\r\n", world.host())).await;
    assert!(headerless.status == 400 && headerless.body.contains("bad_request_102"), "the header is looked at first");
    world.clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(world.get("/oauth2/token?resource=r").await.status, 200);
}
