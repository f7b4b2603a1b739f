//! The process that serves: the endpoint on localhost, from the credentials on the disk, until it is told to end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use broker::throttle::Throttle;
use broker::{Broker, Counters, Freshness};
use contract::gate::AllowedHosts;
use listen::{BindError, Shutdown};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

use super::authority;
use super::endpoint_file::{self, Running};
use super::failure::{Code, Failure};
use super::heartbeat::Heartbeat;
use super::launch::{Ready, Report};
use super::place::Place;
use super::process::Process;
use super::state::State;
use crate::callers::Callers;
use crate::discovery_file::{self, DiscoveryFile};
use crate::disk::Disk;
use crate::failure_log::FailureLog;
use crate::identities::Identities;
use crate::resolver::Resolver;
use crate::source::ExtensionSource;
use crate::time::Time;
use crate::{Backend, Endpoint, Forwarding, Serving as Tokens};

/// How often the heartbeat is given. An agent calls a handler unresponsive whose last one is 600 s old.
const BEAT: Duration = Duration::from_secs(60);
/// How long what is in flight may take after the end was asked for.
const GRACE: Duration = Duration::from_secs(5);
/// Where everyone can read the address, below the root.
const READABLE: &str = "run/symbolon";
/// How many connections there may be at once.
const MAX_CONNECTIONS: usize = 256;

/// Serves until SIGTERM or SIGINT. `told` hears once whether it came to that.
pub async fn serve(place: &Place, port: u16, launch: String, time: &Time, told: impl FnOnce(&Report)) {
    match Serving::start(place, port, launch, time).await {
        Ok(serving) => {
            let ready = Ready { port: serving.port };
            tracing::info!(port = serving.port, "{}", serving.told);
            told(&Ok(ready));
            serving.run(time).await;
            tracing::info!("the endpoint process ends");
        }
        Err(failure) => {
            tracing::error!(code = u8::from(failure.code), why = failure.message, "no token can be served");
            told(&Err(failure));
        }
    }
}

/// An endpoint that serves.
struct Serving {
    port: u16,
    /// What it does, for people.
    told: String,
    shutdown: Shutdown,
    listeners: JoinSet<()>,
    discovery: Vec<DiscoveryFile>,
    heartbeat: Heartbeat,
    callers: Arc<Callers>,
    place: Place,
    end: [tokio::signal::unix::Signal; 2],
    /// Let go last: until then no other process may take this one's place.
    held: endpoint_file::Held,
}

impl Serving {
    async fn start(place: &Place, port: u16, launch: String, time: &Time) -> Result<Self, Failure> {
        let process = |why: io::Error| Failure::of(Code::Endpoint, &why);
        let end = [SignalKind::terminate(), SignalKind::interrupt()].map(signal);
        let [terminate, interrupt] = end;
        let end = [terminate.map_err(process)?, interrupt.map_err(process)?];
        let state = State::of(&place.root);
        state.open()?;
        let this = Running { process: Process::this().map_err(process)?, port, launch };
        let held = endpoint_file::hold(&state.endpoint(), &this)?;
        let forward_to = state.forward_to()?;
        let backend = backend(place, &state, forward_to, time)?;
        let listeners = listen::bind::bind_localhost(port).map_err(|why| refused(&why))?;
        let disk = Disk::new(&place.root);
        let discovery = discover(&disk, place, port)?;
        let clock = time.clock();
        let log = FailureLog::new(place.logs.clone(), clock.clone());
        let callers = Arc::new(Callers::new(clock.clone()));
        let hosts = AllowedHosts::extension(port, []);
        let endpoint = Endpoint::new(backend, Throttle::off(), hosts, log, Arc::clone(&callers));
        let heartbeat = Heartbeat::new(place.heartbeat.clone());
        let told = told(port, forward_to);
        heartbeat.ready(&told);
        let (shutdown, mut tasks) = (Shutdown::default(), JoinSet::new());
        let config = listen::Config { max_connections: MAX_CONNECTIONS, grace: GRACE, ..crate::listener_config() };
        for listener in listeners {
            tasks.spawn(listen::serve(listener, endpoint.clone(), config.clone(), shutdown.ending()));
        }
        Ok(Self {
            port,
            told,
            shutdown,
            listeners: tasks,
            discovery,
            heartbeat,
            callers,
            place: place.clone(),
            end,
            held,
        })
    }

    async fn run(self, time: &Time) {
        let Self { port: _, told, shutdown, mut listeners, discovery, heartbeat, callers, place, mut end, held } = self;
        let [terminate, interrupt] = &mut end;
        loop {
            tokio::select! {
                biased;
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                () = time.pause(BEAT) => {
                    heartbeat.ready(&told);
                    tell(&place, &callers, time).await;
                }
            }
        }
        // Whoever looks for the endpoint finds none from now on; whoever has found it still gets an answer.
        drop(discovery);
        shutdown.end();
        while let Some(ended) = listeners.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a listener ended badly");
            }
        }
        tell(&place, &callers, time).await;
        heartbeat.not_ready("The endpoint was stopped");
        drop(held);
    }
}

/// Where answers come from.
fn backend(place: &Place, state: &State, forward_to: Option<SocketAddr>, time: &Time) -> Result<Backend, Failure> {
    if let Some(imds) = forward_to {
        return Ok(Backend::Forwarding(Forwarding::to(imds)));
    }
    let names = Arc::new(Resolver::new(&place.root));
    let authority = authority::client(&state.authority()?, names)?;
    let identities = Arc::new(Identities::open(Disk::new(&place.root)));
    let clock = time.clock();
    let source = ExtensionSource::new(authority, identities.clone(), clock.clone());
    let broker = Broker::new(Arc::new(source), clock.clone(), Freshness::default(), Counters::register("extension"));
    Ok(Backend::Serving(Arc::new(Tokens::new(identities, broker))))
}

/// Tells who called. What can't be told now is told with the next.
async fn tell(place: &Place, callers: &Callers, time: &Time) {
    if let Err(error) = super::callers::tell(place, callers, time).await {
        tracing::error!(error = &error as &dyn std::error::Error, "it can't be told who called");
    }
}

/// Where tokens are, and from whom, for people.
pub(super) fn told(port: u16, forward_to: Option<SocketAddr>) -> String {
    let url = format!("http://localhost:{port}/oauth2/token");
    match forward_to {
        None => format!("Tokens are served at {url}"),
        Some(imds) => format!("Requests at {url} are forwarded to the metadata service at {imds}"),
    }
}

/// The files in which callers find the address: where the original had its own, in a folder that is closed to all but
/// root where an agent runs as a daemon, and where everyone can read it.
fn discover(disk: &Disk, place: &Place, port: u16) -> Result<Vec<DiscoveryFile>, Failure> {
    discovery_file::recall_copy(disk)?;
    let mut files = vec![DiscoveryFile::write(disk, None, port)?];
    match DiscoveryFile::write_copy(disk, &place.root.join(READABLE), None, port) {
        Ok(copy) => files.push(copy),
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the address isn't told where everyone can read it"
            );
        }
    }
    Ok(files)
}

fn refused(error: &BindError) -> Failure {
    let taken = error.why.kind() == io::ErrorKind::AddrInUse;
    Failure::of(if taken { Code::PortTaken } else { Code::PortRefused }, error)
}
