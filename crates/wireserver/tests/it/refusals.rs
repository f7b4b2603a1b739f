//! The refusal table: every route, with everything that is wrong about a request.

use contract::guest_agent::WIRE_ADDRESS;

use super::*;

/// Every route: the method it takes, an address, the version that it wants to be told.
const ROUTES: [(&str, &str, Option<&str>); 17] = [
    ("GET", "/?comp=versions", None),
    ("GET", "/machine/?comp=goalstate", Some("2012-11-30")),
    ("GET", "/machine/{m}?comp=config&type=hostingEnvironmentConfig&incarnation=7", Some("2012-11-30")),
    ("GET", "/machine/{m}?comp=config&type=sharedConfig&incarnation=7", Some("2012-11-30")),
    ("GET", "/machine/{m}?comp=config&type=extensionsConfig&incarnation=7", Some("2012-11-30")),
    ("GET", "/machine/{m}?comp=certificates&incarnation=7", Some("2012-11-30")),
    ("POST", "/machine?comp=health", Some("2012-11-30")),
    ("POST", "/machine?comp=roleProperties", Some("2012-11-30")),
    ("POST", "/machine?comp=telemetrydata", Some("2012-11-30")),
    ("POST", "/HealthService", None),
    ("GET", "/versions", None),
    ("GET", "/health", None),
    ("GET", "/vmSettings", Some("2015-09-01")),
    ("PUT", "/status", Some("2015-09-01")),
    ("PUT", "/status/00000000-0000-0000-0000-00000000000c", None),
    ("GET", "/extensionArtifact", Some("2015-09-01")),
    ("GET", "/extensions/{e}/manifest.xml", None),
];

/// Which of them have to ask what stands behind the protocol.
fn asks(target: &str) -> bool {
    let alone = ["/?comp=versions", "/HealthService", "/versions", "/health"];
    !alone.contains(&target) && !target.starts_with("/machine?")
}

fn targets() -> impl Iterator<Item = (&'static str, String, String)> {
    ROUTES.iter().map(|(method, target, version)| {
        let target = target.replace("{m}", &format!("{CONTAINER}/{INSTANCE}")).replace("{e}", EXTENSION);
        (*method, target, version.map(|version| format!("x-ms-version: {version}\r\n")).unwrap_or_default())
    })
}

#[tokio::test]
async fn every_route_refuses_what_is_wrong_about_a_request() {
    let world = World::new();
    for to in [world.wire, world.plugin] {
        for (method, target, version) in targets() {
            let ours = format!("Host: {to}\r\n");
            let length = if method == "GET" { "" } else { "Content-Length: 0\r\n" };
            let get = |lines: &str| format!("{method} {target} HTTP/1.1\r\n{lines}{length}\r\n");
            let mut rows = vec![
                ("no host", get(&version), 400),
                ("foreign host", get(&format!("Host: evil\r\n{version}")), 400),
                ("two hosts", get(&format!("{ours}{ours}{version}")), 400),
                ("origin", get(&format!("{ours}{version}Origin: http://evil\r\n")), 403),
                ("fetch site", get(&format!("{ours}{version}Sec-Fetch-Site: same-origin\r\n")), 403),
                ("forwarded", get(&format!("{ours}{version}X-Forwarded-For: 127.0.0.1\r\n")), 400),
                ("bare LF", get(&format!("{ours}{version}")).replace("\r\n", "\n"), 400),
                (
                    "chunked",
                    format!("{method} {target} HTTP/1.1\r\n{ours}{version}Transfer-Encoding: chunked\r\n\r\n"),
                    400,
                ),
                ("two lengths", get(&format!("{ours}{version}Content-Length: 3\r\nContent-Length: 4\r\n")), 400),
                ("long head", get(&format!("{ours}{version}a: {}\r\n", "x".repeat(17 * 1024))), 431),
                ("many lines", get(&format!("{ours}{version}{}", "a: b\r\n".repeat(64))), 431),
                ("expectation", get(&format!("{ours}{version}Expect: 100-continue\r\n")), 417),
            ];
            if method == "GET" {
                let body = format!("GET {target} HTTP/1.1\r\n{ours}{version}Content-Length: 3\r\n\r\nabc");
                rows.push(("body", body, 400));
            }
            if !version.is_empty() {
                rows.push(("no version", get(&ours), 400));
                rows.push(("two versions", get(&format!("{ours}{version}{version}")), 400));
                rows.push(("another version", get(&format!("{ours}x-ms-version: 2015-04-05\r\n")), 400));
            }
            for (name, request, status) in rows {
                let answer = exchange(to, &request).await.expect("an answer");
                assert_eq!(answer.status, status, "{method} {target}: {name}: {}", answer.body);
                assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"), "{target}: {name}");
                assert!(answer.closes(), "{target}: {name}");
            }
            for other in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "get"] {
                if other != method && other != "HEAD" {
                    let request = format!("{other} {target} HTTP/1.1\r\n{ours}{version}Content-Length: 0\r\n\r\n");
                    let answer = exchange(to, request).await.expect("an answer");
                    assert_eq!((answer.status, answer.header("allow")), (405, Some(method)), "{other} {target}");
                }
            }
        }
    }
    assert_eq!(*world.machine.joined.lock().unwrap(), 0);
}

