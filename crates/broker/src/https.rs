//! An HTTP client with the one crypto stack, for whatever asks other machines.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::RootCertStore;

use crate::names::{Names, Resolve};

/// How long a connection that rests is kept: shorter than servers do, so that no request meets the end of one.
const IDLE: Duration = Duration::from_secs(30);

/// The client. Cheap to clone; connections are kept and shared.
pub type HttpsClient = Client<HttpsConnector<HttpConnector<Names>>, Full<Bytes>>;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schemes {
    /// `https` alone.
    Https,
    /// `http` too.
    Any,
}

/// A client to which servers prove that they are who they are by a chain to `roots`; it connects within `timeout`.
///
/// # Errors
/// When the crypto stack has no version of TLS to offer.
pub fn client(
    roots: RootCertStore,
    names: Arc<dyn Resolve>,
    schemes: Schemes,
    timeout: Duration,
) -> Result<HttpsClient, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut tcp = HttpConnector::new_with_resolver(Names::new(names));
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(timeout));
    let builder = HttpsConnectorBuilder::new().with_tls_config(config);
    let builder = match schemes {
        Schemes::Https => builder.https_only(),
        Schemes::Any => builder.https_or_http(),
    };
    let connector = builder.enable_http1().wrap_connector(tcp);
    Ok(Client::builder(TokioExecutor::new()).pool_idle_timeout(IDLE).pool_timer(TokioTimer::new()).build(connector))
}
