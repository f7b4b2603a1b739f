//! An authority that answers with tokens that nobody signed, over real TLS.

use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{SharedClock, SystemClock};
use jiff::fmt::rfc2822::DateTimePrinter;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// The name in its certificate.
pub(crate) const NAME: &str = "authority.test";

pub(crate) struct FakeAuthority {
    pub(crate) address: SocketAddr,
    /// Its certificate, PEM.
    pub(crate) certificate: String,
}

impl FakeAuthority {
    pub(crate) async fn start() -> Self {
        Self::with(Arc::new(SystemClock::new()), 1975).await
    }

    /// With a clock of its own, and a certificate that is good from the first day of a year on.
    pub(crate) async fn with(clock: SharedClock, from: i32) -> Self {
        let names = [NAME, "localhost", "127.0.0.1"].map(str::to_owned);
        let mut params = CertificateParams::new(names).expect("names");
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a configuration");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(acceptor.clone(), stream, clock.clone()));
            }
        });
        Self { address, certificate: certificate.pem() }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The same by its name, which a machine's hosts file may know.
    pub(crate) fn named_url(&self) -> String {
        format!("https://{NAME}:{}", self.address.port())
    }
}

async fn answer(acceptor: TlsAcceptor, stream: TcpStream, clock: SharedClock) -> Option<()> {
    let mut stream = acceptor.accept(stream).await.ok()?;
    loop {
        let request = request(&mut stream).await?;
        let body = body(&request);
        let status = if request.starts_with("POST ") { "200 OK" } else { "404 Not Found" };
        let now = jiff::Timestamp::from_second(clock.now().unix()).expect("a time");
        let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&now).expect("a date");
        let head = format!(
            "HTTP/1.1 {status}\r\nDate: {date}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).await.ok()?;
    }
}

async fn request(stream: &mut (impl AsyncReadExt + Unpin)) -> Option<String> {
    let mut text = String::new();
    loop {
        let mut piece = [0; 4_096];
        let length = stream.read(&mut piece).await.ok().filter(|length| *length > 0)?;
        text.push_str(std::str::from_utf8(&piece[..length]).ok()?);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let announced = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
        if body.len() >= announced.unwrap_or(0) {
            return Some(text);
        }
    }
}

/// A token that says whose it is, and is good for long.
fn body(request: &str) -> String {
    let Some(client) = request.split("client_id=").nth(1).and_then(|rest| rest.split('&').next()) else {
        return "{\"error\":\"not_found\"}".to_owned();
    };
    assert!(request.contains("client_assertion=ey"), "{request}");
    let claims = format!("{{\"nbf\":1700000000,\"exp\":4000000000,\"appid\":\"{client}\"}}");
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{{\"access_token\":\"{}.{}.c2ln\"}}", part("{\"alg\":\"none\"}"), part(&claims))
}
