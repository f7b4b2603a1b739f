//! `/metrics`, `/healthz`, `/readyz`: for those who run it.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use contract::head::FramingRefusal;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// Whether `up` is ready to serve; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// Says that everything listens.
    pub(crate) fn ready(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Says that it is ending.
    pub(crate) fn ending(&self) {
        self.0.store(false, Ordering::Release);
    }
}

/// Starts counting for this process.
pub(crate) fn start_counting() -> anyhow::Result<PrometheusHandle> {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).map_err(|_| anyhow::anyhow!("the counters were started twice"))?;
    Ok(handle)
}

/// The service behind the operations listener.
#[derive(Clone)]
pub(crate) struct Operations {
    pub(crate) metrics: PrometheusHandle,
    pub(crate) readiness: Readiness,
}

impl Operations {
    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if request.method() != Method::GET {
            return text(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered here\n".to_owned());
        }
        match request.uri().path() {
            "/metrics" => text(StatusCode::OK, self.metrics.render()),
            "/healthz" => text(StatusCode::OK, "alive\n".to_owned()),
            "/readyz" if self.readiness.0.load(Ordering::Acquire) => text(StatusCode::OK, "ready\n".to_owned()),
            "/readyz" => text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n".to_owned()),
            _ => text(StatusCode::NOT_FOUND, "there are /metrics, /healthz and /readyz\n".to_owned()),
        }
    }
}

impl listen::Service for Operations {
    fn call(&self, request: Request<Incoming>) -> impl Future<Output = Response<Full<Bytes>>> + Send {
        std::future::ready(self.answer(&request))
    }

    fn refuse(&self, refusal: FramingRefusal) -> Response<Full<Bytes>> {
        refuse_in_words(&refusal)
    }

    fn failed(&self) -> Response<Full<Bytes>> {
        failed_in_words()
    }
}

/// The answer to a head that can't be read, for people.
pub(crate) fn refuse_in_words(refusal: &FramingRefusal) -> Response<Full<Bytes>> {
    in_words(match refusal {
        FramingRefusal::Malformed => StatusCode::BAD_REQUEST,
        FramingRefusal::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        FramingRefusal::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        FramingRefusal::Expectation => StatusCode::EXPECTATION_FAILED,
    })
}

/// The answer to what failed, for people.
pub(crate) fn failed_in_words() -> Response<Full<Bytes>> {
    in_words(StatusCode::INTERNAL_SERVER_ERROR)
}

fn in_words(status: StatusCode) -> Response<Full<Bytes>> {
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
