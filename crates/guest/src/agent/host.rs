//! The host as the agent asks it: the HostGAPlugin for what is wanted and for the status, the WireServer for which VM
//! this is and for its certificates, and wherever a package is.

mod error;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use broker::https::{self, HttpsClient, Schemes};
use broker::names::Resolve;
use bytes::Bytes;
use contract::guest_agent::status_blob::StatusBlob;
use contract::guest_agent::vm_settings::VmSettings;
use contract::guest_agent::{HOST_PLUGIN_VERSION, WIRE_VERSION};
use http::header::{CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, USER_AGENT};
use http::request::Builder;
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use tokio::sync::Mutex;
use uuid::Uuid;

pub use self::error::HostError;
pub(super) use self::error::told;
use self::error::{status_of, unreachable};
use super::wire::{self, WireGoalState};

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
    client: HttpsClient,
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
        let client = https::client(roots, names, Schemes::Any, TIMEOUT);
        let client = client.map_err(|_| HostError::Address(wire.to_owned()))?;
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
