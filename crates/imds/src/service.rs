//! The service behind one listener of one VM: plain hyper, from a request to an answer.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use broker::throttle::Permit;
use broker::{Broker, Served, SourceError, TokenCache, Wanted};
use bytes::Bytes;
use contract::answer::Answer;
use contract::extension::FORWARDER;
use contract::gate::{AllowedHosts, Gate, Refusal, RequestHead, Route, Surface};
use contract::head::FramingRefusal;
use contract::imds::{AttestedDocument, AttestedRequest, Echo, StartRequests, TokenBody, identity_info};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, SERVER, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::Full;
use hyper::body::{Body, Incoming};

use crate::plan::{Plan, TokenWanted, plan};
use crate::{ControlPlane, Counters, Document, Vm, control_plane, convert};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
/// Clients take an answer for one of a metadata service only when this holds `IMDS`.
const NAME: HeaderValue = HeaderValue::from_static(concat!("IMDS/", env!("CARGO_PKG_VERSION")));
const REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-request-id");

/// The longest approval of scheduled events that is read, in bytes.
const MAX_APPROVAL: usize = 16 * 1024;
/// More than any client announces, and little enough to be added to.
const MAX_ANNOUNCED: u64 = 1 << 40;

/// What a listener of the service allows: bodies, also in chunks, because approvals of scheduled events come so from .NET.
/// How long one is says nothing: path and method are judged first, and then whether there may be one.
#[must_use]
pub fn listener_config() -> listen::Config {
    let limits = contract::head::Limits { chunked: true, body: MAX_ANNOUNCED, ..contract::head::Limits::default() };
    listen::Config { limits, ..listen::Config::default() }
}

/// The metadata service of one VM on one listener.
#[derive(Clone)]
pub struct MetadataService {
    shared: Arc<Shared>,
}

struct Shared {
    gate: Gate,
    vm: Arc<Vm>,
    broker: Broker,
    counters: Counters,
    request_ids: RequestIds,
}

impl MetadataService {
    /// The service for a VM. `hosts` are the names that this listener answers to, `seed` any random number:
    /// request ids are counted from it.
    #[must_use]
    pub fn new(vm: Arc<Vm>, broker: Broker, hosts: AllowedHosts, counters: Counters, seed: u64) -> Self {
        let gate = Gate::new(Surface::Imds, hosts);
        let request_ids = RequestIds { seed, next: AtomicU64::new(0) };
        Self { shared: Arc::new(Shared { gate, vm, broker, counters, request_ids }) }
    }
}

impl listen::Service for MetadataService {
    fn call(&self, request: Request<Incoming>) -> impl Future<Output = Response<Full<Bytes>>> + Send {
        let shared = Arc::clone(&self.shared);
        async move { shared.answer(request).await }
    }

    fn refuse(&self, refusal: FramingRefusal) -> Response<Full<Bytes>> {
        self.shared.refuse(&Refusal::Framing(refusal), "")
    }

    fn failed(&self) -> Response<Full<Bytes>> {
        self.shared.refuse(&Refusal::Internal, "")
    }
}

/// In the extensions of a request: answer with a token of this broker, whose tokens' lives are over, and keep it nowhere.
#[derive(Clone)]
pub struct Expired(pub Broker);

/// Whether the extension's endpoint asks in the place of its callers.
fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.get(USER_AGENT).is_some_and(|name| name.as_bytes().starts_with(FORWARDER.as_bytes()))
}

