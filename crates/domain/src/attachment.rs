//! How a host recognises a virtual machine: by where its requests arrive, never by what they say.

use std::fmt;
use std::mem::{Discriminant, discriminant};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU8;
use std::path::PathBuf;
use std::str::FromStr;

/// How a host recognises a virtual machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Attachment {
    /// By the address its metadata service listens on: whoever can connect there is this machine.
    Listen(SocketAddr),
    /// By the host's network device that leads to this machine and to nothing else, such as a tap. Nobody can forge it.
    Device {
        /// The device's name.
        device: String,
        /// Where the metadata service listens on it.
        at: Reachable,
    },
    /// By the network namespace that it lives in.
    Namespace {
        /// The namespace's file.
        namespace: PathBuf,
        /// Where the metadata service listens in it.
        at: Reachable,
    },
    /// By the address that it says it has, at an address that others reach too. A neighbour can say the same.
    Source {
        /// Its address.
        source: IpAddr,
        /// Where the metadata service listens.
        at: Reachable,
    },
    /// By a Unix socket that only its hypervisor reaches.
    Unix {
        /// The socket's path.
        path: PathBuf,
        /// Whether the socket's group may connect besides its owner.
        group: bool,
    },
    /// By its context id, at a port of the virtual machines' sockets.
    Vsock {
        /// The context id.
        cid: u32,
        /// The port.
        port: u32,
    },
}

/// An address, and from how far it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reachable {
    /// The address.
    pub address: SocketAddr,
    /// How many hops an answer may take; as many as the system's default without.
    pub hop_limit: Option<NonZeroU8>,
}

impl Reachable {
    /// The address in the one form of those that can be written as IPv6 too (RFC 4291 §2.5.5.2).
    #[must_use]
    pub fn canonical(&self) -> SocketAddr {
        canonical(self.address)
    }
}

/// How machines are told apart at one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sharing {
    kind: Discriminant<Attachment>,
    hop_limit: Option<NonZeroU8>,
}

/// Context ids below are the hypervisor's, this machine's and the host's (vsock(7)).
pub const FIRST_GUEST_CID: u32 = 3;
/// The longest name of a network device, in bytes (`IFNAMSIZ` less its end).
const LONGEST_DEVICE: usize = 15;

/// Why an attachment isn't one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttachmentError {
    /// Every address of the host is nobody's.
    #[error("{0} would hand out tokens to everyone who can reach this machine; name one address")]
    AllInterfaces(SocketAddr),
    /// A device's name has 1 to 15 bytes without space and slash.
    #[error("'{0}' is not the name of a network device")]
    Device(String),
    /// A path that depends on where the host is started.
    #[error("{} is not an absolute path", .0.display())]
    Relative(PathBuf),
    /// A context id that no guest has.
    #[error("{0} is no guest's context id; the first one is {FIRST_GUEST_CID}")]
    Cid(u32),
    /// What asks for any port, which the machine would not know.
    #[error("{0} is no vsock port")]
    Port(u32),
    /// An unspecified or shared address is nobody's.
    #[error("{0} is no machine's address")]
    Source(IpAddr),
    /// Its text was written by something else.
    #[error("'{0}' is not an attachment")]
    Malformed(String),
}

impl Attachment {
    /// Looks whether it can lead to one machine.
    ///
    /// # Errors
    /// When it leads to none, or to everyone.
    pub fn check(&self) -> Result<(), AttachmentError> {
        match self {
            Self::Listen(address) => check_address(*address),
            Self::Device { device, at } => {
                let sound = (1..=LONGEST_DEVICE).contains(&device.len())
                    && device.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/' && byte != b',')
                    && !matches!(device.as_str(), "." | ".." | "lo");
                if sound { check_address(at.address) } else { Err(AttachmentError::Device(device.clone())) }
            }
            Self::Namespace { namespace, at } => {
                check_path(namespace)?;
                check_address(at.address)
            }
            Self::Source { source, at } => {
                let known = source.to_canonical();
                if known.is_unspecified() || known.is_multicast() {
                    return Err(AttachmentError::Source(*source));
                }
                check_address(at.address)
            }
            Self::Unix { path, .. } => check_path(path),
            Self::Vsock { cid, .. } if *cid < FIRST_GUEST_CID || *cid == u32::MAX => Err(AttachmentError::Cid(*cid)),
            Self::Vsock { port: u32::MAX, .. } => Err(AttachmentError::Port(u32::MAX)),
            Self::Vsock { .. } => Ok(()),
        }
    }

