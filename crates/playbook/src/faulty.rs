//! A service of a data plane that fails when a playbook wants it so.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use contract::gate::{AllowedHosts, Gate, Refusal, RequestHead, Surface, fault};
use contract::head::FramingRefusal;
use domain::ResourceId;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{Extensions, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use listen::{Ends, HangUp, Service};

use crate::body::MayBreak;
use crate::playbooks::Playbooks;
use crate::step::{Outcome, RetryAfter};

/// What a body of the playbook's own is: a gateway's page.
const PAGE: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// Marks a request that is to be answered with an expired token, for the service that knows the mark.
pub type Expire = Arc<dyn Fn(&mut Extensions) + Send + Sync>;

/// What stands in front of a service: of whom its requests are, and what is let through.
pub struct Front {
    /// The playbooks, where there may be any.
    pub playbooks: Option<Playbooks>,
    /// The VM whose requests these are.
    pub vm: ResourceId,
    /// Which endpoint it is.
    pub surface: Surface,
    /// The names that its gate lets through.
    pub hosts: AllowedHosts,
    /// Its own 500.
    pub internal: Refusal,
    /// How it is told to give an expired token; where it has none, such a step does nothing.
    pub expire: Option<Expire>,
}

/// A service that does what the playbooks say, and as ever while none runs. A refusal that is ordered is handed to the
/// service as a [`Refusal`] in the request's extensions, so that it answers it in its own manner; nothing from the wire
/// can come to stand there.
#[derive(Clone)]
pub struct Faulty<S> {
    service: S,
    front: Arc<Front>,
    gate: Arc<Gate>,
}

impl<S: Service> Faulty<S> {
    /// Stands in front of a service.
    #[must_use]
    pub fn new(service: S, front: Front) -> Self {
        let gate = Arc::new(Gate::new(front.surface, front.hosts.clone()));
        Self { service, front: Arc::new(front), gate }
    }

    async fn answer(&self, mut request: Request<Incoming>) -> Response<MayBreak> {
        let Front { playbooks, vm, .. } = &*self.front;
        let running = playbooks.as_ref().and_then(|playbooks| playbooks.running(vm));
        let Some(running) = running.filter(|_| self.admits(&request)) else {
            return self.service.call(request).await.map(MayBreak::Whole);
        };
        let (number, fault) = running.meet(vm, request.uri().path());
        let Some(fault) = fault else {
            let response = self.service.call(request).await;
            running.answered(number, response.status().as_u16());
            return response.map(MayBreak::Whole);
        };
        wait(fault.latency).await;
        if fault.outcome == Outcome::Dropped {
            let mut never_sent = Response::new(MayBreak::Whole(Full::default()));
            never_sent.extensions_mut().insert(HangUp);
            return never_sent;
        }
        self.order(&mut request, &fault.outcome);
        let response = self.service.call(request).await;
        running.answered(number, response.status().as_u16());
        match &fault.outcome {
            Outcome::Partial(bytes) => break_off(response, *bytes).await,
            Outcome::Status { retry_after, body, .. } => reworded(response, *retry_after, body.as_deref()),
            Outcome::Answered | Outcome::Dropped | Outcome::ExpiredToken | Outcome::NotPropagated => {
                response.map(MayBreak::Whole)
            }
        }
    }

    /// Whether the gate lets a request through: probes and attacks are refused as ever.
    fn admits(&self, request: &Request<Incoming>) -> bool {
        let head = RequestHead {
            method: request.method().as_str(),
            path: request.uri().path(),
            query: request.uri().query(),
            headers: request.headers(),
            has_body: !request.body().is_end_stream(),
        };
        self.gate.admit(head).is_ok()
    }

    /// Tells the service what is wanted of it.
    fn order(&self, request: &mut Request<Incoming>, outcome: &Outcome) {
        let Front { surface, internal, expire, .. } = &*self.front;
        let refusal = match outcome {
            Outcome::Status { status, .. } => {
                let (method, path) = (request.method().as_str(), request.uri().path());
                fault::answer(*status, *surface, method, path, internal).map(Refusal::Fault)
            }
            Outcome::NotPropagated => Some(Refusal::Fault(Refusal::IdentityNotFound.answer(*surface))),
            Outcome::ExpiredToken => {
                if let Some(expire) = expire {
                    expire(request.extensions_mut());
                }
                None
            }
            Outcome::Answered | Outcome::Dropped | Outcome::Partial(_) => None,
        };
        if let Some(refusal) = refusal {
            request.extensions_mut().insert(refusal);
        }
    }
}

impl<S: Service> Service<MayBreak> for Faulty<S> {
    fn connected(&self, ends: Ends) -> Self {
        Self { service: self.service.connected(ends), ..self.clone() }
    }

    fn call(&self, request: Request<Incoming>) -> impl Future<Output = Response<MayBreak>> + Send {
        self.answer(request)
    }

    fn refuse(&self, refusal: FramingRefusal) -> Response<MayBreak> {
        self.service.refuse(refusal).map(MayBreak::Whole)
    }

    fn failed(&self) -> Response<MayBreak> {
        self.service.failed().map(MayBreak::Whole)
    }
}

#[expect(clippy::disallowed_methods, reason = "a request is kept waiting because somebody wants it so")]
async fn wait(latency: Duration) {
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
}

async fn break_off(response: Response<Full<Bytes>>, bytes: u64) -> Response<MayBreak> {
    let (head, body) = response.into_parts();
    let whole = match body.collect().await {
        Ok(whole) => whole.to_bytes(),
        Err(never) => match never {},
    };
    Response::from_parts(head, MayBreak::partial(&whole, bytes))
}

fn reworded(mut response: Response<Full<Bytes>>, retry_after: RetryAfter, body: Option<&str>) -> Response<MayBreak> {
    let headers = response.headers_mut();
    match retry_after {
        RetryAfter::AsEver => {}
        RetryAfter::Seconds(seconds) => {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        RetryAfter::None => {
            headers.remove(RETRY_AFTER);
        }
    }
    match body {
        None => response.map(MayBreak::Whole),
        Some(page) => {
            headers.insert(CONTENT_TYPE, PAGE);
            response.map(|_| MayBreak::Whole(Full::from(Bytes::from(page.to_owned()))))
        }
    }
}
