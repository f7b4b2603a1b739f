//! The VMs of an `up`: which there are, where each one listens.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use domain::{Attachment, AttachmentError, ResourceId, VirtualMachine, VmExtension};
use listen::{BindError, EndpointError, Listener, Opener};
use tokio::net::TcpListener;

use crate::args::UpArgs;
use crate::attachment::Addresses;

/// Where the first VM's metadata service listens when nothing is said.
pub(crate) const FIRST: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 16_925);

/// How many addresses are tried for a VM before it gets none.
const TRIES: usize = 64;

/// A VM with its ports open.
pub(crate) struct Machine {
    pub(crate) vm: VirtualMachine,
    /// How it is recognised; where it listens with a port of 0, the one that was found.
    pub(crate) attachment: Attachment,
    /// Its metadata service's, where that could be opened already.
    pub(crate) imds: Option<Listener>,
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
        why: EndpointError,
    },
    #[error("VM '{vm}'")]
    Attachment {
        vm: String,
        #[source]
        why: AttachmentError,
    },
    #[error("VMs '{vm}' and '{other}' have the same {claim} and could not be told apart")]
    Shared { vm: String, other: String, claim: String },
    #[error("{0}")]
    Mixed(String),
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
/// further one without an attachment gets an address in 127.0.1.0/24 and up.
pub(crate) async fn open(
    machines: Vec<(VirtualMachine, Option<VmExtension>)>,
    args: &UpArgs,
    opener: &Opener,
) -> Result<Vec<Machine>, MachineError> {
    let mut opened: Vec<Machine> = Vec::with_capacity(machines.len());
    let mut port = None;
    let (mut claims, mut addresses) = (HashMap::new(), Addresses::default());
    for (number, (vm, extension)) in machines.into_iter().enumerate() {
        let first = number == 0;
        let wanted = match (first, args.imds) {
            (true, Some(address)) => Attachment::Listen(address),
            (true, None) => vm.attachment.clone().unwrap_or(Attachment::Listen(FIRST)),
            (false, _) => vm
                .attachment
                .clone()
                .unwrap_or_else(|| Attachment::Listen(own_address(number, port.unwrap_or(FIRST.port())))),
        };
        let port = *port.get_or_insert(listens_at(&wanted).unwrap_or(FIRST).port());
        wanted.check().map_err(|why| MachineError::Attachment { vm: vm.name.clone(), why })?;
        let advice = first.then_some("--imds");
        let (imds, attachment) = listen_for(wanted, opener).await.map_err(|why| MachineError::Bind {
            vm: vm.name.clone(),
            what: "metadata service",
            advice,
            why,
        })?;
        if let Some(other) = claims.insert(attachment.claim(), vm.name.clone()) {
            return Err(MachineError::Shared { vm: vm.name, other, claim: attachment.claim() });
        }
        addresses.share(&attachment, &vm.name).map_err(MachineError::Mixed)?;
        let own = own(number, &attachment);
        // 0 isn't about the first alone: it takes free ports wherever there is an extension.
        if first && extension.is_none() && args.extension_port.is_some_and(|port| port != 0) {
            return Err(MachineError::NoExtension { vm: vm.name });
        }
        let extension = match extension.filter(|_| !args.no_extension) {
            None => None,
            Some(extension) => Some((extension.id.clone(), open_extension(&vm, &extension, first, own, args)?)),
        };
        opened.push(Machine { vm, attachment, imds, port, own, extension });
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
        why: why.into(),
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
pub(crate) async fn open_later(
    attachment: Option<Attachment>,
    number: usize,
    port: u16,
    opener: &Opener,
) -> Result<(Option<Listener>, Attachment, Option<IpAddr>), EndpointError> {
    let number = number.max(1);
    let (listener, attachment) = match attachment {
        Some(attachment) => listen_for(attachment, opener).await?,
        None => {
            let others = (number + 1..).take(TRIES - 1).map(|number| own_address(number, port));
            let listener = listen::bind_first(own_address(number, port), others)?;
            let address = listener.local_addr().unwrap_or(own_address(number, port));
            (Some(listener.into()), Attachment::Listen(address))
        }
    };
    let own = own(number, &attachment);
    Ok((listener, attachment, own))
}

/// Listens for a VM where that can be done at once; a port of 0 becomes the one that was found.
async fn listen_for(wanted: Attachment, opener: &Opener) -> Result<(Option<Listener>, Attachment), EndpointError> {
    let listener = imds::open_now(opener, &wanted).await?;
    let address = listener.as_ref().and_then(Listener::address);
    Ok((listener, address.map_or(wanted, Attachment::Listen)))
}

/// The address at which a metadata service listens that anyone on this machine can ask.
pub(crate) fn listens_at(attachment: &Attachment) -> Option<SocketAddr> {
    if let Attachment::Listen(address) = attachment { Some(*address) } else { None }
}

/// What a VM is called: a machine of a scale set by the scale set's name and its number.
pub(crate) fn display_name(vm: &VirtualMachine) -> String {
    match &vm.instance {
        Some(instance) => format!("{}_{}", instance.scale_set.name(), instance.number),
        None => vm.name.clone(),
    }
}

/// The address at which a VM's extension listens, where that isn't localhost: the metadata service's, or one that goes by
/// the VM's number when that isn't on this machine's loopback.
fn own(number: usize, attachment: &Attachment) -> Option<IpAddr> {
    let own = match attachment {
        Attachment::Listen(address) => Some(address.ip()).filter(IpAddr::is_loopback),
        Attachment::Device { .. }
        | Attachment::Namespace { .. }
        | Attachment::Source { .. }
        | Attachment::Unix { .. }
        | Attachment::Vsock { .. } => Some(own_address(number, 0).ip()),
    };
    own.filter(|own| number > 0 && *own != IpAddr::V4(Ipv4Addr::LOCALHOST))
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