#[tokio::test]
async fn there_is_nothing_elsewhere() {
    let world = World::new();
    for target in [
        "/",
        "/?comp=version",
        "/x",
        "/machine",
        "/machine/?comp=x",
        "/machine/x",
        "/machine/x?comp=config",
        "/machine/a/b",
        "/machine/a/b?comp=config",
        "/machine/a/b?comp=config&type=fullConfig",
        "/vmsettings",
        "/vmSettings/",
        "/metadata/instance",
        "/vmAgentLog",
        "/versions/",
        "//versions",
        "/health/x",
        "/status%2fx",
    ] {
        let answer = world.get(target, WIRE).await;
        assert_eq!(answer.status, 404, "{target}");
        assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"), "{target}");
    }
    for target in ["/?comp=versions&comp=versions", "/machine?comp=%ff", "/machine/a/b?comp=config&type=%ff"] {
        assert_eq!(world.get(target, WIRE).await.status, 400, "{target}");
    }
}

#[tokio::test]
async fn a_vm_that_is_gone_is_gone_and_a_failure_says_when_to_ask_again() {
    let world = World::new();
    world.package(EXTENSION, "1.0.0.0", "package one");
    // The body that each route takes, so that it comes to asking.
    let blob = r#"{"aggregateStatus":{"guestAgentStatus":{}}}"#;
    let call =
        r#"{"requestUri":"x","headers":[],"content":"eyJhZ2dyZWdhdGVTdGF0dXMiOnsiZ3Vlc3RBZ2VudFN0YXR1cyI6e319fQ=="}"#;
    for failing in [false, true] {
        *world.machine.failing.lock().unwrap() = failing;
        *world.machine.goal_state.lock().unwrap() = None;
        for (method, target, version) in targets().filter(|(_, target, _)| asks(target)) {
            let lines = format!("{version}x-ms-guest-agent-public-x509-cert: bXk=\r\n");
            let body = match target.as_str() {
                "/status" => call,
                status if status.starts_with("/status/") => blob,
                _ => "",
            };
            let answer = world.send(method, &target, &lines, body).await;
            let expected = if failing { (503, Some("6")) } else { (410, None) };
            assert_eq!((answer.status, answer.header("retry-after")), expected, "{target}");
            assert!(!answer.body.contains("secret") && !answer.body.contains("store"), "{}", answer.body);
        }
    }
    // Packages lie on the disk, whatever becomes of the VM.
    let target = format!("/extensions/{EXTENSION}/{EXTENSION}-1.0.0.0.zip");
    assert_eq!(world.get(&target, "").await.body, "package one");
}

/// Every name of a listener's leads to it, with and without a port where that is 80.
#[tokio::test]
async fn the_well_known_address_is_answered_to() {
    let world = World::new();
    for port in ["", ":80", ":32526"] {
        let host = format!("{WIRE_ADDRESS}{port}");
        let request = format!("GET /?comp=versions HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert_eq!(exchange(world.wire, request).await.expect("an answer").status, 200, "{host}");
    }
    for host in
        [format!("{WIRE_ADDRESS}:81"), format!("{WIRE_ADDRESS}0"), "localhost".to_owned(), "127.0.0.1".to_owned()]
    {
        let request = format!("GET /?comp=versions HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert_eq!(exchange(world.wire, request).await.expect("an answer").status, 400, "{host}");
    }
}
