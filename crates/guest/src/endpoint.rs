//! The extension's token endpoint: from a request on `localhost` to an answer.

use std::future::Future;
use std::sync::Arc;

use arc_swap::ArcSwap;
use broker::SourceError;
use broker::throttle::Throttle;
use bytes::Bytes;
use contract::extension::{CONTENT_TYPE, TokenRequest};
use contract::gate::{AllowedHosts, Gate, Refusal, RequestHead, Surface};
use contract::head::FramingRefusal;
use domain::{Caller, ClientId};
use http::header::{CACHE_CONTROL, USER_AGENT};
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use listen::Ends;
use metrics::Counter;

use crate::callers::Callers;
use crate::failure_log::FailureLog;
use crate::forwarding::{ForwardError, Forwarding};
use crate::peer::{Peer, Peers};
use crate::serving::Serving;

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

/// Where answers come from.
#[derive(Clone)]
pub enum Backend {
    /// Tokens by the credentials on the disk.
    Serving(Arc<Serving>),
    /// What the metadata service says.
    Forwarding(Forwarding),
}

/// The endpoint of one guest. Cheap to clone; several listeners may share it.
#[derive(Clone)]
pub struct Endpoint {
    shared: Arc<Shared>,
    peer: Option<Peer>,
}

struct Shared {
    gate: Gate,
    backend: ArcSwap<Backend>,
    throttle: Throttle,
    log: FailureLog,
    callers: Arc<Callers>,
    peers: Peers,
    served: Counter,
    forwarded: Counter,
}

/// Why there is no token.
pub(crate) enum NoToken {
    Refused(Refusal),
    Failed(SourceError),
    NotForwarded(ForwardError),
}

impl From<Refusal> for NoToken {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<SourceError> for NoToken {
    fn from(error: SourceError) -> Self {
        Self::Failed(error)
    }
}

impl Endpoint {
    /// An endpoint that answers to `hosts`, from `backend`. `log` is what the documented error points at; `callers` counts
    /// who asks.
    #[must_use]
    pub fn new(
        backend: Backend,
        throttle: Throttle,
        hosts: AllowedHosts,
        log: FailureLog,
        callers: Arc<Callers>,
    ) -> Self {
        let gate = Gate::new(Surface::Extension, hosts);
        let counter = |outcome| metrics::counter!("symbolon_extension_requests_total", "outcome" => outcome);
        let (served, forwarded) = (counter("token"), counter("forwarded"));
        let backend = ArcSwap::from_pointee(backend);
        let shared = Shared { gate, backend, throttle, log, callers, peers: Peers::default(), served, forwarded };
        Self { shared: Arc::new(shared), peer: None }
    }

    /// Answers from elsewhere from now on. What is in flight is answered from where it was asked; with the last of that
    /// go the keys and tokens of before.
    pub fn answer_from(&self, backend: Backend) {
        self.shared.backend.store(Arc::new(backend));
    }

    /// Whether it forwards.
    #[must_use]
    pub fn forwards(&self) -> bool {
        matches!(**self.shared.backend.load(), Backend::Forwarding(_))
    }
}

impl listen::Service for Endpoint {
    fn connected(&self, ends: Ends) -> Self {
        Self { shared: Arc::clone(&self.shared), peer: Some(Peers::of(ends)) }
    }

    fn call(&self, request: Request<Incoming>) -> impl Future<Output = Response<Full<Bytes>>> + Send {
        let (shared, peer) = (Arc::clone(&self.shared), self.peer.clone());
        async move {
            let mut call = Call::of(&shared, peer.as_ref(), &request).await;
            match shared.decide(request, &mut call.identity).await {
                Ok(response) => response,
                Err(refusal) => {
                    call.counts = !matches!(refusal, Refusal::UnknownSource { .. });
                    shared.refuse(&refusal)
                }
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

/// A call, counted when it is over: answered, refused, or given up by who made it.
struct Call {
    callers: Arc<Callers>,
    client: String,
    process: Option<String>,
    uid: Option<u32>,
    identity: Option<ClientId>,
    /// Whether it was for this endpoint at all.
    counts: bool,
}

impl Call {
    async fn of<B>(shared: &Shared, peer: Option<&Peer>, request: &Request<B>) -> Self {
        let client =
            request.headers().get(USER_AGENT).map(|name| String::from_utf8_lossy(name.as_bytes()).into_owned());
        let owner = match peer {
            Some(peer) => shared.peers.owner(peer).await,
            None => None,
        };
        Self {
            callers: Arc::clone(&shared.callers),
            client: client.unwrap_or_default(),
            process: owner.and_then(|owner| Some(owner.process.as_ref()?.name.clone())),
            uid: owner.map(|owner| owner.uid),
            identity: None,
            counts: true,
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if self.counts {
            self.callers.count(Caller::new(self.identity, &self.client, self.process.as_deref(), self.uid));
        }
    }
}

impl Shared {
    async fn decide<B: Body>(
        &self,
        request: Request<B>,
        who: &mut Option<ClientId>,
    ) -> Result<Response<Full<Bytes>>, Refusal>
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
        let backend = Backend::clone(&self.backend.load());
        let (counter, answered) = match backend {
            Backend::Serving(serving) => (&self.served, serving.token(&request, who).await),
            Backend::Forwarding(forwarding) => (&self.forwarded, forwarding.token(&request, who).await),
        };
        match answered {
            Ok(body) => {
                counter.increment(1);
                Ok(answer(body))
            }
            Err(why) => Err(self.refusal(why).await),
        }
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
    async fn refusal(&self, why: NoToken) -> Refusal {
        let error: Box<dyn std::error::Error + Send + Sync> = match why {
            NoToken::Refused(refusal) => return refusal,
            NoToken::Failed(SourceError::Refused { error, description })
                if matches!(error.as_str(), "invalid_resource" | "invalid_scope") =>
            {
                return Refusal::InvalidResource { description };
            }
            NoToken::Failed(SourceError::Withdrawn) => return Refusal::IdentityNotFound,
            NoToken::Failed(error) => error.into(),
            NoToken::NotForwarded(error) => error.into(),
        };
        // Written before the answer leaves, so that whoever looks finds it. A failure to write is told there.
        drop(self.log.write(&*error).await);
        Refusal::RetrievalFailed { logs: self.log.folder() }
    }
}

fn answer(body: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    response.headers_mut().insert(http::header::CONTENT_TYPE, JSON);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
