//! The host as the agent asks it: the HostGAPlugin for what is wanted and for the status, the WireServer for which VM
//! this is and for its certificates, and wherever a package is.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use broker::names::Resolve;
use bytes::Bytes;
use contract::guest_agent::status_blob::StatusBlob;
use contract::guest_agent::vm_settings::{InvalidVmSettings, VmSettings};
use contract::guest_agent::{HOST_PLUGIN_VERSION, Unreadable, WIRE_VERSION};
use http::header::{CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, USER_AGENT};
use http::request::Builder;
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::wire::{self, InvalidDocument, WireGoalState};

/// How long one exchange with the host may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How long a download may take.
const DOWNLOAD_TIMEOUT: Duration = Duration::from_secs(300);
/// The longest document that is read.
const MAX_DOCUMENT: usize = 8 * 1024 * 1024;
/// What the agent calls itself.
const AGENT: &str = concat!("symbolon-guest/", env!("CARGO_PKG_VERSION"));

/// The host.
pub struct Host {
    wire: String,
    plugin: String,
    client: Client<HttpsConnector<HttpConnector<broker::names::Names>>, Full<Bytes>>,
    /// Which VM this is, as the host says; forgotten when the host says that it is otherwise.
    known: Mutex<Option<WireGoalState>>,
}

/// What the host said of what is wanted.
#[derive(Debug)]
pub enum Wanted {
    /// What it said before.
    Unchanged,
    /// Something else.
    Changed {
        /// By which it is asked next time.
        etag: String,
        /// What it is.
        settings: VmSettings,
    },
}

