//! Answers of the authority: JSON always, and a trace with every error.

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use contract::aadsts::{Aadsts, Trace};
use contract::answer::Answer;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, PRAGMA};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::{BodyExt, Collected, LengthLimitError, Limited};
use uuid::Uuid;

use crate::app::App;

/// The media type of every answer.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
const CLIENT_REQUEST_ID: &str = "client-request-id";

/// The body of a 200 that may be kept for so many seconds; 0 is not at all.
pub(crate) fn ok(body: impl Into<Body>, max_age: u32) -> Response {
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    if max_age == 0 {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    } else if let Ok(value) = HeaderValue::try_from(format!("max-age={max_age}, public")) {
        headers.insert(CACHE_CONTROL, value);
    }
    response
}

/// The ids and the time of one answer.
pub(crate) struct Tracing {
    trace_id: String,
    correlation_id: String,
    timestamp: String,
}

impl Tracing {
    /// The caller's own id is kept when it is a GUID.
    pub(crate) fn of(headers: &HeaderMap, app: &App) -> Self {
        let sent =
            headers.get(CLIENT_REQUEST_ID).and_then(|id| id.to_str().ok()).and_then(|id| id.parse::<Uuid>().ok());
        let now = app.authority.clock().now();
        let time = jiff::Timestamp::from_second(now.unix()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        Self {
            trace_id: Uuid::new_v4().to_string(),
            correlation_id: sent.unwrap_or_else(Uuid::new_v4).to_string(),
            timestamp: time.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
        }
    }

    /// A refusal with these ids. It is logged without a word of what the client sent.
    pub(crate) fn refuse(&self, refusal: &Aadsts, app: &App) -> Response {
        let (code, status, error) = refusal.code();
        tracing::info!(code, status, error, correlation_id = self.correlation_id, "a token request was refused");
        metrics::counter!("symbolon_authority_requests_total", "outcome" => error).increment(1);
        let trace = Trace {
            trace_id: &self.trace_id,
            correlation_id: &self.correlation_id,
            timestamp: &self.timestamp,
            authority: &app.base_url,
        };
        plain(refusal.answer(&trace))
    }
}

/// An answer as a response.
pub(crate) fn plain(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, answer.body.into_owned()).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seconds) = answer.retry_after {
        headers.insert(http::header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if answer.close {
        headers.insert(http::header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// A failure of our own: told once in the log, and to the client without its inside.
pub(crate) fn internal(error: &(dyn std::error::Error + 'static)) -> Response {
    tracing::error!(error, "the authority failed");
    plain(internal_error())
}

pub(crate) fn internal_error() -> Answer {
    Answer::error(500, "server_error", "An internal error occurred")
}

/// Reads a body, or answers: 413 when it is longer than `limit`, 408 when it doesn't come to its end in the time that
/// the listener gives it.
pub(crate) async fn read_body(body: Body, limit: usize) -> Result<Bytes, Response> {
    Limited::new(body, limit).collect().await.map(Collected::to_bytes).map_err(|why| {
        plain(if why.is::<LengthLimitError>() {
            Answer::error(413, "request_too_large", "The request body is too large")
        } else {
            Answer::error(408, "request_timeout", "The request body did not arrive in time")
        })
    })
}

/// As many tokens wait to be signed as may.
pub(crate) fn busy() -> Response {
    plain(Answer::error(503, "temporarily_unavailable", "Too many requests, retry later").retry_after(1).keep_open())
}

pub(crate) async fn health() -> Response {
    ok("{\"status\":\"alive\"}", 0)
}

pub(crate) async fn not_found(request: Request) -> Response {
    let text = format!("There is no {} here", request.uri().path());
    plain(Answer::error(404, "not_found", &text).keep_open())
}

pub(crate) async fn method_not_allowed(request: Request) -> Response {
    let text = format!("{} is not allowed on {}", request.method(), request.uri().path());
    plain(Answer::error(405, "method_not_allowed", &text).keep_open())
}
