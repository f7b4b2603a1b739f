//! The metadata service over a real socket, with requests as raw bytes and a clock that moves when told.
#![expect(clippy::expect_used, reason = "a test whose set-up fails has failed")]

mod attachments;
mod controls;
mod documents;
mod identity_info;
mod probes;
mod refusals;
mod selection;
mod source;
mod token;
mod withdrawal;

use std::net::SocketAddr;
use std::sync::Arc;

use broker::throttle::Throttle;
use broker::{Broker, Counters, Freshness};
use contract::gate::AllowedHosts;
use domain::{ManualClock, VmSnapshot};
use imds::{ControlPlane, MetadataService, Vm};
use listen::{Shutdown, bind, serve};
use testkit::fixtures;
use testkit::raw::{RawAnswer, exchange};
use testkit::source::StubSource;

const TOKEN: &str = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=r";

struct World {
    clock: ManualClock,
    source: StubSource,
    broker: Broker,
    vm: Arc<Vm>,
    address: SocketAddr,
    _shutdown: Shutdown,
}

impl World {
    fn new(snapshot: VmSnapshot) -> Self {
        Self::start(snapshot, |_| Throttle::off(), None)
    }

    fn hosted(snapshot: VmSnapshot, host: Arc<dyn ControlPlane>) -> Self {
        Self::start(snapshot, |_| Throttle::off(), Some(host))
    }

    fn throttled(snapshot: VmSnapshot) -> Self {
        Self::start(snapshot, |clock| Throttle::faithful(Arc::new(clock.clone())), None)
    }

    fn start(
        snapshot: VmSnapshot,
        throttle: impl FnOnce(&ManualClock) -> Throttle,
        control_plane: Option<Arc<dyn ControlPlane>>,
    ) -> Self {
        let clock = fixtures::clock();
        let source = StubSource::new(clock.clone());
        let counters = Counters::register("test");
        let broker = Broker::new(Arc::new(source.clone()), Arc::new(clock.clone()), Freshness::default(), counters);
        let vm = Vm::new(snapshot, throttle(&clock));
        let vm = Arc::new(match control_plane {
            Some(control_plane) => vm.with_control_plane(control_plane),
            None => vm,
        });
        let listener = bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shutdown = Shutdown::default();
        let ending = shutdown.ending();
        let world = Self { clock, source, broker, vm, address, _shutdown: shutdown };
        tokio::spawn(serve(listener, world.service(address), imds::listener_config(), ending));
        world
    }

    /// The service of this world's VM for one more listener.
    fn service(&self, address: SocketAddr) -> MetadataService {
        let hosts = AllowedHosts::imds(address, [format!("localhost:{}", address.port())]);
        MetadataService::new(self.vm.clone(), self.broker.clone(), hosts, imds::Counters::register(), 7)
    }

    /// A GET as a sound client sends it.
    async fn get(&self, target: &str) -> RawAnswer {
        self.send(&format!("GET {target} HTTP/1.1\r\n{}Metadata: true\r\n\r\n", self.host())).await
    }

    async fn send(&self, request: &str) -> RawAnswer {
        exchange(self.address, request).await.expect("an answer")
    }

    fn host(&self) -> String {
        format!("Host: {}\r\n", self.address)
    }
}
