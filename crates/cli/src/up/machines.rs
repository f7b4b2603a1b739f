//! The VMs of an `up`: which there are, where each one listens.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use domain::{Attachment, VirtualMachine, VmExtension};
use listen::BindError;
use tokio::net::TcpListener;

use crate::args::UpArgs;

/// Where the first VM's metadata service listens when nothing is said.
const FIRST: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 16_925);

/// A VM with its ports open.
pub(crate) struct Machine {
    pub(crate) vm: VirtualMachine,
    pub(crate) imds: TcpListener,
    pub(crate) imds_address: SocketAddr,
    pub(crate) extension: Option<ExtensionPort>,
}

impl Machine {
    /// How many listeners it has.
    pub(crate) fn listeners(&self) -> usize {
        1 + self.extension.as_ref().map_or(0, |port| port.listeners.len())
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
        let extension = match extension.filter(|_| !args.no_extension) {
            None => None,
            Some(extension) => Some(open_extension(&vm, &extension, first, imds_address.ip(), args)?),
        };
        opened.push(Machine { vm, imds, imds_address, extension });
    }
    Ok(opened)
}

fn open_extension(
    vm: &VirtualMachine,
    extension: &VmExtension,
    first: bool,
    address: IpAddr,
    args: &UpArgs,
) -> Result<ExtensionPort, MachineError> {
    let settings = contract::extension::Settings::parse(&extension.settings)
        .map_err(|why| MachineError::Settings { vm: vm.name.clone(), why })?;
    let port = match args.extension_port {
        Some(port) if first || port == 0 => port,
        Some(_) | None => settings.port,
    };
    let own = (!first && address.is_loopback() && address != IpAddr::V4(Ipv4Addr::LOCALHOST)).then_some(address);
    let listeners = match own {
        None => listen::bind_localhost(port),
        Some(own) => listen::bind(SocketAddr::new(own, port)).map(|listener| vec![listener]),
    };
    let advice = first.then_some("--extension-port or --no-extension");
    let listeners =
        listeners.map_err(|why| MachineError::Bind { vm: vm.name.clone(), what: "extension's port", advice, why })?;
    let bound = listeners.first().and_then(|listener| listener.local_addr().ok());
    Ok(ExtensionPort { port: bound.map_or(port, |address| address.port()), listeners, own })
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
