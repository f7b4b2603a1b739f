//! Which process has a socket of this machine, as far as it can be seen: the socket's line in `/proc/net/tcp`, found again
//! among the open files of the processes that we may look into. Elsewhere than on Linux nothing can be seen.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

/// The state of a socket that listens.
const LISTENING: &str = "0A";

/// The two ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// Ours.
    pub local: SocketAddr,
    /// The other one.
    pub remote: SocketAddr,
}

/// Who has a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The user.
    pub uid: u32,
    /// The process, where we may look into it. Those of others are hidden from all but root.
    pub process: Option<Process>,
}

/// A process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its name.
    pub name: String,
}

/// Who has the other end of a connection within this machine. Looks into many files: not for where nothing may block.
#[must_use]
pub fn at_other_end(ends: Ends) -> Option<Owner> {
    // Seen from there, its own end is the local one.
    let wanted = |line: &Line<'_>| line.local == canonical(ends.remote) && line.remote == canonical(ends.local);
    let (uid, inode) = find(wanted).pop()?;
    Some(Owner { uid, process: holder(&[inode], Some(uid)) })
}

/// The process that listens on an address, or on all addresses where it or that other is one of them.
pub(crate) fn listening_on(address: SocketAddr) -> Option<Process> {
    let wanted = canonical(address);
    let found = find(|line| {
        let (ours, theirs) = (wanted.ip(), line.local.ip());
        let clashes = ours == theirs || ours.is_unspecified() || theirs.is_unspecified();
        line.state == LISTENING && line.local.port() == wanted.port() && clashes
    });
    let inodes: Vec<u64> = found.into_iter().map(|(_, inode)| inode).collect();
    holder(&inodes, None)
}

/// The users and inodes of sockets.
fn find(wanted: impl Fn(&Line<'_>) -> bool) -> Vec<(u32, u64)> {
    let mut found = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let text = fs::read_to_string(table).unwrap_or_default();
        let lines = text.lines().skip(1).filter_map(Line::parse);
        found.extend(lines.filter(|line| wanted(line)).map(|line| (line.uid, line.inode)));
    }
    found
}

/// The process that has one of these sockets open; where the user is known, only that user's are looked into.
fn holder(inodes: &[u64], uid: Option<u32>) -> Option<Process> {
    let links: Vec<String> = inodes.iter().map(|inode| format!("socket:[{inode}]")).collect();
    if links.is_empty() {
        return None;
    }
    for process in fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let folder = process.path();
        if uid.is_some_and(|uid| owner(&folder) != Some(uid)) {
            continue;
        }
        let files = fs::read_dir(folder.join("fd")).into_iter().flatten().flatten();
        let holds = files
            .filter_map(|file| fs::read_link(file.path()).ok())
            .any(|link| link.to_str().is_some_and(|link| links.iter().any(|wanted| wanted == link)));
        if holds {
            let name = fs::read_to_string(folder.join("comm")).unwrap_or_default();
            return Some(Process { pid, name: name.trim().to_owned() });
        }
    }
    None
}

/// The user that a process acts as in the file system: whose its new sockets are. The owner of the folder itself is root
/// where a process can't be dumped.
fn owner(folder: &Path) -> Option<u32> {
    let status = fs::read_to_string(folder.join("status")).ok()?;
    // Real, effective, saved, of the file system.
    status.lines().find_map(|line| line.strip_prefix("Uid:"))?.split_whitespace().nth(3)?.parse().ok()
}

/// A line of the table of sockets.
struct Line<'t> {
    local: SocketAddr,
    remote: SocketAddr,
    state: &'t str,
    uid: u32,
    inode: u64,
}

impl<'t> Line<'t> {
    fn parse(line: &'t str) -> Option<Self> {
        let mut fields = line.split_whitespace().skip(1);
        let (local, remote, state) = (address(fields.next()?)?, address(fields.next()?)?, fields.next()?);
        // Queues, timers and retransmissions stand before the user, the probes of a timeout before the inode.
        let (uid, inode) = (fields.nth(3)?.parse().ok()?, fields.nth(1)?.parse().ok()?);
        Some(Self { local, remote, state, uid, inode })
    }
}

/// An address as the table writes it: words of four bytes in the machine's order, in hexadecimal, and the port.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let mut bytes = [0_u8; 16];
    let words = ip.as_bytes().chunks(8).map(|word| u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok());
    let words: Vec<u32> = words.collect::<Option<_>>()?;
    for (word, place) in words.iter().zip(bytes.chunks_mut(4)) {
        place.copy_from_slice(&word.to_ne_bytes());
    }
    let ip = match words.len() {
        1 => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(bytes.get(..4)?).ok()?)),
        4 => IpAddr::V6(Ipv6Addr::from(bytes)),
        _ => return None,
    };
    Some(canonical(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?)))
}

/// One spelling of an address: a socket of IPv6 may have one of IPv4 in it.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    const LINE: &str =
        "   0: 0100007F:C4A6 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 12345 1";

    #[test]
    #[cfg(target_endian = "little")]
    fn lines_of_the_socket_table_are_read() {
        let line = Line::parse(LINE).unwrap();
        assert_eq!((line.local, line.state), ("127.0.0.1:50342".parse().unwrap(), LISTENING));
        assert_eq!((line.uid, line.inode), (1_000, 12_345));
        let mapped = address("0000000000000000FFFF00000100007F:0050");
        assert_eq!(mapped, Some("127.0.0.1:80".parse().unwrap()));
        assert_eq!(address("00000000000000000000000001000000:0050"), Some("[::1]:80".parse().unwrap()));
        for wrong in ["garbage", "", "   0: 0100007F C4A6", "   0: 01:1 02:2 0A"] {
            assert!(Line::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn who_listens_at_another_address_of_the_port_is_not_in_the_way() {
        let at = |ip: [u8; 4], port: u16| SocketAddr::from((ip, port));
        let one = TcpListener::bind(at([127, 0, 0, 1], 0)).unwrap();
        let port = one.local_addr().unwrap().port();
        for ip in [[127, 0, 0, 1], [0, 0, 0, 0]] {
            assert_eq!(listening_on(at(ip, port)).unwrap().pid, std::process::id(), "{ip:?}");
        }
        assert_eq!(listening_on(at([127, 9, 9, 9], port)), None);
        let all = TcpListener::bind(at([0, 0, 0, 0], 0)).unwrap();
        assert!(listening_on(at([127, 9, 9, 9], all.local_addr().unwrap().port())).is_some());
    }

    #[test]
    fn the_other_end_of_a_connection_is_somebodys() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            // Without IPv6 there is no other address.
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (accepted, remote) = listener.accept().unwrap();
            let owner = at_other_end(Ends { local: accepted.local_addr().unwrap(), remote }).unwrap();
            assert_eq!(owner.process.unwrap().pid, std::process::id());
            drop(client);
        }
        let nobody = "127.0.0.1:1".parse().unwrap();
        assert_eq!(at_other_end(Ends { local: nobody, remote: nobody }), None);
    }
}
