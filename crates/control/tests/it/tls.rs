use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName};
use testkit::raw::{RawAnswer, RawConnection};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

use super::*;

/// The surface behind TLS, on a port of its own.
struct Server {
    port: u16,
    ca: CertificateDer<'static>,
    end: oneshot::Sender<()>,
    served: JoinHandle<()>,
    _folder: tempfile::TempDir,
}

impl Server {
    async fn start() -> Self {
        let world = World::new().await;
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        // Of this machine's own time: the client's library reads that clock.
        let now = domain::Clock::now(&domain::SystemClock::new());
        let identity = control::tls::open(folder.path(), &[address.ip()], now).unwrap();
        let (end, ended) = oneshot::channel::<()>();
        let served = tokio::spawn(control::server::serve(listener, identity.server, world.router, 16, async move {
            drop(ended.await);
        }));
        Self { port: address.port(), ca: identity.ca, end, served, _folder: folder }
    }

    fn trusted(&self) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.ca.clone()).unwrap();
        client_config(roots)
    }

    /// A connection for bytes.
    async fn connect(&self) -> RawConnection {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let connector = TlsConnector::from(Arc::new(self.trusted()));
        RawConnection::over(connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap())
    }

    async fn exchange(&self, bytes: &[u8]) -> Option<RawAnswer> {
        let mut connection = self.connect().await;
        connection.send(bytes).await;
        connection.answer().await
    }
}

fn client_config(roots: RootCertStore) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

#[tokio::test]
async fn the_surface_is_served_over_tls_with_a_certificate_of_the_local_ca() {
    let server = Server::start().await;
    let client = |config: ClientConfig| {
        let connector =
            hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(config).https_only().enable_http1().build();
        Client::builder(TokioExecutor::new()).build::<_, Empty<Bytes>>(connector)
    };
    let trusting = client(server.trusted());
    for host in ["localhost", "127.0.0.1"] {
        let url = format!("https://{host}:{}/healthz", server.port).parse().unwrap();
        let answer = trusting.get(url).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "{\"status\":\"alive\"}");
    }
    let url = format!("https://localhost:{}/healthz", server.port).parse().unwrap();
    assert!(client(client_config(RootCertStore::empty())).get(url).await.is_err(), "nobody trusts it by itself");
    server.end.send(()).unwrap();
    server.served.await.unwrap();
}

#[tokio::test]
async fn no_head_is_refused_without_a_body() {
    let server = Server::start().await;
    let long = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(64 * 1024));
    let large = "POST /dev/oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Length: 4194305\r\n\r\n";
    for (name, bytes, status, error) in [
        ("bare LF", "GET /healthz HTTP/1.1\nHost: a\n\n", 400, "bad_request"),
        ("no HTTP", "hello there\r\n\r\n", 400, "bad_request"),
        ("a fragment", "GET /healthz#x HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad_request"),
        (
            "both framings",
            "POST /dev/oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
            "bad_request",
        ),
        ("a long target", long.as_str(), 431, "request_header_fields_too_large"),
        ("a large body", large, 413, "request_too_large"),
        (
            "an expectation",
            "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: x\r\n\r\n",
            417,
            "expectation_failed",
        ),
    ] {
        let answer = server.exchange(bytes.as_bytes()).await.unwrap_or_else(|| panic!("{name}: no answer"));
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!((answer.status, body["error"].as_str()), (status, Some(error)), "{name}");
        assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
        assert!(answer.closes(), "{name}");
    }
}

#[tokio::test]
async fn forms_come_with_a_length_or_in_chunks_and_connections_are_used_again() {
    let server = Server::start().await;
    let mut connection = server.connect().await;
    let head = "POST /dev/oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    for request in [
        format!("{head}Content-Length: 19\r\n\r\ngrant_type=password"),
        format!("{head}Transfer-Encoding: chunked\r\n\r\n13\r\ngrant_type=password\r\n0\r\n\r\n"),
    ] {
        connection.send(request.as_bytes()).await;
        let answer = connection.answer().await.unwrap();
        assert!(answer.status == 400 && answer.body.contains("AADSTS70003"), "{}", answer.body);
    }
    connection.send(format!("{head}Content-Length: 65537\r\n\r\n{}", "x".repeat(65_537)).as_bytes()).await;
    assert_eq!(connection.answer().await.unwrap().status, 413, "longer than a form");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let server = Server::start().await;
    let mut connection = server.connect().await;
    let head = "POST /dev/oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    connection.send(format!("{head}Content-Length: 100\r\n\r\ngrant_type=").as_bytes()).await;
    // From here on the clock runs ahead as soon as everybody waits.
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    let answer = connection.answer().await.unwrap();
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((answer.status, body["error"].as_str()), (408, Some("request_timeout")));
    assert!(answer.closes());
    assert!(began.elapsed() <= Duration::from_secs(21), "{:?}", began.elapsed());
    assert!(connection.is_closed().await);
}
