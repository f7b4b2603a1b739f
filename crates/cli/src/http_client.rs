//! One request, one answer: the client of the commands that ask a running `up`.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use http::header::HOST;
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use rustls::RootCertStore;

/// The longest answer that is read.
const MAX_ANSWER: usize = 16 * 1024 * 1024;
/// How long an exchange may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A request.
#[derive(Clone)]
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) url: &'a str,
    pub(crate) headers: &'a [(&'a str, &'a str)],
    pub(crate) body: Bytes,
}

/// Sends a GET. Over https the server's certificate must chain to `roots`.
pub(crate) async fn get(url: &str, headers: &[(&str, &str)], roots: RootCertStore) -> anyhow::Result<Answer> {
    send(Call { method: Method::GET, url, headers, body: Bytes::new() }, roots).await
}

/// Sends a request. Over https the server's certificate must chain to `roots`.
pub(crate) async fn send(call: Call<'_>, roots: RootCertStore) -> anyhow::Result<Answer> {
    let url = call.url;
    let uri: Uri = url.parse().with_context(|| format!("'{url}' is not a URL"))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector =
        hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1().build();
    let mut request = Request::builder().method(call.method).uri(uri.clone());
    for (name, value) in call.headers {
        request = request.header(*name, *value);
    }
    if let Some(authority) = uri.authority() {
        request = request.header(HOST, authority.as_str());
    }
    let request = request.body(Full::new(call.body))?;
    let exchange = async {
        let answer = Client::builder(TokioExecutor::new()).build(connector).request(request).await?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(|why| anyhow::anyhow!(why))?.to_bytes();
        anyhow::Ok(Answer { status: head.status, headers: head.headers, body })
    };
    tokio::time::timeout(TIMEOUT, exchange)
        .await
        .with_context(|| format!("{url} did not answer within {} s", TIMEOUT.as_secs()))?
        .with_context(|| format!("{url} can't be reached"))
}
