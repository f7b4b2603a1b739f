//! Answers of the control plane.

use axum::body::Body;
use axum::response::Response;
use contract::arm::{ArmError, Code};
use domain::OperationId;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use percent_encoding::{AsciiSet, CONTROLS, PercentEncode, utf8_percent_encode};
use serde_json::Value;
use uuid::Uuid;

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
const ASYNC_OPERATION: HeaderName = HeaderName::from_static("azure-asyncoperation");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-request-id");
const CORRELATION_ID: HeaderName = HeaderName::from_static("x-ms-correlation-request-id");
/// The api-version of the URLs that operations are followed at.
const OPERATION_VERSION: &str = "2024-11-01";

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Option<Value>,
    /// Where the client follows what is still being done.
    pub(crate) follow: Follow,
    /// What is still being done.
    pub(crate) operation: Option<OperationId>,
}

/// Where a client follows an operation.
#[derive(Debug, Default)]
pub(crate) struct Follow {
    /// `Azure-AsyncOperation`.
    pub(crate) status: Option<String>,
    /// `Location`.
    pub(crate) result: Option<String>,
    /// Whether to come back soon.
    pub(crate) retry: bool,
}

impl Reply {
    /// Done, with a body.
    pub(crate) fn ok(body: Value) -> Self {
        Self::with(200, body)
    }

    /// A status with a body.
    pub(crate) fn with(status: u16, body: Value) -> Self {
        Self { status, body: Some(body), follow: Follow::default(), operation: None }
    }

    /// A status alone.
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, body: None, follow: Follow::default(), operation: None }
    }

    /// What is there: 201 when it is new, else 200.
    pub(crate) fn put(created: bool, body: Value) -> Self {
        Self::with(if created { 201 } else { 200 }, body)
    }

    /// With where to follow the operation's state.
    pub(crate) fn following(mut self, status: String, operation: OperationId) -> Self {
        self.follow.status = Some(status);
        self.operation = Some(operation);
        self.follow.retry = true;
        self
    }

    /// With where the result will be.
    pub(crate) fn resulting(mut self, result: String) -> Self {
        self.follow.result = Some(result);
        self.follow.retry = true;
        self
    }

    pub(crate) fn into_response(self) -> Response {
        let mut response = Response::new(match self.body {
            Some(body) => Body::from(body.to_string()),
            None => Body::empty(),
        });
        let has_body = self.status != 204 && self.status != 304;
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        if has_body {
            headers.insert(CONTENT_TYPE, JSON);
        }
        let mut link = |name: HeaderName, value: Option<String>| {
            if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
                headers.insert(name, value);
            }
        };
        link(ASYNC_OPERATION, self.follow.status);
        link(LOCATION, self.follow.result);
        if self.follow.retry {
            // Some clients take 0 for half a minute.
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        sign(&mut response);
        response
    }
}

/// What stands for itself nowhere in the path of a URL (WHATWG URL, "path percent-encode set"), besides all that isn't ASCII.
const NOT_IN_PATHS: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'<').add(b'>').add(b'?').add(b'`').add(b'{').add(b'}');

/// A path, such as the id of a resource, as it stands in a URL.
pub(crate) fn url_path(path: &str) -> PercentEncode<'_> {
    utf8_percent_encode(path, NOT_IN_PATHS)
}

/// The address at which an operation of a subscription is followed.
pub(crate) fn operation_url(base: &str, subscription: &str, location: &str, id: OperationId) -> String {
    let location = url_path(location);
    format!(
        "{base}/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}/operations/{id}\
         ?api-version={OPERATION_VERSION}"
    )
}

/// The address at which the result of an operation is had.
pub(crate) fn result_url(base: &str, subscription: &str, id: OperationId) -> String {
    format!("{base}/subscriptions/{subscription}/operationresults/{id}?api-version={OPERATION_VERSION}")
}

/// A refusal. `tenant` is whose authority a client without a token should ask.
pub(crate) fn refuse(error: &ArmError, base: &str, tenant: &str) -> Response {
    let mut response = Reply::with(error.code.status(), error.body()).into_response();
    let headers = response.headers_mut();
    match error.code.status() {
        401 => {
            let challenge = format!(
                "Bearer authorization_uri=\"{base}/{tenant}\", error=\"invalid_token\", error_description=\"{}\"",
                error.message.replace(['"', '\r', '\n'], "'")
            );
            if let Ok(value) = HeaderValue::try_from(challenge) {
                headers.insert(WWW_AUTHENTICATE, value);
            }
        }
        503 => {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        _ => {}
    }
    if error.code == Code::MethodNotAllowed {
        headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD, PUT, PATCH, POST, DELETE"));
    }
    response
}

fn sign(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    for name in [REQUEST_ID, CORRELATION_ID] {
        if let Ok(id) = HeaderValue::try_from(Uuid::new_v4().to_string()) {
            headers.insert(name, id);
        }
    }
}
