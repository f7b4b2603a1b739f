//! What guest agents find at this host: `--wireserver`.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use async_trait::async_trait;
use contract::gate::AllowedHosts;
use contract::guest_agent::status_blob::StatusBlob;
use contract::guest_agent::{GoalState, HOST_PLUGIN_PORT, WIRE_ADDRESS};
use control::goal_state::{GoalStateError, GoalStates, Versions};
use domain::{ResourceId, Scope};
use listen::Room;
use store::{Handle, Page, ReadTx};
use tokio::net::TcpListener;
use wireserver::{Host, HostError, PackageStore, WireServer};

use super::instance::InstanceWireServer;
use super::machines::display_name;
use super::outside::Outside;
use super::stage::Stage;

/// A VM and where its agent finds its host, `[vm=NAME,][dev=DEVICE,]ADDR`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WireAddress {
    /// The VM, by name or resource id; the first without.
    vm: Option<String>,
    /// The network device that leads to the VM.
    device: Option<String>,
    ip: IpAddr,
    /// One port for everything, in place of the two that agents look for.
    port: Option<u16>,
}

impl FromStr for WireAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (mut vm, mut device, mut address) = (None, None, text);
        while let Some((named, rest)) = address.split_once(',') {
            match named.split_once('=') {
                Some(("vm", name)) if !name.is_empty() && vm.is_none() => vm = Some(name.to_owned()),
                Some(("dev", name)) if !name.is_empty() && device.is_none() => device = Some(name.to_owned()),
                Some(_) | None => {
                    return Err(format!("'{named}' isn't known; write it as vm=NAME,dev=DEVICE,ADDRESS"));
                }
            }
            address = rest;
        }
        let with_port = address.parse::<SocketAddr>().map(|address| (address.ip(), Some(address.port())));
        let (ip, port) = with_port.or_else(|_| address.parse().map(|ip| (ip, None))).map_err(|_| {
            format!("'{address}' is not an address; write {WIRE_ADDRESS} (ports 80 and 32526) or one with a port")
        })?;
        if ip.is_unspecified() {
            return Err(format!("'{ip}' is every address of this machine; name the one that the VM reaches"));
        }
        Ok(Self { vm, device, ip, port })
    }
}

/// Open ports of a VM's host.
pub(crate) struct OpenWireServer {
    vm: Option<String>,
    listeners: Vec<TcpListener>,
    told: InstanceWireServer,
    hosts: AllowedHosts,
}

impl OpenWireServer {
    /// Opens the ports.
    ///
    /// # Errors
    /// When one can't be opened.
    pub(crate) fn open(wanted: &WireAddress) -> anyhow::Result<Self> {
        let ports = match wanted.port {
            Some(port) => vec![port],
            None => vec![80, HOST_PLUGIN_PORT],
        };
        let mut listeners = Vec::new();
        for port in ports {
            let address = SocketAddr::new(wanted.ip, port);
            let bound = match &wanted.device {
                Some(device) => listen::bind_to_device(address, device),
                None => listen::bind(address),
            };
            listeners.push(bound.with_context(|| format!("--wireserver: {address}"))?);
        }
        let addresses = listeners.iter().map(TcpListener::local_addr).collect::<Result<Vec<_>, _>>()?;
        let (first, last) = addresses.first().zip(addresses.last()).context("no address")?;
        let told = InstanceWireServer {
            vm: wanted.vm.clone(),
            wire: format!("http://{first}"),
            host_plugin: format!("http://{last}"),
        };
        Ok(Self { vm: wanted.vm.clone(), listeners, told, hosts: AllowedHosts::wire_server(addresses.clone(), []) })
    }

    /// How many sockets it listens on.
    pub(crate) fn listeners(&self) -> usize {
        self.listeners.len()
    }

    /// Which VM it is for; the first without.
    pub(crate) fn vm(&self) -> Option<&str> {
        self.vm.as_deref()
    }

    /// What is told of it.
    pub(crate) fn told(&self) -> InstanceWireServer {
        self.told.clone()
    }

    /// Serves; `name` is the VM's.
    pub(crate) fn serve(self, name: String, of: &Served, room: &Room, stage: &mut Stage) {
        let host = VmHost {
            name: name.clone(),
            vm: Mutex::new(None),
            base_url: self.told.wire,
            store: of.store.clone(),
            goal_states: Arc::clone(&of.goal_states),
            outside: Arc::clone(&of.outside),
        };
        let server = WireServer::new(name, Arc::new(host), Arc::clone(&of.packages), self.hosts);
        for listener in self.listeners {
            let (server, config) =
                (server.clone(), listen::Config { room: room.clone(), ..wireserver::listener_config() });
            stage.run(|ending| listen::serve(listener, server, config, ending));
        }
    }
}

/// What all of them have in common.
pub(crate) struct Served {
    pub(crate) store: Handle,
    pub(crate) goal_states: Arc<GoalStates>,
    pub(crate) outside: Arc<Outside>,
    pub(crate) packages: Arc<PackageStore>,
}

