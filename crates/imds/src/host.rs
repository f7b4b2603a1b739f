//! What the metadata services of a host's VMs have in common.

use std::sync::{Arc, OnceLock};

use broker::Broker;
use contract::gate::AllowedHosts;
use domain::{Attachment, Reachable};
use listen::{Devices, Endpoint, EndpointError, Listener, Opener, Room, Tcp, UnixSocket};
use playbook::Faulty;
use uuid::Uuid;

use crate::faults::{Faults, Served, front};
use crate::shared::Shared;
use crate::{Counters, MetadataService, Vm, listener_config};

/// A host of VMs. Cheap to clone.
#[derive(Clone)]
pub struct Host {
    broker: Broker,
    room: Room,
    connections: usize,
    pub(crate) opener: Opener,
    /// Watched from the first VM on that has a device.
    devices: Arc<OnceLock<Devices>>,
    pub(crate) shared: Shared,
    counters: Counters,
    faults: Option<Faults>,
}

impl Host {
    /// A host whose listeners share a room. Each VM has at most so many connections at once. `opener` opens the listeners.
    #[must_use]
    pub fn new(broker: Broker, room: Room, connections: usize, opener: Opener) -> Self {
        let (devices, shared, counters) = (Arc::default(), Shared::default(), Counters::register());
        Self { broker, room, connections, opener, devices, shared, counters, faults: None }
    }

    /// With faults that may be ordered.
    #[must_use]
    pub fn with_faults(self, faults: Faults) -> Self {
        Self { faults: Some(faults), ..self }
    }

    pub(crate) async fn open(&self, attachment: &Attachment) -> Result<Listener, EndpointError> {
        self.opener.open(&endpoint(attachment)).await
    }

    pub(crate) fn devices(&self) -> &Devices {
        self.devices.get_or_init(Devices::watch)
    }

    pub(crate) fn service(&self, vm: Arc<Vm>, hosts: AllowedHosts) -> Served {
        let seed = Uuid::new_v4().as_u64_pair().0;
        let front = front(self.faults.as_ref(), &vm, hosts.clone());
        Faulty::new(MetadataService::new(vm, self.broker.clone(), hosts, self.counters.clone(), seed), front)
    }

    pub(crate) fn config(&self) -> listen::Config {
        listen::Config { room: self.room.clone(), max_connections: self.connections, ..listener_config() }
    }

    /// The places of a VM that shares its listener with others.
    pub(crate) fn share(&self) -> listen::Share {
        self.room.share(self.connections)
    }
}

/// Listens for a VM, where that can be done at once: at an address, or a Unix socket. A device or namespace may come later,
/// and what several VMs share is opened for the first of them.
///
/// # Errors
/// When the system refuses.
pub async fn open_now(opener: &Opener, attachment: &Attachment) -> Result<Option<Listener>, EndpointError> {
    match attachment {
        Attachment::Listen(_) | Attachment::Unix { .. } => opener.open(&endpoint(attachment)).await.map(Some),
        Attachment::Device { .. }
        | Attachment::Namespace { .. }
        | Attachment::Source { .. }
        | Attachment::Vsock { .. } => Ok(None),
    }
}

/// Where the VM of an attachment finds its metadata service.
pub(crate) fn endpoint(attachment: &Attachment) -> Endpoint {
    // Those who share a listener find it by this, however each wrote its address.
    let tcp = |at: &Reachable| Tcp { hop_limit: at.hop_limit, ..Tcp::at(at.canonical()) };
    match attachment {
        Attachment::Listen(address) => Endpoint::Tcp(Tcp::at(*address)),
        Attachment::Device { device, at } => Endpoint::Tcp(Tcp { device: Some(device.clone()), ..tcp(at) }),
        Attachment::Namespace { namespace, at } => Endpoint::Tcp(Tcp { namespace: Some(namespace.clone()), ..tcp(at) }),
        Attachment::Source { at, .. } => Endpoint::Tcp(tcp(at)),
        Attachment::Unix { path, group } => Endpoint::Unix(UnixSocket { path: path.clone(), group: *group }),
        Attachment::Vsock { port, .. } => Endpoint::Vsock(*port),
    }
}

/// The names that the VM of an attachment may call its metadata service by.
pub(crate) fn hosts(attachment: &Attachment) -> AllowedHosts {
    use std::net::{IpAddr, Ipv4Addr};
    match attachment {
        Attachment::Listen(address) if address.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST) => {
            AllowedHosts::imds(*address, [format!("localhost:{}", address.port())])
        }
        Attachment::Listen(address) => AllowedHosts::imds(*address, []),
        Attachment::Device { at, .. } | Attachment::Namespace { at, .. } | Attachment::Source { at, .. } => {
            AllowedHosts::imds(at.canonical(), [at.address.to_string()])
        }
        Attachment::Unix { .. } | Attachment::Vsock { .. } => AllowedHosts::imds_socket(),
    }
}
