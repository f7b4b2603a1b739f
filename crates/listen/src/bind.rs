//! Opens ports, and says who holds one that is taken.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU8;
use std::path::PathBuf;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

use crate::process;

/// Connections that wait to be accepted.
pub(crate) const BACKLOG: i32 = 1_024;
/// How many free ports are tried until one is free on both addresses of localhost.
const TRIES: u32 = 16;

/// An address, and for whom.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tcp {
    /// The address. One for a device need not be there yet.
    pub address: SocketAddr,
    /// Only what arrives on this network device.
    pub device: Option<String>,
    /// In the network namespace of this file, such as `/run/netns/NAME` or `/proc/PID/ns/net`.
    pub namespace: Option<PathBuf>,
    /// How many hops an answer may take (`IP_TTL`): with 1 nobody is answered who sits behind another router.
    pub hop_limit: Option<NonZeroU8>,
}

impl Tcp {
    /// An address of this machine, for all who reach it.
    #[must_use]
    pub fn at(address: SocketAddr) -> Self {
        Self { address, device: None, namespace: None, hop_limit: None }
    }
}

/// Why an address can't be listened on.
#[derive(Debug, thiserror::Error)]
#[error("{address} can't be listened on{}", taken(holder.as_deref(), why))]
pub struct BindError {
    /// The address.
    pub address: SocketAddr,
    /// The process that listens there, where the system lets us see it.
    pub holder: Option<String>,
    /// The system's answer.
    #[source]
    pub why: io::Error,
}

/// Who holds the address. The files of a process that can't be dumped, as symbolon is, are hidden from all but root.
fn taken(holder: Option<&str>, why: &io::Error) -> String {
    match holder {
        Some(name) => format!(" (it is taken by {name})"),
        None if why.kind() == io::ErrorKind::AddrInUse => {
            " (it is taken by a process that can't be looked into, perhaps another symbolon)".to_owned()
        }
        None => String::new(),
    }
}

/// Listens on an address; port 0 takes a free one.
///
/// # Errors
/// When the system refuses; when the port is taken the error names the process if it can be seen.
pub fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    in_runtime(&Tcp::at(address))
}

/// Listens on an address for what arrives on one network device alone. Without that the system takes a packet for any of
/// its addresses from every device.
///
/// # Errors
/// As [`bind`], and when there is no such device.
pub fn bind_to_device(address: SocketAddr, device: &str) -> Result<TcpListener, BindError> {
    in_runtime(&Tcp { device: Some(device.to_owned()), ..Tcp::at(address) })
}

/// Listens on `address`, or on the first of `others` that can be listened on.
///
/// # Errors
/// That of the last one.
pub fn bind_first(address: SocketAddr, others: impl IntoIterator<Item = SocketAddr>) -> Result<TcpListener, BindError> {
    let socket = |address| socket(&Tcp::at(address)).and_then(TcpListener::from_std);
    let (mut last, mut opened) = (address, socket(address));
    for other in others {
        if opened.is_ok() {
            break;
        }
        (last, opened) = (other, socket(other));
    }
    opened.map_err(|why| failed(last, why))
}

fn in_runtime(wanted: &Tcp) -> Result<TcpListener, BindError> {
    socket(wanted).and_then(TcpListener::from_std).map_err(|why| failed(wanted.address, why))
}

/// Listens on any thread.
#[cfg(feature = "host")]
pub(crate) fn open(wanted: &Tcp) -> Result<std::net::TcpListener, BindError> {
    socket(wanted).map_err(|why| failed(wanted.address, why))
}

fn failed(address: SocketAddr, why: io::Error) -> BindError {
    let taken = why.kind() == io::ErrorKind::AddrInUse;
    let holder = taken.then(|| process::listening_on(address)).flatten();
    let holder = holder.map(|holder| format!("{}, process {}", holder.name, holder.pid));
    BindError { address, holder, why }
}

/// Listens on 127.0.0.1 and ::1 with the same port: clients that resolve `localhost` may try either first. Port 0 takes one
/// that is free on both. A machine without IPv6 gets the first alone.
///
/// # Errors
/// When either is refused for another reason than that there is no IPv6.
pub fn bind_localhost(port: u16) -> Result<Vec<TcpListener>, BindError> {
    let tries = if port == 0 { TRIES } else { 1 };
    on_both(tries, || bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)))
}

