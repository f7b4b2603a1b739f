use testkit::raw::{RawConnection, exchange};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

const GET: &str = "GET /p HTTP/1.1\r\nHost: a\r\n\r\n";

/// What is sent, and the status of each answer until the server closes; an empty list is a hang-up.
const CORPUS: &[(&str, &str, &[u16])] = &[
    ("a plain request", "GET /p HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", &[200]),
    (
        "CL then TE",
        "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /q HTTP/1.1\r\n\r\n",
        &[400],
    ),
    (
        "TE then CL",
        "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    ("two lengths", "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", &[400]),
    ("two equal lengths", "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", &[400]),
    ("+3", "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc", &[400]),
    ("3, 3", "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc", &[400]),
    ("xchunked", "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", &[400]),
    ("chunked, identity", "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n", &[400]),
    ("TE on 1.0", "POST /p HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", &[400]),
    (
        "chunk extension",
        "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a\nb\r\nabc\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "chunk size 0x3",
        "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
        &[400],
    ),
    ("bare LF", "GET /p HTTP/1.1\nHost: a\n\n", &[400]),
    ("bare CR", "GET /p HTTP/1.1\r\nHost: a\r\nx: a\rb\r\n\r\n", &[400]),
    ("blank before the colon", "GET /p HTTP/1.1\r\nHost : a\r\n\r\n", &[400]),
    ("folded header", "GET /p HTTP/1.1\r\nHost: a\r\nx: a\r\n b\r\n\r\n", &[400]),
    ("blank before the first header", "GET /p HTTP/1.1\r\n Host: a\r\n\r\n", &[400]),
    ("NUL", "GET /p HTTP/1.1\r\nHost: a\r\nx: \0\r\n\r\n", &[400]),
    ("absolute form", "GET http://evil/p HTTP/1.1\r\nHost: a\r\n\r\n", &[400]),
    ("CONNECT", "CONNECT evil:443 HTTP/1.1\r\nHost: evil\r\n\r\n", &[400]),
    ("fragment", "GET /p#/identity HTTP/1.1\r\nHost: a\r\n\r\n", &[400]),
    ("angle brackets in the path", "GET /metadata/identity/<x> HTTP/1.1\r\nHost: a\r\n\r\n", &[400]),
    ("grave accent in the path", "GET /p` HTTP/1.1\r\nHost: a\r\n\r\n", &[400]),
    (
        "quotes in the query",
        "GET /metadata/identity/oauth2/token?api-version=2018-02-01&resource=\"x\" HTTP/1.1\r\nHost: a\r\n\r\n",
        &[400],
    ),
    ("angle brackets in the query", "GET /p?<x> HTTP/1.1\r\nHost: a\r\n\r\n", &[400]),
    ("HTTP/0.9", "GET /p\r\n", &[400]),
    ("HTTP/1.2", "GET /p HTTP/1.2\r\nHost: a\r\n\r\n", &[400]),
    ("h2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &[]),
    ("leading line ends", "\r\n\r\nGET /p HTTP/1.1\r\nHost: a\r\n\r\n", &[400]),
    ("TLS hello", "\x16\x03\x01\x00\x05hello", &[]),
    ("our own mark", "~ / HTTP/1.1\r\nHost: a\r\n\r\n", &[400]),
    ("Expect", "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n", &[417]),
    ("large body", "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 16385\r\n\r\n", &[413]),
];

#[tokio::test]
async fn the_corpus_is_answered_as_it_should() {
    let server = Server::start();
    for (name, bytes, wanted) in CORPUS {
        let mut connection = RawConnection::open(server.address).await;
        connection.send(bytes.as_bytes()).await;
        let mut statuses = Vec::new();
        while let Some(answer) = connection.answer().await {
            assert!(answer.status == 200 || answer.closes(), "{name}");
            if answer.status != 200 {
                assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"), "{name}");
                assert!(answer.body.starts_with("{\"error\":\""), "{name}: {}", answer.body);
            }
            statuses.push(answer.status);
        }
        assert_eq!(&statuses, wanted, "{name}");
    }
}

/// What of the corpus comes through to a handler when nothing stands in front of the library.
const REACHES_A_BARE_HANDLER: [&str; 13] = [
    "CL then TE",
    "TE then CL",
    "two equal lengths",
    "chunk extension",
    "chunk size 0x3",
    "bare LF",
    "absolute form",
    "CONNECT",
    "fragment",
    "leading line ends",
    "our own mark",
    "Expect",
    "large body",
];

/// Negative control: without the guard the corpus does what the guard is there against.
#[tokio::test]
async fn the_corpus_comes_through_where_there_is_no_guard() {
    let address = bare();
    for name in REACHES_A_BARE_HANDLER {
        let (_, bytes, wanted) = CORPUS.iter().find(|(known, ..)| *known == name).expect("it is in the corpus");
        assert_ne!(*wanted, [200], "{name}");
        // Only so far: behind a CONNECT there is no body, and no length of one.
        let (mut stream, mut status) = (TcpStream::connect(address).await.unwrap(), [0; 12]);
        stream.write_all(bytes.as_bytes()).await.unwrap();
        stream.read_exact(&mut status).await.unwrap();
        assert_eq!(str::from_utf8(&status), Ok("HTTP/1.1 200"), "{name}");
    }
}

/// The library's own server, with a handler that doesn't look at the body.
fn bare() -> SocketAddr {
    let listener = bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = hyper::service::service_fn(async |_: Request<Incoming>| {
                Ok::<_, std::convert::Infallible>(respond(Answer::ok(b"{}".to_vec()), JSON))
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .half_close(true)
                .serve_connection(hyper_util::rt::TokioIo::new(stream), answer);
            tokio::spawn(connection);
        }
    });
    address
}

#[tokio::test]
async fn too_much_is_refused_with_an_answer_that_arrives() {
    let server = Server::start();
    let large = [
        format!("GET /p HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(65)),
        format!("GET /p HTTP/1.1\r\na: {}\r\n\r\n", "x".repeat(20 * 1024)),
        format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(70 * 1024)),
    ];
    for request in large {
        let answer = exchange(server.address, request).await.unwrap();
        assert_eq!((answer.status, answer.closes()), (431, true));
        assert!(answer.body.contains("request_header_fields_too_large"));
    }
    let full = format!("GET /p HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(64));
    assert_eq!(exchange(server.address, full).await.unwrap().status, 200);
}

#[tokio::test]
async fn pipelined_requests_are_judged_one_by_one_and_answered_in_order() {
    let server = Server::start();
    let mut connection = RawConnection::open(server.address).await;
    connection
        .send(format!("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n{GET}GET /p HTTP/1.1\nbad\n\n{GET}").as_bytes())
        .await;
    server.gate.add_permits(1);
    let bodies = [connection.answer().await.unwrap(), connection.answer().await.unwrap()].map(|answer| answer.body);
    assert_eq!(bodies, ["GET /wait []", "GET /p []"]);
    let refusal = connection.answer().await.unwrap();
    assert_eq!((refusal.status, refusal.closes()), (400, true));
    assert!(connection.is_closed().await, "what stood behind the refused one is never looked at");
}

#[tokio::test]
async fn heads_and_bodies_may_come_in_pieces() {
    let server = Server::start();
    let mut connection = RawConnection::open(server.address).await;
    for byte in b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello".chunks(1) {
        connection.send(byte).await;
        tokio::task::yield_now().await;
    }
    connection.send(GET.as_bytes()).await;
    assert_eq!(connection.answer().await.unwrap().body, "POST /p [hello]");
    assert_eq!(connection.answer().await.unwrap().body, "GET /p []");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused() {
    let server = Server::start();
    let mut connection = RawConnection::open(server.address).await;
    connection.send(b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel").await;
    connection.finish().await;
    assert_eq!(connection.answer().await.unwrap().status, 400);
}

#[tokio::test]
async fn a_body_may_come_in_chunks_where_it_is_allowed() {
    let config = Config::default();
    let limits = contract::head::Limits { chunked: true, ..config.limits };
    let server = Server::start_with(Config { limits, ..config });
    let mut connection = RawConnection::open(server.address).await;
    let head = "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    connection.send(format!("{head}5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n{GET}").as_bytes()).await;
    assert_eq!(connection.answer().await.unwrap().body, "POST /p [hello world]");
    assert_eq!(connection.answer().await.unwrap().body, "GET /p []");
    for broken in ["5;a=b\r\nhello\r\n0\r\n\r\n", "0x5\r\nhello", "5\nhello", "4001\r\n", "0\r\nTrailer: a\r\n\r\n"] {
        let answer = exchange(server.address, format!("{head}{broken}")).await.unwrap();
        assert_eq!((answer.status, answer.closes()), (400, true), "{broken:?}");
    }
}

#[tokio::test]
async fn http_1_0_is_answered_and_closed() {
    let server = Server::start();
    for line in ["", "Connection: keep-alive\r\n", "Connection: Keep-Alive, foo\r\nKeep-Alive: timeout=60\r\n"] {
        let mut connection = RawConnection::open(server.address).await;
        connection.send(format!("GET /p HTTP/1.0\r\nHost: a\r\n{line}\r\n{GET}").as_bytes()).await;
        let answer = connection.answer().await.unwrap();
        assert_eq!((answer.status, answer.closes()), (200, true), "{line:?}");
        assert!(connection.is_closed().await, "{line:?}");
    }
}