/// Why the host can't be understood.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// Not a URL.
    #[error("'{0}' is not the URL of a host")]
    Address(String),
    /// No answer.
    #[error("{url} can't be reached")]
    Unreachable {
        /// What was asked, without what lets somebody in.
        url: String,
        /// Why.
        #[source]
        why: Box<dyn Error + Send + Sync>,
    },
    /// An answer that isn't one.
    #[error("{url} answered {status}")]
    Status {
        /// What was asked, without what lets somebody in.
        url: String,
        /// The answer.
        status: StatusCode,
    },
    /// What is wanted came without the mark by which it is told from what was wanted before.
    #[error("the host's vmSettings have no ETag")]
    NoEtag,
    /// What is wanted can't be read.
    #[error(transparent)]
    VmSettings(#[from] InvalidVmSettings),
    /// XML that can't be read.
    #[error(transparent)]
    Document(#[from] InvalidDocument),
    /// The disk doesn't take what it sends.
    #[error("what was downloaded can't be written")]
    Kept(#[source] io::Error),
    /// A status that can't be written.
    #[error("the status can't be written")]
    StatusBlob(#[source] Unreadable),
}

const CONTAINER_ID: HeaderName = HeaderName::from_static("x-ms-containerid");
const CONFIG_NAME: HeaderName = HeaderName::from_static("x-ms-host-config-name");
const CORRELATION_ID: HeaderName = HeaderName::from_static("x-ms-client-correlationid");
const MS_VERSION: HeaderName = HeaderName::from_static("x-ms-version");
const AGENT_NAME: HeaderName = HeaderName::from_static("x-ms-agent-name");
const CIPHER_NAME: HeaderName = HeaderName::from_static("x-ms-cipher-name");
const GUEST_CERTIFICATE: HeaderName = HeaderName::from_static("x-ms-guest-agent-public-x509-cert");

impl Host {
    /// The host whose WireServer is at `wire` (`http://address` or `http://address:port`), and whose HostGAPlugin at
    /// another port of that address.
    ///
    /// # Errors
    /// When it is no such URL.
    pub fn new(wire: &str, plugin_port: u16, names: Arc<dyn Resolve>) -> Result<Self, HostError> {
        let wire = wire.trim_end_matches('/');
        let uri = wire.parse::<Uri>().ok().filter(|uri| uri.scheme_str() == Some("http") && uri.path() == "/");
        let host = uri.as_ref().and_then(Uri::host).ok_or_else(|| HostError::Address(wire.to_owned()))?;
        let plugin = format!("http://{host}:{plugin_port}");
        let mut roots = rustls::RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| HostError::Address(wire.to_owned()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut tcp = HttpConnector::new_with_resolver(broker::names::Names::new(names));
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(TIMEOUT));
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        // Shorter than hosts keep connections that rest, so that no request meets the end of one.
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_timer(TokioTimer::new())
            .build(connector);
        Ok(Self { wire: wire.to_owned(), plugin, client, known: Mutex::new(None) })
    }

    /// The address at which commands are told that the host is.
    #[must_use]
    pub fn address(&self) -> &str {
        let host = self.wire.trim_start_matches("http://");
        host.rsplit_once(':')
            .filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
            .map_or(host, |(host, _)| host)
    }

    /// What is wanted, unless it is what `etag` stands for.
    ///
    /// # Errors
    /// When the host can't be reached or understood.
    pub async fn wanted(&self, etag: Option<&str>) -> Result<Wanted, HostError> {
        let url = format!("{}/vmSettings", self.plugin);
        let mut request = self.to_plugin(Method::GET, &url).await?.header(CORRELATION_ID, Uuid::new_v4().to_string());
        if let Some(etag) = etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let answer = self.send(&url, request, Bytes::new(), TIMEOUT).await?;
        match answer.status() {
            StatusCode::NOT_MODIFIED => return Ok(Wanted::Unchanged),
            StatusCode::OK => {}
            status => return Err(self.refused(&url, status).await),
        }
        let etag = answer.headers().get(ETAG).and_then(|etag| etag.to_str().ok()).map(str::to_owned);
        let settings = VmSettings::parse(&read(&url, answer, MAX_DOCUMENT).await?)?;
        Ok(Wanted::Changed { etag: etag.ok_or(HostError::NoEtag)?, settings })
    }

    /// Tells how everything fares.
    ///
    /// # Errors
    /// When the host can't be reached, or doesn't take it.
    pub async fn report(&self, blob: &StatusBlob, to: &str) -> Result<(), HostError> {
        let url = format!("{}/status", self.plugin);
        let body = blob.call(to).map_err(HostError::StatusBlob)?;
        let request = self.to_plugin(Method::PUT, &url).await?.header(CONTENT_TYPE, "application/json");
        let answer = self.send(&url, request, body.into(), TIMEOUT).await?;
        let status = answer.status();
        // Read, so that the connection can be used again.
        read(&url, answer, MAX_DOCUMENT).await?;
        if status.is_success() { Ok(()) } else { Err(self.refused(&url, status).await) }
    }

    /// The machine's certificates, sealed to the agent's own one; none when the host has none.
    ///
    /// # Errors
    /// When the host can't be reached or understood.
    pub async fn certificates(&self, own: &[u8]) -> Result<Option<Vec<u8>>, HostError> {
        // Where they are changes with each goal state.
        *self.known.lock().await = None;
        let Some(url) = self.this_vm().await?.certificates else { return Ok(None) };
        let request =
            self.to_wire(&url).header(GUEST_CERTIFICATE, STANDARD.encode(own)).header(CIPHER_NAME, "AES128_CBC");
        let answer = self.send(&url, request, Bytes::new(), TIMEOUT).await?;
        if answer.status() != StatusCode::OK {
            return Err(self.refused(&url, answer.status()).await);
        }
        let bytes = read(&url, answer, MAX_DOCUMENT).await?;
        Ok(Some(wire::certificate_file(&bytes)?))
    }

    /// What is at a URL, at most so many bytes.
    ///
    /// # Errors
    /// When it can't be had, or is longer.
    pub async fn download(&self, url: &str, most: usize) -> Result<Bytes, HostError> {
        let request = Request::get(url).header(USER_AGENT, AGENT);
        let load = async {
            let answer = self.send(url, request, Bytes::new(), DOWNLOAD_TIMEOUT).await?;
            if answer.status() != StatusCode::OK {
                return Err(status_of(url, answer.status()));
            }
            read(url, answer, most).await
        };
        tokio::time::timeout(DOWNLOAD_TIMEOUT, load).await.map_err(|late| unreachable(url, late.into()))?
    }

    /// Gives what is at a URL to `take`, piece by piece, at most so many bytes.
    ///
    /// # Errors
    /// When it can't be had or is longer, or when `take` fails.
    pub async fn stream(
        &self,
        url: &str,
        most: usize,
        mut take: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), HostError> {
        let request = Request::get(url).header(USER_AGENT, AGENT);
        let load = async {
            let answer = self.send(url, request, Bytes::new(), DOWNLOAD_TIMEOUT).await?;
            if answer.status() != StatusCode::OK {
                return Err(status_of(url, answer.status()));
            }
            let mut body = Limited::new(answer.into_body(), most);
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|why| unreachable(url, why))?;
                if let Some(piece) = frame.data_ref() {
                    take(piece).map_err(HostError::Kept)?;
                }
            }
            Ok(())
        };
        tokio::time::timeout(DOWNLOAD_TIMEOUT, load).await.map_err(|late| unreachable(url, late.into()))?
    }

    /// Which VM this is, as the host says.
    async fn this_vm(&self) -> Result<WireGoalState, HostError> {
        let mut known = self.known.lock().await;
        if let Some(known) = &*known {
            return Ok(known.clone());
        }
        let url = format!("{}/machine/?comp=goalstate", self.wire);
        let answer = self.send(&url, self.to_wire(&url), Bytes::new(), TIMEOUT).await?;
        if answer.status() != StatusCode::OK {
            return Err(status_of(&url, answer.status()));
        }
        let read = WireGoalState::parse(&read(&url, answer, MAX_DOCUMENT).await?)?;
        Ok(known.insert(read).clone())
    }

    fn to_wire(&self, url: &str) -> Builder {
        Request::get(url).header(AGENT_NAME, AGENT).header(MS_VERSION, WIRE_VERSION).header(USER_AGENT, AGENT)
    }

    async fn to_plugin(&self, method: Method, url: &str) -> Result<Builder, HostError> {
        let this = self.this_vm().await?;
        let request = Request::builder().method(method).uri(url).header(USER_AGENT, AGENT);
        Ok(request
            .header(MS_VERSION, HOST_PLUGIN_VERSION)
            .header(CONTAINER_ID, this.container_id)
            .header(CONFIG_NAME, this.config_name))
    }

    /// An answer that is none. 410 means that the VM isn't where it was.
    async fn refused(&self, url: &str, status: StatusCode) -> HostError {
        if status == StatusCode::GONE {
            *self.known.lock().await = None;
        }
        status_of(url, status)
    }

    async fn send(
        &self,
        url: &str,
        request: Builder,
        body: Bytes,
        timeout: Duration,
    ) -> Result<Response<Incoming>, HostError> {
        let request = request.body(Full::new(body)).map_err(|why| unreachable(url, why.into()))?;
        match tokio::time::timeout(timeout, self.client.request(request)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(why)) => Err(unreachable(url, why.into())),
            Err(late) => Err(unreachable(url, late.into())),
        }
    }
}

