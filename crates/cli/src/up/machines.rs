//! The VMs of an `up`: which there are, where each one listens.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use domain::{Attachment, ResourceId, VirtualMachine, VmExtension};
use listen::BindError;
use tokio::net::TcpListener;

use crate::args::UpArgs;

/// Where the first VM's metadata service listens when nothing is said.
pub(crate) const FIRST: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 16_925);

/// How many addresses are tried for a VM before it gets none.
const TRIES: usize = 64;

/// A VM with its ports open.
pub(crate) struct Machine {
    pub(crate) vm: VirtualMachine,
    pub(crate) imds: TcpListener,
    pub(crate) imds_address: SocketAddr,
    /// The port that was asked for; that of 0 is a free one.
    pub(crate) port: u16,
    /// The VM's own address, where that isn't localhost.
    pub(crate) own: Option<IpAddr>,
    /// The port of its extension, and which one that is.
    pub(crate) extension: Option<(ResourceId, ExtensionPort)>,
}

impl Machine {
    /// How many listeners it has.
    pub(crate) fn listeners(&self) -> usize {
        1 + self.extension.as_ref().map_or(0, |(_, port)| port.listeners.len())
    }
}

/// The open port of a VM's extension.
pub(crate) struct ExtensionPort {
    pub(crate) listeners: Vec<TcpListener>,
    pub(crate) port: u16,
    /// The VM's own address, where that isn't localhost.
    pub(crate) own: Option<IpAddr>,
}

/// Why a VM's ports can't be opened. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MachineError {
    #[error(
        "VM '{vm}': its {what} can't be opened; stop what holds the address, or say another one{}",
        advice.map(|option| format!(" with {option}")).unwrap_or_default()
    )]
    Bind {
        vm: String,
        what: &'static str,
        advice: Option<&'static str>,
        #[source]
        why: BindError,
    },
    #[error("VM '{vm}': {address} would hand out tokens to everyone who can reach this machine; name one address")]
    AllInterfaces { vm: String, address: SocketAddr },
    #[error(
        "--extension-port speaks of the first VM, and '{vm}' has no extension; give it one in the seed, or leave the \
         option out"
    )]
    NoExtension { vm: String },
    #[error("VM '{vm}'")]
    Settings {
        vm: String,
        #[source]
        why: contract::extension::InvalidSettings,
    },
}

/// Opens the ports of every VM, in their order. The first VM is the one that the options speak of; each
/// further one without an address of its own gets one in 127.0.1.0/24 and up.
pub(crate) fn open(
    machines: Vec<(VirtualMachine, Option<VmExtension>)>,
    args: &UpArgs,
) -> Result<Vec<Machine>, MachineError> {
    let mut opened = Vec::with_capacity(machines.len());
    let mut port = None;
    for (number, (vm, extension)) in machines.into_iter().enumerate() {
        let first = number == 0;
        let listen = vm.attachment.map(|Attachment::Listen(address)| address);
        let wanted = match (first, args.imds) {
            (true, Some(address)) => address,
            (true, None) => listen.unwrap_or(FIRST),
            (false, _) => listen.unwrap_or_else(|| own_address(number, port.unwrap_or(FIRST.port()))),
        };
        port.get_or_insert(wanted.port());
        if wanted.ip().is_unspecified() {
            return Err(MachineError::AllInterfaces { vm: vm.name, address: wanted });
        }
        let failed = |what, advice, why| MachineError::Bind { vm: vm.name.clone(), what, advice, why };
        let advice = first.then_some("--imds");
        let imds = listen::bind(wanted).map_err(|why| failed("metadata service", advice, why))?;
        let imds_address = imds.local_addr().unwrap_or(wanted);
        let own = own(first, imds_address.ip());
        // 0 isn't about the first alone: it takes free ports wherever there is an extension.
        if first && extension.is_none() && args.extension_port.is_some_and(|port| port != 0) {
            return Err(MachineError::NoExtension { vm: vm.name });
        }
        let extension = match extension.filter(|_| !args.no_extension) {
            None => None,
            Some(extension) => Some((extension.id.clone(), open_extension(&vm, &extension, first, own, args)?)),
        };
        opened.push(Machine { vm, imds, imds_address, port: wanted.port(), own, extension });
    }
    Ok(opened)
}

fn open_extension(
    vm: &VirtualMachine,
    extension: &VmExtension,
    first: bool,
    own: Option<IpAddr>,
    args: &UpArgs,
) -> Result<ExtensionPort, MachineError> {
    let settings = contract::extension::Settings::parse(extension.spec.settings.as_deref().unwrap_or_default())
        .map_err(|why| MachineError::Settings { vm: vm.name.clone(), why })?;
    let port = match args.extension_port {
        Some(port) if first || port == 0 => port,
        Some(_) | None => settings.port,
    };
    let advice = first.then_some("--extension-port or --no-extension");
    bind_extension(own, port).map_err(|why| MachineError::Bind {
        vm: vm.name.clone(),
        what: "extension's port",
        advice,
        why,
    })
}

/// Opens an extension's port: at the VM's own address, or at localhost.
pub(crate) fn bind_extension(own: Option<IpAddr>, port: u16) -> Result<ExtensionPort, BindError> {
    let listeners = match own {
        None => listen::bind_localhost(port),
        Some(own) => listen::bind(SocketAddr::new(own, port)).map(|listener| vec![listener]),
    }?;
    let bound = listeners.first().and_then(|listener| listener.local_addr().ok());
    Ok(ExtensionPort { port: bound.map_or(port, |address| address.port()), listeners, own })
}

/// Opens the metadata service of a VM that came while `up` runs: where it says, or at the first free address of its own.
pub(crate) fn free_address(
    listen: Option<SocketAddr>,
    number: usize,
    port: u16,
) -> Result<(TcpListener, SocketAddr, Option<IpAddr>), BindError> {
    let first = number.max(1);
    let wanted = listen.unwrap_or_else(|| own_address(first, port));
    let others = (first + 1..).take(if listen.is_some() { 0 } else { TRIES - 1 });
    let listener = listen::bind_first(wanted, others.map(|number| own_address(number, port)))?;
    let address = listener.local_addr().unwrap_or(wanted);
    Ok((listener, address, own(false, address.ip())))
}

/// What a VM is called: a machine of a scale set by the scale set's name and its number.
pub(crate) fn display_name(vm: &VirtualMachine) -> String {
    match &vm.instance {
        Some(instance) => format!("{}_{}", instance.scale_set.name(), instance.number),
        None => vm.name.clone(),
    }
}

/// The VM's own address, where that isn't localhost.
fn own(first: bool, address: IpAddr) -> Option<IpAddr> {
    (!first && address.is_loopback() && address != IpAddr::V4(Ipv4Addr::LOCALHOST)).then_some(address)
}

/// 127.0.1.1 and up.
fn own_address(number: usize, port: u16) -> SocketAddr {
    let number = u32::try_from(number).unwrap_or(u32::MAX);
    let base = u32::from(Ipv4Addr::new(127, 0, 1, 0));
    SocketAddr::new(IpAddr::V4(Ipv4Addr::from(base.saturating_add(number))), port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_vms_have_addresses_of_their_own() {
        assert_eq!(own_address(1, 80).to_string(), "127.0.1.1:80");
        assert_eq!(own_address(256, 80).to_string(), "127.0.2.0:80");
    }
}
