//! Weak modes: a service behind a gate that lacks exactly one defence.
//!
//! A test that never saw an attack succeed proves nothing. So each attack runs twice: it must fail against the
//! real gate, and succeed against the one that lacks what should have stopped it.

use std::future::Future;

use bytes::Bytes;
use contract::head::FramingRefusal;
use http::header::{HOST, ORIGIN};
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use listen::Service;

/// What a gate lacks.
#[derive(Clone, Debug)]
pub enum Lacking {
    /// The check of `Host`: every name is this one.
    Host(HeaderValue),
    /// The refusal of `X-Forwarded-For`.
    Forwarded,
    /// The refusal of `Origin` and `Sec-Fetch-Site`.
    CrossOrigin,
    /// The `Metadata` header.
    Metadata,
}

/// A service whose gate lacks something: what that defence would have seen is taken from the request first.
#[derive(Clone)]
pub struct Weak<S> {
    /// The service.
    pub service: S,
    /// What its gate lacks.
    pub lacking: Lacking,
}

impl<S: Service> Service for Weak<S> {
    fn call(&self, mut request: Request<Incoming>) -> impl Future<Output = Response<Full<Bytes>>> + Send {
        let headers = request.headers_mut();
        match &self.lacking {
            Lacking::Host(name) => {
                headers.insert(HOST, name.clone());
            }
            Lacking::Forwarded => {
                headers.remove("x-forwarded-for");
            }
            Lacking::CrossOrigin => {
                headers.remove(ORIGIN);
                headers.remove("sec-fetch-site");
            }
            Lacking::Metadata => {
                headers.insert(HeaderName::from_static("metadata"), HeaderValue::from_static("true"));
            }
        }
        self.service.call(request)
    }

    fn refuse(&self, refusal: FramingRefusal) -> Response<Full<Bytes>> {
        self.service.refuse(refusal)
    }

    fn failed(&self) -> Response<Full<Bytes>> {
        self.service.failed()
    }
}