/// The VMs of these whose agents asked in an earlier run: they are those agents' from the start. `first` is the first VM.
///
/// # Errors
/// When the store fails.
pub(crate) async fn remembered(
    store: &Handle,
    wanted: &[WireAddress],
    first: Option<&ResourceId>,
) -> Result<Arc<Outside>, store::Error> {
    let outside = Arc::new(Outside::default());
    for address in wanted {
        let name = address.vm.clone().or_else(|| first.map(ToString::to_string)).unwrap_or_default();
        let found = store.read(move |tx| {
            let Some(vm) = find(tx, &name)? else { return Ok(None) };
            Ok::<_, store::Error>(tx.goal_state(&vm)?.map(|_| vm))
        });
        if let Some(vm) = found.await? {
            outside.join(&vm);
        }
    }
    Ok(outside)
}

/// The packages of extensions in a folder, which is made when it isn't there.
///
/// # Errors
/// When the folder can't be made or read.
pub(crate) fn packages(folder: &Path) -> anyhow::Result<Arc<PackageStore>> {
    let failed = || format!("the packages' folder {} can't be used", folder.display());
    std::fs::create_dir_all(folder).with_context(failed)?;
    Ok(Arc::new(PackageStore::open_folder(folder).with_context(failed)?))
}

/// The versions of the packages that there are.
pub(crate) struct Packaged(pub(crate) Arc<PackageStore>);

impl Versions for Packaged {
    fn of(&self, handler: &str) -> io::Result<Vec<String>> {
        self.0.versions(handler)
    }
}

/// One VM's host.
struct VmHost {
    name: String,
    /// The VM, once it was found.
    vm: Mutex<Option<ResourceId>>,
    base_url: String,
    store: Handle,
    goal_states: Arc<GoalStates>,
    outside: Arc<Outside>,
}

impl VmHost {
    /// The VM: it may not be there yet. Once found it is the one of that id, and no other of its name.
    async fn vm(&self) -> Result<ResourceId, HostError> {
        let known = self.vm.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known {
            return Ok(known);
        }
        let name = self.name.clone();
        let found = self.store.read(move |tx| find(tx, &name)).await.map_err(|why| HostError::Failed(why.into()))?;
        let found = found.ok_or(HostError::Gone)?;
        *self.vm.lock().unwrap_or_else(PoisonError::into_inner) = Some(found.clone());
        Ok(found)
    }

    fn failed(&self, why: GoalStateError) -> HostError {
        match why {
            GoalStateError::Gone | GoalStateError::Off => HostError::Gone,
            GoalStateError::Certificate => HostError::Certificate,
            GoalStateError::Again => HostError::Failed(why.into()),
            GoalStateError::Store(_) | GoalStateError::Credential(_) | GoalStateError::Failed { .. } => {
                tracing::error!(vm = self.name, error = &why as &dyn std::error::Error, "an agent isn't answered");
                HostError::Failed(why.into())
            }
        }
    }
}

#[async_trait]
impl Host for VmHost {
    async fn goal_state(&self) -> Result<Arc<GoalState>, HostError> {
        let vm = self.vm().await?;
        self.goal_states.current(&vm, &self.base_url).await.map_err(|why| self.failed(why))
    }

    async fn certificates(&self, transport_certificate_der: &[u8]) -> Result<Option<String>, HostError> {
        let vm = self.vm().await?;
        self.goal_states.certificates(&vm, transport_certificate_der).await.map_err(|why| self.failed(why))
    }

    async fn status(&self, blob: StatusBlob) -> Result<(), HostError> {
        let vm = self.vm().await?;
        self.goal_states.status(&vm, &blob).await.map_err(|why| self.failed(why))
    }

    async fn joined(&self) {
        if let Ok(vm) = self.vm().await {
            self.outside.join(&vm);
        }
    }
}

/// A VM or a scale set's machine by resource id, or by a name that only it has.
pub(crate) fn find(tx: &dyn ReadTx, name: &str) -> Result<Option<ResourceId>, store::Error> {
    if let Ok(id) = ResourceId::parse(name) {
        return Ok(tx.virtual_machine(&id)?.map(|found| found.id));
    }
    let is_it = |vm: &domain::VirtualMachine| display_name(vm).eq_ignore_ascii_case(name);
    let mut found = tx.virtual_machines(&Scope::Root, &Page::ALL)?;
    for scale_set in tx.scale_sets(&Scope::Root, &Page::ALL)? {
        found.extend(tx.virtual_machines_of_scale_set(&scale_set.id)?);
    }
    found.retain(is_it);
    match <[_; 1]>::try_from(found) {
        Ok([one]) => Ok(Some(one.id)),
        Err(none) if none.is_empty() => Ok(None),
        Err(several) => {
            tracing::error!(
                name,
                several = several.len(),
                "--wireserver: several VMs have this name; say which by its id"
            );
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_they_are_written() {
        let read = |text: &str| text.parse::<WireAddress>();
        let bare = WireAddress { vm: None, device: None, ip: WIRE_ADDRESS.parse().unwrap(), port: None };
        assert_eq!(read(WIRE_ADDRESS), Ok(bare));
        let ip = "127.0.0.1".parse().unwrap();
        let named = WireAddress { vm: Some("a".to_owned()), device: Some("tap0".to_owned()), ip, port: Some(0) };
        assert_eq!(read("vm=a,dev=tap0,127.0.0.1:0"), Ok(named.clone()));
        assert_eq!(read("dev=tap0,vm=a,127.0.0.1:0"), Ok(named));
        for wrong in [
            "",
            "vm=a",
            "vm=,127.0.0.1",
            "localhost",
            "0.0.0.0",
            "vm=a,[::]:80",
            "vm=a,vm=b,127.0.0.1",
            "x=a,127.0.0.1",
            "dev=,127.0.0.1",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