async fn read(url: &str, answer: Response<Incoming>, most: usize) -> Result<Bytes, HostError> {
    let reading = Limited::new(answer.into_body(), most).collect();
    match tokio::time::timeout(DOWNLOAD_TIMEOUT, reading).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(why)) => Err(unreachable(url, why)),
        Err(late) => Err(unreachable(url, late.into())),
    }
}

fn unreachable(url: &str, why: Box<dyn Error + Send + Sync>) -> HostError {
    HostError::Unreachable { url: told(url), why }
}

fn status_of(url: &str, status: StatusCode) -> HostError {
    HostError::Status { url: told(url), status }
}

/// A URL as it may be told: without its query, which may be signed and is then as good as a password, and without a
/// user's name.
pub(super) fn told(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lets_somebody_in_is_not_told_of_a_url() {
        for (url, wanted) in [
            ("https://a.b/c/d.zip?sr=b&sig=secret", "https://a.b/c/d.zip"),
            ("http://me:secret@a.b:80/c@d#secret", "http://a.b:80/c@d"),
            ("http://a.b?sig=secret", "http://a.b"),
            ("a b?secret", "a b"),
        ] {
            let why = || io::Error::other("no").into();
            assert_eq!(unreachable(url, why()).to_string(), format!("{wanted} can't be reached"));
            let status = status_of(url, StatusCode::NOT_FOUND).to_string();
            assert_eq!(status, format!("{wanted} answered 404 Not Found"));
        }
    }
}