impl Shared {
    async fn answer<B: Body<Error: Into<BoxError>>>(&self, request: Request<B>) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        match self.decide(&parts, body).await {
            Ok(response) => response,
            Err(refusal) => self.refuse(&refusal, parts.uri.path()),
        }
    }

    async fn decide<B: Body<Error: Into<BoxError>>>(
        &self,
        request: &Parts,
        body: B,
    ) -> Result<Response<Full<Bytes>>, Refusal> {
        if let Some(ordered) = request.extensions.get::<Refusal>() {
            return Err(ordered.clone());
        }
        let head = RequestHead {
            method: request.method.as_str(),
            path: request.uri.path(),
            query: request.uri.query(),
            headers: &request.headers,
            has_body: !body.is_end_stream(),
        };
        // Held until the answer is ready: it counts as one request at once.
        let mut permit: Option<Permit> = None;
        let leave = |route: Route| {
            permit = if route.is_identity() { self.vm.throttle.admit() } else { self.vm.throttle.admit_document() };
            permit.is_some()
        };
        let planned = plan(&self.gate, &self.vm.snapshot(), &self.vm.documents(), head, leave)?;
        match planned {
            Plan::Token(wanted) => {
                let answered = match request.extensions.get::<Expired>() {
                    None => self.token(wanted).await,
                    Some(Expired(broker)) => self.expired_token(broker, wanted).await,
                };
                if answered.is_ok() && !is_forwarded(&request.headers) {
                    self.vm.calls.fetch_add(1, Ordering::Relaxed);
                }
                answered
            }
            Plan::Info(tenant) => {
                self.counters.infos.increment(1);
                Ok(self.ok(identity_info(&tenant)))
            }
            Plan::Document(document) => Ok(self.document(document)),
            Plan::Attested(request) => self.attested(&request).await,
            Plan::Approve => self.approve(&listen::body(body, MAX_APPROVAL).await?).await,
        }
    }

    fn document(&self, document: Document) -> Response<Full<Bytes>> {
        self.counters.documents.increment(1);
        let mut response = self.ok(document.body);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(document.format.content_type()));
        response
    }

    async fn attested(&self, request: &AttestedRequest<'_>) -> Result<Response<Full<Bytes>>, Refusal> {
        let control_plane = self.control_plane()?;
        let _one = self.vm.signed.try_acquire().map_err(|_| Refusal::TooManyRequests)?;
        let content =
            convert::attested(&self.vm.documents().description.instance, control_plane.now()).content(request);
        let signed = control_plane.attest(content).await.map_err(control_plane::refusal)?;
        Ok(self.document(Document::json(AttestedDocument::body(&signed))))
    }

    async fn approve(&self, body: &[u8]) -> Result<Response<Full<Bytes>>, Refusal> {
        let StartRequests { event_ids } = StartRequests::parse(body)?;
        let vm = self.vm.snapshot().id.clone();
        self.control_plane()?.approve(&vm, &event_ids).await.map_err(control_plane::refusal)?;
        Ok(self.document(Document::json("{}")))
    }

    fn control_plane(&self) -> Result<&Arc<dyn ControlPlane>, Refusal> {
        self.vm.control_plane.as_ref().ok_or(Refusal::Unavailable { retry_after: 60 })
    }

    async fn token(&self, wanted: TokenWanted<'_>) -> Result<Response<Full<Bytes>>, Refusal> {
        let TokenWanted { identity, request } = wanted;
        let echo = convert::echo(request.selector.as_ref());
        if !request.bypass_cache {
            let key = (identity.principal_id, request.resource.as_ref());
            if let Some(served) = self.broker.ready(&self.vm.tokens, key) {
                return Ok(self.served(&served, echo));
            }
        }
        let principal = identity.principal_id;
        let wanted = Wanted { identity, resource: request.resource.as_ref().into(), vm: self.vm.snapshot().id.clone() };
        let served = self.broker.token(&self.vm.tokens, wanted, request.bypass_cache).await;
        let served = served.map_err(refusal)?;
        // It may have been taken away while the token was made.
        if self.vm.snapshot().identities.by_principal_id(principal).is_none() {
            self.vm.forget_unassigned();
            return Err(Refusal::IdentityNotFound);
        }
        Ok(self.served(&served, echo))
    }

    async fn expired_token(&self, broker: &Broker, wanted: TokenWanted<'_>) -> Result<Response<Full<Bytes>>, Refusal> {
        let TokenWanted { identity, request } = wanted;
        let echo = convert::echo(request.selector.as_ref());
        let wanted = Wanted { identity, resource: request.resource.as_ref().into(), vm: self.vm.snapshot().id.clone() };
        let nowhere = Arc::new(TokenCache::new(convert::token_body));
        let served = broker.token(&nowhere, wanted, true).await.map_err(refusal)?;
        Ok(self.ok(served.entry.body.render(0, echo)))
    }

    fn served(&self, served: &Served<TokenBody>, echo: Echo<'_>) -> Response<Full<Bytes>> {
        self.counters.tokens.increment(1);
        self.ok(served.entry.body.render(served.remaining, echo))
    }

    fn ok(&self, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(body.into()));
        *response.headers_mut() = HeaderMap::with_capacity(4);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, JSON);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        self.sign(headers);
        response
    }

    fn refuse(&self, refusal: &Refusal, path: &str) -> Response<Full<Bytes>> {
        self.counters.refused(refusal);
        let answer: Answer = refusal.answer_at(path);
        // What somebody ordered is no failure.
        if answer.status >= 500 && !matches!(refusal, Refusal::Fault(_)) {
            tracing::error!(vm = %self.vm.snapshot().id, refusal = refusal.label(), "a metadata request failed");
        } else {
            tracing::info!(vm = %self.vm.snapshot().id, refusal = refusal.label(), "a metadata request was refused");
        }
        let mut response = listen::respond(answer, JSON);
        self.sign(response.headers_mut());
        response
    }

    fn sign(&self, headers: &mut HeaderMap) {
        headers.insert(SERVER, NAME);
        headers.insert(REQUEST_ID, self.request_ids.next());
    }
}

/// What a failure of the source means to the caller. A refusal of the authority is the client's 400, never a
/// 5xx; the authority's absence is a 503 with `Retry-After`.
fn refusal(error: SourceError) -> Refusal {
    match error {
        SourceError::Unreachable { .. } => Refusal::Unavailable { retry_after: 5 },
        SourceError::ClockBehind { .. } => {
            tracing::error!(error = &error as &dyn std::error::Error, "no token is made");
            Refusal::Unavailable { retry_after: 30 }
        }
        SourceError::Busy { retry_after } => {
            let seconds = u32::try_from(retry_after.as_secs()).unwrap_or(u32::MAX);
            Refusal::Unavailable { retry_after: seconds.max(1) }
        }
        SourceError::Refused { error, description } if error == "invalid_resource" => {
            Refusal::InvalidResource { description }
        }
        SourceError::Refused { error, description } => Refusal::Authority { error, description },
        SourceError::Withdrawn => Refusal::IdentityNotFound,
        SourceError::Internal(_) => Refusal::Internal,
    }
}

/// Ids for requests, in the shape of random GUIDs: counted and scattered, which costs nothing.
struct RequestIds {
    seed: u64,
    next: AtomicU64,
}

impl RequestIds {
    fn next(&self) -> HeaderValue {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let id = uuid::Uuid::from_u64_pair(
            scatter(self.seed ^ number),
            scatter(self.seed.rotate_left(32).wrapping_add(number)),
        );
        let id = uuid::Builder::from_random_bytes(id.into_bytes()).into_uuid();
        let mut text = uuid::Uuid::encode_buffer();
        let text: &str = id.hyphenated().encode_lower(&mut text);
        HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("-"))
    }
}

/// The finalizer of SplitMix64: neighbours become strangers.
fn scatter(number: u64) -> u64 {
    let mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