    /// What it has to itself, in words: two machines with the same could not be told apart.
    #[must_use]
    pub fn claim(&self) -> String {
        match self {
            Self::Listen(address) => format!("address {}", canonical(*address)),
            Self::Device { device, .. } => format!("network device {device}"),
            Self::Namespace { namespace, .. } => format!("network namespace {}", namespace.display()),
            Self::Source { source, at } => {
                format!("source address {} at {}", source.to_canonical(), canonical(at.address))
            }
            Self::Unix { path, .. } => format!("socket {}", path.display()),
            Self::Vsock { cid, port } => format!("vsock context id {cid} at port {port}"),
        }
    }

    /// The host's own address at which it listens, and how machines are told apart there. All at one address must be told
    /// apart in the same way.
    #[must_use]
    pub fn sharing(&self) -> Option<(SocketAddr, Sharing)> {
        let kind = discriminant(self);
        match self {
            Self::Listen(address) | Self::Device { at: Reachable { address, .. }, .. } => {
                Some((canonical(*address), Sharing { kind, hop_limit: None }))
            }
            // They have one listener.
            Self::Source { at, .. } => Some((canonical(at.address), Sharing { kind, hop_limit: at.hop_limit })),
            Self::Namespace { .. } | Self::Unix { .. } | Self::Vsock { .. } => None,
        }
    }

    /// Whether another machine can pose as this one by what it sends.
    #[must_use]
    pub fn is_spoofable(&self) -> bool {
        matches!(self, Self::Source { .. })
    }
}

fn check_address(address: SocketAddr) -> Result<(), AttachmentError> {
    if canonical(address).ip().is_unspecified() { Err(AttachmentError::AllInterfaces(address)) } else { Ok(()) }
}

/// The one form of an address that can be written as IPv6 too (RFC 4291 §2.5.5.2).
fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        ip if ip == address.ip() => address,
        ip => SocketAddr::new(ip, address.port()),
    }
}

fn check_path(path: &std::path::Path) -> Result<(), AttachmentError> {
    if path.is_absolute() { Ok(()) } else { Err(AttachmentError::Relative(path.to_owned())) }
}

/// As it is stored and told: an address alone, or words. What may hold a comma stands last.
impl fmt::Display for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen(address) => write!(f, "{address}"),
            Self::Device { device, at } => write!(f, "{at},device={device}"),
            Self::Namespace { namespace, at } => write!(f, "{at},netns={}", namespace.display()),
            Self::Source { source, at } => write!(f, "{at},source={source}"),
            Self::Unix { path, group: false } => write!(f, "unix={}", path.display()),
            Self::Unix { path, group: true } => write!(f, "group,unix={}", path.display()),
            Self::Vsock { cid, port } => write!(f, "port={port},vsock={cid}"),
        }
    }
}

