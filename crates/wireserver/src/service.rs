//! The service of one VM, on as many listeners as reach it.

use std::future::Future;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use contract::gate::{self, AllowedHosts, RequestHead};
use contract::guest_agent::{GoalState, HOST_PLUGIN_VERSION, goal_state};
use contract::head::FramingRefusal;
use contract::headers::X_MS_CONTAINER_ID;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;

use crate::refusal::Refusal;
use crate::route::Route;
use crate::sink::MetadataVerdict;
use crate::throttle::{self, Clock, Throttle};
use crate::{Host, PackageStore, answer, gate as admission};

/// What answers hold: most are whole, packages are read while they are sent.
pub type Body = UnsyncBoxBody<Bytes, io::Error>;

/// The longest body that is taken, in bytes.
const MAX_BODY: u64 = 1024 * 1024;
/// More than an agent and its handlers have open, and few enough that a VM can't fill the host's memory with bodies.
const MAX_CONNECTIONS: usize = 32;

/// What a listener of the service allows.
#[must_use]
pub fn listener_config() -> listen::Config {
    let limits = contract::head::Limits { body: MAX_BODY, ..contract::head::Limits::default() };
    listen::Config { limits, max_connections: MAX_CONNECTIONS, ..listen::Config::default() }
}

/// What a VM's agent finds at its host. Agents look for one part on port 80 and for the other on port 32526; the parts
/// share no path, so every listener of the VM has both.
#[derive(Clone)]
pub struct WireServer {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    name: String,
    pub(crate) host: Arc<dyn Host>,
    pub(crate) packages: Arc<PackageStore>,
    hosts: AllowedHosts,
    throttle: Throttle,
    pub(crate) metadata: MetadataVerdict,
}

impl WireServer {
    /// The service of a VM, which logs call `name`. `hosts` are the names that its listeners answer to.
    #[must_use]
    pub fn new(name: impl Into<String>, host: Arc<dyn Host>, packages: Arc<PackageStore>, hosts: AllowedHosts) -> Self {
        Self::with_clock(name, host, packages, hosts, throttle::passing())
    }

    /// The same, by another's time.
    #[must_use]
    pub fn with_clock(
        name: impl Into<String>,
        host: Arc<dyn Host>,
        packages: Arc<PackageStore>,
        hosts: AllowedHosts,
        clock: Clock,
    ) -> Self {
        let throttle = Throttle::new(clock);
        let metadata = MetadataVerdict::default();
        Self { shared: Arc::new(Shared { name: name.into(), host, packages, hosts, throttle, metadata }) }
    }
}

impl listen::Service<Body> for WireServer {
    fn call(&self, request: Request<Incoming>) -> impl Future<Output = Response<Body>> + Send {
        let shared = Arc::clone(&self.shared);
        async move {
            match shared.decide(request).await {
                Ok(response) => {
                    count("answered");
                    response
                }
                Err(refusal) => shared.refuse(&refusal),
            }
        }
    }

    fn refuse(&self, refusal: FramingRefusal) -> Response<Body> {
        // What isn't even a request counts as one.
        let refusal = match self.shared.throttle.request() {
            Ok(()) => gate::Refusal::Framing(refusal),
            Err(too_many) => too_many,
        };
        self.shared.refuse(&refusal.into())
    }

    fn failed(&self) -> Response<Body> {
        self.shared.refuse(&gate::Refusal::Internal.into())
    }
}

impl Shared {
    async fn decide(&self, request: Request<Incoming>) -> Result<Response<Body>, Refusal> {
        self.throttle.request()?;
        let (head, body) = request.into_parts();
        let route = admission::admit(
            &RequestHead {
                method: head.method.as_str(),
                path: head.uri.path(),
                query: head.uri.query(),
                headers: &head.headers,
                has_body: !hyper::body::Body::is_end_stream(&body),
            },
            &self.hosts,
        )?;
        if matches!(route, Route::PluginStatus | Route::StatusBlob) {
            self.throttle.status()?;
        }
        match route {
            Route::WireVersions => Ok(answer::xml(goal_state::versions())),
            Route::GoalState => self.goal_state_xml().await,
            Route::Config(config, machine) => self.config(config, machine).await,
            Route::Certificates(machine) => self.certificates(machine, &head).await,
            Route::Health => self.discard(body, StatusCode::OK).await,
            Route::RoleProperties => self.discard(body, StatusCode::ACCEPTED).await,
            Route::Telemetry => self.telemetry(body).await,
            Route::HealthService => self.health_service(body).await,
            Route::PluginVersions => Ok(answer::json(format!("[\"{HOST_PLUGIN_VERSION}\"]"))),
            Route::PluginHealth => Ok(answer::empty(StatusCode::OK)),
            Route::VmSettings => self.vm_settings(&head).await,
            Route::PluginStatus => self.plugin_status(&head, body).await,
            Route::StatusBlob => self.status_blob(head.uri.path(), body).await,
            Route::ExtensionArtifact => self.extension_artifact(&head).await,
            Route::Artifact(artifact) => self.artifact(artifact).await,
        }
    }

    /// The goal state, for a request whose headers name no other container. That they name this one proves nothing:
    /// the VM is known by its socket.
    pub(crate) async fn consistent(&self, head: &Parts) -> Result<Arc<GoalState>, Refusal> {
        let wanted = self.host.goal_state().await?;
        let mut named = head.headers.get_all(X_MS_CONTAINER_ID).iter();
        let same = named.all(|named| named.as_bytes().eq_ignore_ascii_case(wanted.container_id.as_bytes()));
        if same { Ok(wanted) } else { Err(Refusal::Moved) }
    }

    /// How logs call the VM.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn refuse(&self, refusal: &Refusal) -> Response<Body> {
        count(refusal.label());
        let (vm, label, said) = (self.name(), refusal.label(), refusal.answer());
        if let Refusal::Unavailable(why) = refusal {
            tracing::error!(vm, error = &**why as &dyn std::error::Error, "a request of a guest agent failed");
        } else if said.status >= 500 {
            tracing::error!(vm, refusal = label, "a request of a guest agent failed");
        } else if said.status == 429 {
            // As many lines as requests would be what the limit is against; they are counted.
            tracing::debug!(vm, refusal = label, "a guest agent asks too often");
        } else {
            tracing::info!(vm, refusal = label, "a request of a guest agent was refused");
        }
        answer::boxed(listen::respond(said, answer::JSON))
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("symbolon_wireserver_requests_total", "outcome" => outcome).increment(1);
}
