//! The requests by which clients find out whether there is a metadata service, and of which version.

use testkit::raw::RawConnection;

use super::*;

const PROBE: &str = r#"{"error":"invalid_request","error_description":"Required metadata header not specified"}"#;

#[tokio::test]
async fn the_probe_without_the_header_is_exactly_400_and_keeps_the_connection() {
    // Also under a throttle that lets nothing through any more, and with nothing else right.
    let world = World::throttled(fixtures::vm(true, 0));
    for _ in 0..30 {
        world.get(TOKEN).await;
    }
    assert_eq!(world.get(TOKEN).await.status, 429);
    let mut connection = RawConnection::open(world.address).await;
    for target in ["/metadata/identity/oauth2/token", TOKEN, "/metadata/identity/oauth2/token?a=1&a=2"] {
        connection.send(format!("GET {target} HTTP/1.1\r\n{}\r\n", world.host()).as_bytes()).await;
        let answer = connection.answer().await.expect("an answer");
        assert_eq!((answer.status, answer.body.as_str(), answer.closes()), (400, PROBE, false));
    }
    assert_eq!(PROBE.len(), 88);
}

#[tokio::test]
async fn the_probe_for_version_2_is_404_before_any_header() {
    let world = World::new(fixtures::vm(true, 0));
    for (method, path) in [
        ("GET", "/metadata/identity/getplatformmetadata?cred-api-version=2.0"),
        ("POST", "/metadata/identity/issuecredential?cred-api-version=2.0"),
        ("POST", "/metadata/identity/credential?cred-api-version=1.0"),
    ] {
        let body = if method == "POST" { "Content-Length: 1\r\n\r\n." } else { "\r\n" };
        let answer = world.send(&format!("{method} {path} HTTP/1.1\r\n{}{body}", world.host())).await;
        let path = path.split('?').next().expect("a path");
        assert_eq!(answer.status, 404);
        assert_eq!(
            answer.body,
            format!(
                "{{\"error\":\"not_found\",\"error_description\":\"API is not found: Path = \\\"{path}\\\", Method = \\\"{method}\\\"\"}}"
            )
        );
        assert!(answer.header("server").is_some_and(|server| server.contains("IMDS")));
    }
}
