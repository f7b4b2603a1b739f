//! The HostGAPlugin: the goal state as JSON, and the status.

use contract::guest_agent::status_blob::StatusBlob;
use http::header::{ETAG, IF_NONE_MATCH};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use hyper::body::Incoming;

use crate::answer;
use crate::refusal::Refusal;
use crate::service::{Body, Shared};

impl Shared {
    /// `GET /vmSettings`
    pub(crate) async fn vm_settings(&self, head: &Parts) -> Result<Response<Body>, Refusal> {
        self.host.joined().await;
        let wanted = self.consistent(head).await?;
        let etag = HeaderValue::from_str(&wanted.etag).map_err(|why| Refusal::Unavailable(why.into()))?;
        let mut response = if is_known(&head.headers, &wanted.etag) {
            answer::empty(StatusCode::NOT_MODIFIED)
        } else {
            answer::json(wanted.vm_settings())
        };
        // Without quotes, as Azure's host has it: agents name folders after it.
        response.headers_mut().insert(ETAG, etag);
        Ok(response)
    }

    /// `PUT /status`
    pub(crate) async fn plugin_status(&self, head: &Parts, body: Incoming) -> Result<Response<Body>, Refusal> {
        self.consistent(head).await?;
        let body = self.read(body).await?;
        if let Some(blob) = StatusBlob::parse_call(&body).map_err(|_| Refusal::Status)? {
            self.host.status(blob).await?;
        }
        Ok(answer::empty(StatusCode::OK))
    }

    /// `PUT` of the status at the address that the goal state names, as to a storage account.
    pub(crate) async fn status_blob(&self, path: &str, body: Incoming) -> Result<Response<Body>, Refusal> {
        let wanted = self.host.goal_state().await?;
        let named = wanted.status_blob_url.strip_prefix(&wanted.base_url);
        if named.and_then(|named| named.split('?').next()) != Some(path) {
            return Err(Refusal::Moved);
        }
        let blob = StatusBlob::parse(&self.read(body).await?).map_err(|_| Refusal::Status)?;
        self.host.status(blob).await?;
        Ok(answer::empty(StatusCode::CREATED))
    }
}

/// Whether the caller has it already.
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let texts = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = texts.flat_map(|text| text.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"') == etag)
}
