//! The extension's endpoint over a real socket, with a disk of its own.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "what a test looks for is there"
)]

#[cfg(feature = "program")]
mod agent;
mod credentials;
mod forwarding;
#[cfg(feature = "program")]
mod handler;
mod refusals;
mod token;
#[cfg(feature = "program")]
mod unit;

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use broker::credential::NewCredential;
use broker::http::AuthorityClient;
use broker::throttle::Throttle;
use broker::{Broker, Counters, Freshness, TokenSource};
use contract::gate::AllowedHosts;
use domain::{ManualClock, Timestamp};
use guest::callers::Callers;
use guest::disk::Disk;
use guest::failure_log::FailureLog;
use guest::identities::Identities;
use guest::source::ExtensionSource;
use guest::{Backend, Endpoint, Serving};
use listen::{Shutdown, bind, serve};
use testkit::fixtures;
use testkit::raw::{RawAnswer, exchange};
use testkit::source::StubSource;
use zeroize::Zeroizing;

struct World {
    clock: ManualClock,
    source: StubSource,
    disk: Disk,
    endpoint: Endpoint,
    callers: Arc<Callers>,
    address: SocketAddr,
    _folder: tempfile::TempDir,
    _shutdown: Shutdown,
}

impl World {
    /// A guest with credentials for these identities of the fixtures' VM.
    fn new(identities: &[usize]) -> Self {
        Self::start(identities, |_| Throttle::off(), None)
    }

    /// The same with an authority across the network in the place of the source.
    fn with_authority(identities: &[usize], authority: AuthorityClient) -> Self {
        Self::start(identities, |_| Throttle::off(), Some(authority))
    }

    /// The same with Azure's limits.
    fn throttled(identities: &[usize]) -> Self {
        Self::start(identities, |clock| Throttle::faithful(Arc::new(clock.clone())), None)
    }

    fn start(
        identities: &[usize],
        throttle: impl FnOnce(&ManualClock) -> Throttle,
        authority: Option<AuthorityClient>,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let disk = Disk::new(folder.path());
        for number in identities {
            disk.place(&credential(*number)).expect("placed");
        }
        let clock = fixtures::clock();
        let source = StubSource::new(clock.clone());
        let counters = Counters::register("test");
        let identities = Arc::new(Identities::open(disk.clone()));
        let asked: Arc<dyn TokenSource> = match authority {
            None => Arc::new(source.clone()),
            Some(authority) => Arc::new(ExtensionSource::new(authority, identities.clone(), Arc::new(clock.clone()))),
        };
        let broker = Broker::new(asked, Arc::new(clock.clone()), Freshness::default(), counters);
        let listener = bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let hosts = AllowedHosts::extension(address.port(), []);
        let log = FailureLog::new(disk.log_folder(), Arc::new(clock.clone()));
        let callers = Arc::new(Callers::new(Arc::new(clock.clone())));
        let backend = Backend::Serving(Arc::new(Serving::new(identities, broker)));
        let endpoint = Endpoint::new(backend, throttle(&clock), hosts, log, Arc::clone(&callers));
        let shutdown = Shutdown::default();
        tokio::spawn(serve(listener, endpoint.clone(), guest::listener_config(), shutdown.ending()));
        Self { clock, source, disk, endpoint, callers, address, _folder: folder, _shutdown: shutdown }
    }

    async fn get(&self, target: &str) -> RawAnswer {
        self.send(&format!("GET {target} HTTP/1.1\r\n{}Metadata: true\r\n\r\n", self.host())).await
    }

    async fn post(&self, target: &str, form: &str) -> RawAnswer {
        let lines = "Metadata: true\r\nContent-Type: application/x-www-form-urlencoded\r\n";
        let length = form.len();
        let head = format!("POST {target} HTTP/1.1\r\n{}{lines}Content-Length: {length}\r\n\r\n", self.host());
        self.send(&(head + form)).await
    }

    async fn send(&self, request: &str) -> RawAnswer {
        exchange(self.address, request).await.expect("an answer")
    }

    fn host(&self) -> String {
        format!("Host: localhost:{}\r\n", self.address.port())
    }
}

/// One key for all: making keys is slow.
fn key() -> &'static [u8] {
    static KEY: OnceLock<Vec<u8>> = OnceLock::new();
    KEY.get_or_init(|| {
        let key = KeyPair::generate(KeySize::Rsa2048).expect("a key");
        let der: Pkcs8V1Der<'_> = key.as_der().expect("a key");
        der.as_ref().to_vec()
    })
}

fn credential(number: usize) -> NewCredential {
    NewCredential {
        identity: fixtures::identity(number),
        vm: fixtures::vm_id(),
        certificate: vec![0],
        key: Zeroizing::new(key().to_vec()),
        not_after: Timestamp::from_unix(fixtures::NOW + 86_400),
    }
}