impl fmt::Display for Reachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "listen={}", self.address)?;
        match self.hop_limit {
            Some(hops) => write!(f, ",hop-limit={hops}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Attachment {
    type Err = AttachmentError;

    fn from_str(text: &str) -> Result<Self, AttachmentError> {
        parse(text).ok_or_else(|| AttachmentError::Malformed(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Attachment> {
    if let Ok(address) = text.parse() {
        return Some(Attachment::Listen(address));
    }
    let (mut address, mut hop_limit, mut port, mut group) = (None, None, None, false);
    let mut rest = text;
    loop {
        let (word, behind) = rest.split_once(',').unwrap_or((rest, ""));
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        let last = rest.split_once('=').map_or("", |(_, value)| value);
        let at = || Some(Reachable { address: address?, hop_limit });
        match name {
            "listen" => address = Some(value.parse().ok()?),
            "hop-limit" => hop_limit = Some(value.parse().ok()?),
            "port" => port = Some(value.parse().ok()?),
            "group" => group = true,
            "device" => return Some(Attachment::Device { device: last.to_owned(), at: at()? }),
            "netns" => return Some(Attachment::Namespace { namespace: last.into(), at: at()? }),
            "source" => return Some(Attachment::Source { source: last.parse().ok()?, at: at()? }),
            "unix" => return Some(Attachment::Unix { path: last.into(), group }),
            "vsock" => return Some(Attachment::Vsock { cid: last.parse().ok()?, port: port? }),
            _ => return None,
        }
        rest = behind;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hop_limit: Option<u8>) -> Reachable {
        Reachable { address: "192.0.2.1:80".parse().unwrap(), hop_limit: hop_limit.and_then(NonZeroU8::new) }
    }

    fn every() -> Vec<Attachment> {
        vec![
            Attachment::Listen("127.0.0.1:16925".parse().unwrap()),
            Attachment::Listen("[::1]:80".parse().unwrap()),
            Attachment::Device { device: "tap0".to_owned(), at: at(None) },
            Attachment::Device { device: "vnet=1".to_owned(), at: at(Some(1)) },
            Attachment::Namespace { namespace: "/run/netns/a,b=c".into(), at: at(Some(2)) },
            Attachment::Source { source: "2001:db8::4".parse().unwrap(), at: at(None) },
            Attachment::Unix { path: "/run/vm,1=x.sock".into(), group: false },
            Attachment::Unix { path: "/run/vm.sock".into(), group: true },
            Attachment::Vsock { cid: 3, port: 80 },
        ]
    }

    #[test]
    fn what_is_written_is_read_again() {
        for attachment in every() {
            assert_eq!(attachment.check(), Ok(()), "{attachment}");
            assert_eq!(attachment.to_string().parse(), Ok(attachment));
        }
        for malformed in ["", "x", "127.0.0.1", "device=tap0", "listen=192.0.2.1:80", "vsock=3", "hop-limit=0,unix=/x"]
        {
            assert_eq!(malformed.parse::<Attachment>(), Err(AttachmentError::Malformed(malformed.to_owned())));
        }
    }

    #[test]
    fn no_two_have_the_same_claim_and_one_device_is_one_machines() {
        let claims: std::collections::BTreeSet<String> = every().iter().map(Attachment::claim).collect();
        assert_eq!(claims.len(), every().len());
        let other = Reachable { address: "192.0.2.1:81".parse().unwrap(), hop_limit: None };
        let [one, two] = [at(None), other].map(|at| Attachment::Device { device: "tap0".to_owned(), at });
        assert_eq!(one.claim(), two.claim());
        assert_eq!(every().iter().filter(|attachment| attachment.is_spoofable()).count(), 1);
    }

    #[test]
    fn machines_at_one_address_are_told_apart_in_one_way() {
        let from = |source: &str, at| Attachment::Source { source: source.parse().unwrap(), at };
        let device = |device: &str, at| Attachment::Device { device: device.to_owned(), at };
        let one = from("10.0.0.4", at(Some(1)));
        assert_eq!(one.sharing(), from("10.0.0.5", at(Some(1))).sharing());
        assert_eq!(
            device("tap0", at(Some(1))).sharing(),
            device("tap1", at(None)).sharing(),
            "each has its own listener"
        );
        let address = at(None).address;
        for other in [from("10.0.0.5", at(None)), device("tap0", at(Some(1))), Attachment::Listen(address)] {
            assert_eq!(other.sharing().unwrap().0, address);
            assert_ne!(one.sharing(), other.sharing());
        }
    }

    #[test]
    fn one_address_written_in_two_ways_is_one_claim() {
        let mapped = Reachable { address: "[::ffff:192.0.2.1]:80".parse().unwrap(), hop_limit: None };
        let from = |source: &str, at| Attachment::Source { source: source.parse().unwrap(), at };
        assert_eq!(from("10.0.0.4", at(None)).claim(), from("::ffff:10.0.0.4", mapped).claim());
        assert_eq!(Attachment::Listen(at(None).address).claim(), Attachment::Listen(mapped.address).claim());
        let [one, two] = ["[fe80::1%1]:80", "[fe80::1%2]:80"].map(|text| Attachment::Listen(text.parse().unwrap()));
        assert_ne!(one.claim(), two.claim(), "a link's address is one of that link");
    }

    #[test]
    fn what_leads_to_nobody_or_to_everyone_is_refused() {
        let everywhere = Reachable { address: "0.0.0.0:80".parse().unwrap(), hop_limit: None };
        let device = |device: &str, at| Attachment::Device { device: device.to_owned(), at };
        for wrong in [
            Attachment::Listen("0.0.0.0:80".parse().unwrap()),
            device("tap0", everywhere),
            device("", at(None)),
            device("a/b", at(None)),
            device("sixteen-bytes-16", at(None)),
            device("lo", at(None)),
            Attachment::Namespace { namespace: "blue".into(), at: at(None) },
            Attachment::Source { source: "0.0.0.0".parse().unwrap(), at: at(None) },
            Attachment::Source { source: "::ffff:224.0.0.1".parse().unwrap(), at: at(None) },
            Attachment::Listen("[::ffff:0.0.0.0]:80".parse().unwrap()),
            Attachment::Unix { path: "vm.sock".into(), group: false },
            Attachment::Vsock { cid: 2, port: 80 },
            Attachment::Vsock { cid: u32::MAX, port: 80 },
            Attachment::Vsock { cid: 3, port: u32::MAX },
        ] {
            assert!(wrong.check().is_err(), "{wrong:?}");
        }
    }
}
