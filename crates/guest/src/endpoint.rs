//! The extension's token endpoint: from a request on `localhost` to an answer.

use std::future::Future;
use std::sync::Arc;

use broker::throttle::Throttle;
use broker::{Broker, Served, SourceError, TokenCache, Wanted};
use bytes::Bytes;
use contract::extension::{CONTENT_TYPE, TokenBody, TokenRequest};
use contract::gate::{AllowedHosts, Gate, Refusal, RequestHead, Surface};
use contract::head::FramingRefusal;
use domain::{ManagedIdentity, SelectionError, select};
use http::header::CACHE_CONTROL;
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use metrics::Counter;

use crate::convert;
use crate::failure_log::FailureLog;
use crate::identities::{Identities, Loaded};

const JSON: HeaderValue = HeaderValue::from_static(CONTENT_TYPE);
/// The longest form that is read, in bytes.
const MAX_FORM: usize = 16 * 1024;
/// More than any client announces, and little enough to be added to.
const MAX_ANNOUNCED: u64 = 1 << 40;

/// What a listener of the endpoint allows: bodies, also in chunks, because MSAL for Go sends its form so. How long one
/// may be is judged where it is read: path, method and headers come first.
#[must_use]
pub fn listener_config() -> listen::Config {
    let limits = contract::head::Limits { chunked: true, body: MAX_ANNOUNCED, ..contract::head::Limits::default() };
    listen::Config { limits, ..listen::Config::default() }
}

/// A panic, of which nothing is told: it may quote a request.
#[derive(Debug, thiserror::Error)]
#[error("a bug: the answering of a request broke off")]
struct Bug;

/// The endpoint of one guest. Cheap to clone; several listeners may share it.
#[derive(Clone)]
pub struct Endpoint {
    shared: Arc<Shared>,
}

struct Shared {
    gate: Gate,
    identities: Arc<Identities>,
    broker: Broker,
    throttle: Throttle,
    tokens: Arc<TokenCache<TokenBody>>,
    log: FailureLog,
    served: Counter,
}

impl Endpoint {
    /// An endpoint that answers to `hosts`. `log` is what the documented error points at.
    #[must_use]
    pub fn new(
        identities: Arc<Identities>,
        broker: Broker,
        throttle: Throttle,
        hosts: AllowedHosts,
        log: FailureLog,
    ) -> Self {
        let gate = Gate::new(Surface::Extension, hosts);
        let tokens = Arc::new(TokenCache::new(convert::token_body));
        let served = metrics::counter!("symbolon_extension_requests_total", "outcome" => "token");
        Self { shared: Arc::new(Shared { gate, identities, broker, throttle, tokens, log, served }) }
    }
}

impl listen::Service for Endpoint {
    fn call(&self, request: Request<Incoming>) -> impl Future<Output = Response<Full<Bytes>>> + Send {
        let shared = Arc::clone(&self.shared);
        async move {
            match shared.decide(request).await {
                Ok(response) => response,
                Err(refusal) => shared.refuse(&refusal),
            }
        }
    }

    fn refuse(&self, refusal: FramingRefusal) -> Response<Full<Bytes>> {
        self.shared.refuse(&Refusal::Framing(refusal))
    }

    fn failed(&self) -> Response<Full<Bytes>> {
        drop(self.shared.log.write(&Bug));
        self.shared.refuse(&Refusal::RetrievalFailed { logs: self.shared.log.folder() })
    }
}

impl Shared {
    async fn decide<B: Body>(&self, request: Request<B>) -> Result<Response<Full<Bytes>>, Refusal>
    where
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        if let Some(ordered) = head.extensions.get::<Refusal>() {
            return Err(ordered.clone());
        }
        let admitted = self.gate.admit(RequestHead {
            method: head.method.as_str(),
            path: head.uri.path(),
            query: head.uri.query(),
            headers: &head.headers,
            has_body: !body.is_end_stream(),
        })?;
        let _permit = self.throttle.admit().ok_or(Refusal::TooManyRequests)?;
        let form = if admitted.post {
            TokenRequest::check_form_type(&head.headers)?;
            Some(listen::body(body, MAX_FORM).await?)
        } else {
            None
        };
        let request = TokenRequest::parse(admitted.query, form.as_deref())?;
        let selector = request.selector.as_ref().map(convert::selector);
        let (loaded, identity) = self.identity(selector).await?;
        let wanted = Wanted {
            vm: loaded.credential(identity.client_id).ok_or(Refusal::IdentityNotFound)?.vm.clone(),
            resource: request.resource.as_ref().into(),
            identity,
        };
        match self.broker.token(&self.tokens, wanted, false).await {
            Ok(served) => Ok(self.answer(&served)),
            Err(error) => Err(self.refusal(error).await),
        }
    }

    /// The identity that is meant. One that isn't known may have been added this very moment, so the disk is
    /// asked once more before it is refused.
    async fn identity(
        &self,
        selector: Option<domain::Selector<'_>>,
    ) -> Result<(Arc<Loaded>, Arc<ManagedIdentity>), Refusal> {
        let loaded = self.identities.current().await;
        self.tokens.retain(|principal| loaded.contains(principal));
        match select(&loaded.identities, selector) {
            Ok(identity) => Ok((Arc::clone(&loaded), Arc::clone(identity))),
            Err(SelectionError::Multiple) => Err(Refusal::SeveralIdentities),
            Err(SelectionError::NotFound) => {
                let loaded = self.identities.reload().await;
                let identity = select(&loaded.identities, selector).map(Arc::clone);
                identity.map(|identity| (loaded, identity)).map_err(|error| match error {
                    SelectionError::NotFound => Refusal::IdentityNotFound,
                    SelectionError::Multiple => Refusal::SeveralIdentities,
                })
            }
        }
    }

    fn answer(&self, served: &Served<TokenBody>) -> Response<Full<Bytes>> {
        self.served.increment(1);
        let mut response = Response::new(Full::new(Bytes::from(served.entry.body.render(served.remaining))));
        response.headers_mut().insert(http::header::CONTENT_TYPE, JSON);
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    fn refuse(&self, refusal: &Refusal) -> Response<Full<Bytes>> {
        metrics::counter!("symbolon_extension_requests_total", "outcome" => refusal.label()).increment(1);
        let answer = refusal.answer(Surface::Extension);
        // What somebody ordered is no failure.
        if answer.status >= 500 && !matches!(refusal, Refusal::Fault(_)) {
            tracing::error!(refusal = refusal.label(), "a request to the extension failed");
        } else {
            tracing::info!(refusal = refusal.label(), "a request to the extension was refused");
        }
        listen::respond(answer, JSON)
    }

    /// The extension's documented vocabulary: a resource that the tenant doesn't know, or that makes no scope, is
    /// the caller's fault; everything else is the 500 that points at the logs.
    async fn refusal(&self, error: SourceError) -> Refusal {
        match error {
            SourceError::Refused { error, description }
                if matches!(error.as_str(), "invalid_resource" | "invalid_scope") =>
            {
                Refusal::InvalidResource { description }
            }
            SourceError::Withdrawn => Refusal::IdentityNotFound,
            SourceError::Refused { .. }
            | SourceError::Unreachable { .. }
            | SourceError::Busy { .. }
            | SourceError::ClockBehind { .. }
            | SourceError::Internal(_) => {
                // Written before the answer leaves, so that whoever looks finds it. A failure to write is told there.
                drop(self.log.write(&error).await);
                Refusal::RetrievalFailed { logs: self.log.folder() }
            }
        }
    }
}
