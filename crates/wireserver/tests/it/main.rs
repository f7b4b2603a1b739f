//! The host of a guest agent over real sockets, with requests as raw bytes.
#![expect(clippy::expect_used, reason = "a test whose set-up fails has failed")]

mod extensions;
mod host_plugin;
mod machine;
mod refusals;
mod sinks;
mod throttle;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use contract::gate::AllowedHosts;
use contract::guest_agent::status_blob::StatusBlob;
use contract::guest_agent::{GoalState, WantedExtension, WantedState};
use listen::{Shutdown, bind, serve};
use tempfile::TempDir;
use testkit::raw::{RawAnswer, exchange};
use wireserver::{Clock, Host, HostError, PackageStore, WireServer, listener_config};

const CONTAINER: &str = "00000000-0000-0000-0000-00000000000c";
const INSTANCE: &str = "00000000-0000-0000-0000-00000000000d.vm1";
const EXTENSION: &str = "Microsoft.ManagedIdentity.ManagedIdentityExtensionForLinux";
const WIRE: &str = "x-ms-version: 2012-11-30\r\n";
const PLUGIN: &str = "x-ms-version: 2015-09-01\r\nx-ms-containerid: 00000000-0000-0000-0000-00000000000c\r\n";

/// What stands behind the protocol, and what it was told.
#[derive(Default)]
struct Machine {
    goal_state: Mutex<Option<GoalState>>,
    certificates: Mutex<Option<String>>,
    /// Whether the store is down.
    failing: Mutex<bool>,
    shown: Mutex<Vec<Vec<u8>>>,
    statuses: Mutex<Vec<StatusBlob>>,
    joined: Mutex<usize>,
}

impl Machine {
    fn works(&self) -> Result<(), HostError> {
        let failing = *self.failing.lock().expect("a lock");
        if failing { Err(HostError::Failed("the store is down: secret".into())) } else { Ok(()) }
    }
}

#[async_trait]
impl Host for Machine {
    async fn goal_state(&self) -> Result<Arc<GoalState>, HostError> {
        self.works()?;
        self.goal_state.lock().expect("a lock").clone().map(Arc::new).ok_or(HostError::Gone)
    }

    async fn certificates(&self, transport: &[u8]) -> Result<Option<String>, HostError> {
        self.works()?;
        self.shown.lock().expect("a lock").push(transport.to_vec());
        if transport == b"no certificate" {
            return Err(HostError::Certificate);
        }
        Ok(self.certificates.lock().expect("a lock").clone())
    }

    async fn status(&self, blob: StatusBlob) -> Result<(), HostError> {
        self.works()?;
        self.statuses.lock().expect("a lock").push(blob);
        Ok(())
    }

    async fn joined(&self) {
        *self.joined.lock().expect("a lock") += 1;
    }
}

/// One VM whose agent finds its host at two ports.
struct World {
    machine: Arc<Machine>,
    folder: TempDir,
    wire: SocketAddr,
    plugin: SocketAddr,
    _shutdown: Shutdown,
}

impl World {
    /// Each look at its clock is a second later than the one before: nobody asks too often.
    fn new() -> Self {
        let seconds = AtomicU64::new(0);
        Self::at(Arc::new(move || Duration::from_secs(seconds.fetch_add(1, Ordering::Relaxed))))
    }

    fn at(clock: Clock) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let packages = PackageStore::open_folder(folder.path()).expect("a folder");
        let listeners = [(); 2].map(|()| bind("127.0.0.1:0".parse().expect("an address")).expect("a free port"));
        let [wire, plugin] = [0, 1].map(|at: usize| listeners.get(at).and_then(|one| one.local_addr().ok()));
        let (wire, plugin) = wire.zip(plugin).expect("addresses");
        let machine = Arc::new(Machine::default());
        *machine.goal_state.lock().expect("a lock") = Some(goal_state(wire));
        let hosts = AllowedHosts::wire_server([wire, plugin], []);
        let service = WireServer::with_clock("vm1", machine.clone(), Arc::new(packages), hosts, clock);
        let shutdown = Shutdown::default();
        for listener in listeners {
            tokio::spawn(serve(listener, service.clone(), listener_config(), shutdown.ending()));
        }
        Self { machine, folder, wire, plugin, _shutdown: shutdown }
    }

    fn package(&self, name: &str, version: &str, text: &str) {
        std::fs::write(self.folder.path().join(format!("{name}-{version}.zip")), text).expect("a package");
    }

    async fn get(&self, target: &str, lines: &str) -> RawAnswer {
        self.send("GET", target, lines, "").await
    }

    /// To the WireServer's port.
    async fn send(&self, method: &str, target: &str, lines: &str, body: &str) -> RawAnswer {
        send(self.wire, method, target, lines, body).await
    }

    /// To the HostGAPlugin's.
    async fn ask_plugin(&self, method: &str, target: &str, lines: &str, body: &str) -> RawAnswer {
        send(self.plugin, method, target, lines, body).await
    }
}

async fn send(to: SocketAddr, method: &str, target: &str, lines: &str, body: &str) -> RawAnswer {
    let length = if method == "GET" { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    let request = format!("{method} {target} HTTP/1.1\r\nHost: {to}\r\n{lines}{length}\r\n{body}");
    exchange(to, request).await.expect("an answer")
}

fn goal_state(wire: SocketAddr) -> GoalState {
    let base_url = format!("http://{wire}");
    GoalState {
        incarnation: 7,
        etag: "70007".to_owned(),
        ticks: 639_000_000_000_000_007,
        activity_id: "00000000-0000-0000-0000-00000000000a".to_owned(),
        container_id: CONTAINER.to_owned(),
        deployment_id: "00000000-0000-0000-0000-00000000000d".to_owned(),
        vm_name: "vm1".to_owned(),
        vm_id: "00000000-0000-0000-0000-000000000001".to_owned(),
        subscription_id: "00000000-0000-0000-0000-000000000002".to_owned(),
        resource_group: "rg1".to_owned(),
        location: "westus".to_owned(),
        vm_size: "Standard_B1s".to_owned(),
        extensions: vec![WantedExtension {
            name: EXTENSION.to_owned(),
            version: "1.0.0.0".to_owned(),
            manifest_url: format!("{base_url}/extensions/{EXTENSION}/manifest.xml"),
            state: WantedState::Enabled,
            auto_upgrade: true,
            sequence: 3,
            settings: Some("{\"port\":50342}".to_owned()),
            protected: None,
        }],
        status_blob_url: format!("{base_url}/status/{CONTAINER}?sr=b"),
        base_url,
        has_certificates: true,
    }
}
