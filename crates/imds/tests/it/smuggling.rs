//! Requests that a server and what stands before it may understand differently: each with every answer that it gets
//! here, in a golden file. What is no request of a client gets no token, not even one in the shadow of a sound one.

use testkit::raw::RawConnection;

use super::*;

const GOLDEN: &str = include_str!("../golden/smuggling.txt");

const GET: &str = "GET /metadata/identity/oauth2/token?api-version=2018-02-01&resource=r HTTP/1.1\r\n";
const POST: &str = "POST /metadata/identity/oauth2/token?api-version=2018-02-01&resource=r HTTP/1.1\r\n";
const OWN: &str = "Host: 169.254.169.254\r\nMetadata: true\r\n";
const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";

/// The corpus. What lies behind a refused request on the same connection is a sound one, which must not be answered.
fn corpus() -> Vec<(&'static str, String)> {
    let get = |lines: &str| format!("{GET}{lines}\r\n");
    let own = |lines: &str| get(&format!("{OWN}{lines}"));
    let post = |lines: &str, body: &str| format!("{POST}{OWN}{lines}\r\n{body}");
    let smuggled = own("");
    let chunk = format!("0\r\n\r\n{smuggled}");
    let length = chunk.len();
    vec![
        ("a sound request", own("")),
        ("a length, then chunks", post(&format!("Content-Length: {length}\r\n{CHUNKED}"), &chunk)),
        ("chunks, then a length", post(&format!("{CHUNKED}Content-Length: {length}\r\n"), &chunk)),
        ("two lengths that differ", post("Content-Length: 3\r\nContent-Length: 0\r\n", &format!("abc{smuggled}"))),
        ("two lengths that are equal", post("Content-Length: 3\r\nContent-Length: 3\r\n", &format!("abc{smuggled}"))),
        ("a length with a sign", post("Content-Length: +3\r\n", &format!("abc{smuggled}"))),
        ("a list of lengths", post("Content-Length: 3, 3\r\n", &format!("abc{smuggled}"))),
        ("an unknown coding", post("Transfer-Encoding: xchunked\r\n", &smuggled)),
        ("chunked, identity", post("Transfer-Encoding: chunked, identity\r\n", &smuggled)),
        ("chunks on 1.0", post(CHUNKED, &chunk).replace("HTTP/1.1\r\nHost", "HTTP/1.0\r\nHost")),
        ("a chunk's extension with a bare LF", post(CHUNKED, &format!("3;a\nb\r\nabc\r\n{chunk}"))),
        ("a chunk's size as 0x3", post(CHUNKED, &format!("0x3\r\nabc\r\n{chunk}"))),
        ("bare LF", own("").replace("\r\n", "\n")),
        ("bare CR in a value", own("X: a\rb\r\n")),
        ("a blank before the colon", get("Host : 169.254.169.254\r\nMetadata: true\r\n")),
        ("a folded line", own("X: a\r\n b\r\n")),
        ("a blank before the first header", get(&format!(" {OWN}"))),
        ("NUL in a value", own("X: \0\r\n")),
        ("Host twice", own("Host: 169.254.169.254\r\n")),
        ("no Host", get("Metadata: true\r\n")),
        ("the absolute form", own("").replace("GET /", "GET http://evil/")),
        ("CONNECT", format!("CONNECT evil:443 HTTP/1.1\r\n{OWN}\r\n{smuggled}")),
        ("Metadata: true and Metadata: false", own("Metadata: false\r\n")),
        ("Metadata: true, true", get("Host: 169.254.169.254\r\nMetadata: true, true\r\n")),
        ("Metadata with blanks", get("Host: 169.254.169.254\r\nMetadata: \t true \t \r\n")),
        (
            "a path in disguise",
            own("").replace("/metadata/identity/oauth2/token", "/metadata%2fidentity/../identity//oauth2/%74oken"),
        ),
        ("a fragment", own("").replace(" HTTP/1.1", "#/identity HTTP/1.1")),
        ("two requests at once", smuggled.repeat(2)),
        ("two at once, the first without its header", format!("{}{smuggled}", get("Host: 169.254.169.254\r\n"))),
        ("two at once, the first forwarded", format!("{}{smuggled}", own("X-Forwarded-For: a\r\n"))),
        ("HTTP/0.9", "GET /metadata/identity/oauth2/token\r\n".to_owned()),
        ("HTTP/1.2", own("").replace("HTTP/1.1", "HTTP/1.2")),
        ("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned()),
        ("line ends in front", format!("\r\n\r\n{smuggled}")),
        ("a method in lower case", own("").replace("GET ", "get ")),
        ("too many header lines", own(&"X: a\r\n".repeat(70))),
        ("a header of 20 kB", own(&format!("X: {}\r\n", "a".repeat(20_000)))),
        ("a target of 70 kB", own("").replace("resource=r", &format!("resource={}", "r".repeat(70_000)))),
        ("the hello of TLS", "\u{16}\u{3}\u{1}\0\u{5}hello".to_owned()),
    ]
}

/// Every answer on a connection of its own, one a line.
async fn answers(address: SocketAddr, request: &str) -> String {
    let mut connection = RawConnection::open(address).await;
    connection.send(request.as_bytes()).await;
    connection.finish().await;
    let mut lines = String::new();
    while let Some(answer) = connection.answer().await {
        let open = if answer.closes() { "closed" } else { "open" };
        let body = if answer.body.contains("token-") { "(a token)" } else { &answer.body };
        lines.push_str(&format!("{}, {open}: {body}\n", answer.status));
    }
    if lines.is_empty() { "(nothing)\n".to_owned() } else { lines }
}

#[tokio::test]
async fn each_is_answered_as_it_is_written_down() {
    let world = World::new(fixtures::vm(true, 0));
    let mut all = String::new();
    for (at, (name, request)) in corpus().into_iter().enumerate() {
        all.push_str(&format!("{}. {name}\n{}\n", at + 1, answers(world.address, &request).await));
    }
    assert_eq!(all.trim_end(), GOLDEN.trim_end(), "{all}");
}

/// Negative control: where nothing stands in front of the library, the smuggled and the malformed come through.
#[tokio::test]
async fn a_bare_server_takes_some_of_it_for_requests() {
    let listener = bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = hyper::service::service_fn(async |_| {
                let body = http_body_util::Full::new(bytes::Bytes::from_static(b"token-0"));
                Ok::<_, std::convert::Infallible>(http::Response::new(body))
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .half_close(true)
                .serve_connection(hyper_util::rt::TokioIo::new(stream), answer);
            tokio::spawn(connection);
        }
    });
    let mut through = Vec::new();
    // Behind a CONNECT there is no length of an answer to read.
    for (name, request) in corpus().into_iter().skip(1).filter(|(name, _)| *name != "CONNECT") {
        if answers(address, &request).await.contains("(a token)") {
            through.push(name);
        }
    }
    for name in [
        "a length, then chunks",
        "chunks, then a length",
        "two lengths that are equal",
        "a chunk's extension with a bare LF",
        "a chunk's size as 0x3",
        "bare LF",
        "Host twice",
        "no Host",
        "the absolute form",
        "Metadata: true and Metadata: false",
        "Metadata: true, true",
        "a path in disguise",
        "a fragment",
        "line ends in front",
        "a method in lower case",
    ] {
        assert!(through.contains(&name), "{name} tries nothing; these do: {through:?}");
    }
}
