//! What answers people, or programs that read nothing but the status: its refusals are in words.

use std::future::Future;

use contract::head::FramingRefusal;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};

/// Answers a request at once, and without its body.
pub(crate) trait Plain: Clone + Send + Sync + 'static {
    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>>;
}

/// The same behind a listener.
#[derive(Clone)]
pub(crate) struct InWords<P>(pub(crate) P);

impl<P: Plain> listen::Service for InWords<P> {
    fn call(&self, request: Request<Incoming>) -> impl Future<Output = Response<Full<Bytes>>> + Send {
        std::future::ready(self.0.answer(&request))
    }

    fn refuse(&self, refusal: FramingRefusal) -> Response<Full<Bytes>> {
        refused(match refusal {
            FramingRefusal::Malformed => StatusCode::BAD_REQUEST,
            FramingRefusal::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            FramingRefusal::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            FramingRefusal::Expectation => StatusCode::EXPECTATION_FAILED,
        })
    }

    fn failed(&self) -> Response<Full<Bytes>> {
        refused(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

fn refused(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = text(status, "the request is refused\n".to_owned());
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// A text for people.
pub(crate) fn text(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
