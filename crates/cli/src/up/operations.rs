//! `/metrics`, `/healthz`, `/readyz`: for those who run it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use super::plain::{Plain, text};

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

impl Plain for Operations {
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