/// Listens on ::1 as well, with the port of the other.
fn on_both(
    tries: u32,
    mut other: impl FnMut() -> Result<TcpListener, BindError>,
) -> Result<Vec<TcpListener>, BindError> {
    let v4 = other()?;
    let port = v4.local_addr().map_or(0, |address| address.port());
    match bind(SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), port)) {
        Ok(v6) => Ok(vec![v4, v6]),
        Err(error) if is_absence_of_ipv6(&error.why) => Ok(vec![v4]),
        Err(error) if error.why.kind() == io::ErrorKind::AddrInUse && tries > 1 => on_both(tries - 1, other),
        Err(error) => Err(error),
    }
}

fn socket(wanted: &Tcp) -> io::Result<std::net::TcpListener> {
    let address = wanted.address;
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // A port of a process that just ended is free at once; one that is listened on stays taken.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    if let Some(device) = &wanted.device {
        to_device(&socket, device, address)?;
    }
    if let Some(hops) = wanted.hop_limit {
        // Accepted connections have it from here.
        match address {
            SocketAddr::V4(_) => socket.set_ttl_v4(hops.get().into())?,
            SocketAddr::V6(_) => socket.set_unicast_hops_v6(hops.get().into())?,
        }
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// The address may come later than the device.
#[cfg(target_os = "linux")]
fn to_device(socket: &Socket, device: &str, address: SocketAddr) -> io::Result<()> {
    match address {
        SocketAddr::V4(_) => socket.set_freebind_v4(true)?,
        SocketAddr::V6(_) => socket.set_freebind_v6(true)?,
    }
    socket.bind_device(Some(device.as_bytes()))
}

#[cfg(not(target_os = "linux"))]
fn to_device(_: &Socket, _: &str, _: SocketAddr) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

fn is_absence_of_ipv6(why: &io::Error) -> bool {
    matches!(why.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported) || why.raw_os_error() == Some(97) // EAFNOSUPPORT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_names_its_holder() {
        let first = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = first.local_addr().unwrap();
        let error = bind(address).unwrap_err();
        assert_eq!(error.address, address);
        let text = error.to_string();
        assert!(text.contains(&format!("process {}", std::process::id())), "{text}");
        let hidden = BindError { holder: None, ..error }.to_string();
        assert!(hidden.ends_with("perhaps another symbolon)"), "{hidden}");
        drop(first);
        bind(address).unwrap();
    }

    #[tokio::test]
    async fn the_first_that_is_free_is_taken() {
        let taken = [0, 1].map(|_| bind("127.0.0.1:0".parse().unwrap()).unwrap());
        let addresses = taken.each_ref().map(|listener| listener.local_addr().unwrap());
        let opened = bind_first(addresses[0], [addresses[1], "127.0.0.1:0".parse().unwrap()]).unwrap();
        assert!(!addresses.contains(&opened.local_addr().unwrap()));
        assert_eq!(bind_first(addresses[0], [addresses[1]]).unwrap_err().address, addresses[1]);
    }

    #[tokio::test]
    async fn localhost_is_the_same_port_on_both() {
        let listeners = bind_localhost(0).unwrap();
        let ports: Vec<u16> = listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
        assert!(ports.iter().all(|port| *port == ports[0] && *port != 0));
        assert!(bind_localhost(ports[0]).is_err());
    }

    #[tokio::test]
    async fn a_free_port_that_is_taken_on_the_other_address_is_left_for_another() {
        // Without IPv6 there is no other address.
        let Ok(taken) = bind("[::1]:0".parse().unwrap()) else { return };
        let half = taken.local_addr().unwrap().port();
        let mut ports = [half, 0].into_iter();
        let listeners =
            on_both(2, || bind(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), ports.next().unwrap()))).unwrap();
        assert_eq!(listeners.len(), 2);
        assert_ne!(listeners[0].local_addr().unwrap().port(), half);
        assert!(bind_localhost(half).is_err(), "one that was asked for isn't");
    }
}
