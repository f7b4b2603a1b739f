//! The metadata service of one VM, while it is open.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use broker::Broker;
use contract::gate::AllowedHosts;
use imds::{MetadataService, Vm};
use listen::Room;
use playbook::Faulty;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinError;
use uuid::Uuid;

use super::faults::Faults;
use super::stage::Stage;

/// An open metadata service.
pub(crate) struct OpenService {
    stage: Stage,
    /// Fails once the address is free.
    closed: oneshot::Receiver<Infallible>,
}

impl OpenService {
    /// Serves a VM at an address that is listened on.
    pub(crate) fn start(
        vm: Arc<Vm>,
        listener: TcpListener,
        address: SocketAddr,
        broker: Broker,
        faults: &Faults,
        room: Room,
    ) -> Self {
        let hosts = AllowedHosts::imds(address, local_names(address));
        let front = faults.before_imds(vm.snapshot().id.clone(), hosts.clone());
        let seed = Uuid::new_v4().as_u64_pair().0;
        let service = MetadataService::new(vm, broker, hosts, imds::Counters::register(), seed);
        let service = Faulty::new(service, front);
        let config = listen::Config { room, ..imds::listener_config() };
        let (mut stage, (open, closed)) = (Stage::default(), oneshot::channel());
        stage.run(async move |ending| {
            let in_flight = listen::serve_until_asked(listener, service, config, ending).await;
            drop(open);
            in_flight.done().await;
        });
        Self { stage, closed }
    }

    /// Asks it to end, at once; what comes back waits until what is in flight is done.
    pub(crate) fn end(self) -> impl Future<Output = Result<(), JoinError>> + Send + 'static {
        self.stage.end()
    }

    /// Closes it. Nobody is answered there any more when this returns; what comes back waits until what is in flight is
    /// done.
    pub(crate) async fn close(self) -> impl Future<Output = Result<(), JoinError>> + Send + 'static {
        let ended = self.stage.end();
        drop(self.closed.await);
        ended
    }
}

fn local_names(address: SocketAddr) -> Vec<String> {
    let localhost = address.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST);
    if localhost { vec![format!("localhost:{}", address.port())] } else { Vec::new() }
}
