//! Which names a listener answers to: the defence against DNS rebinding.

use http::HeaderMap;

use super::refusal::HostRefusal;
use crate::guest_agent::{HOST_PLUGIN_PORT, WIRE_ADDRESS};
use crate::headers::HOST;
use crate::imds::ADDRESS;

/// The `Host` values that a listener answers to.
#[derive(Clone, Debug, Default)]
pub struct AllowedHosts {
    exact: Vec<String>,
}

impl AllowedHosts {
    /// Of a metadata service: its well-known address, the listener's own address, and further names. Each is
    /// compared with its port, and without case; on port 80, which clients leave out, also without it.
    #[must_use]
    pub fn imds(own: std::net::SocketAddr, names: impl IntoIterator<Item = String>) -> Self {
        let mut exact = vec![ADDRESS.to_string(), format!("{ADDRESS}:80"), own.to_string()];
        if own.port() == 80 {
            exact.push(bracketed(own.ip()));
        }
        for name in names {
            let name = name.to_ascii_lowercase();
            if let (80, Some(bare)) = (own.port(), name.strip_suffix(":80")) {
                exact.push(bare.to_owned());
            }
            exact.push(name);
        }
        Self { exact }
    }

    /// Of a metadata service that has no address of its own, such as one at a Unix socket: the well-known address, and
    /// `localhost`, which clients send that reach a socket.
    #[must_use]
    pub fn imds_socket() -> Self {
        Self { exact: vec![ADDRESS.to_string(), format!("{ADDRESS}:80"), "localhost".to_owned()] }
    }

    /// Of the host of a guest agent: its well-known address on both its ports, the listeners' own addresses, and further
    /// names, each with its port.
    #[must_use]
    pub fn wire_server(
        own: impl IntoIterator<Item = std::net::SocketAddr>,
        names: impl IntoIterator<Item = String>,
    ) -> Self {
        let well_known = [80, HOST_PLUGIN_PORT].map(|port| format!("{WIRE_ADDRESS}:{port}"));
        let own = own.into_iter().map(|own| own.to_string());
        let mut exact: Vec<String> = well_known.into_iter().chain(own).chain(names).collect();
        let bare = exact.iter().filter_map(|name| name.strip_suffix(":80").map(str::to_owned));
        exact.extend(bare.collect::<Vec<_>>());
        Self { exact }
    }

    /// Of the extension's endpoint on a port: `localhost` in its three forms, and the address of the VM's own
    /// where that is another one; each with the port or with none.
    #[must_use]
    pub fn extension(port: u16, own: impl IntoIterator<Item = std::net::IpAddr>) -> Self {
        let names = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned).into_iter();
        let names = names.chain(own.into_iter().map(bracketed));
        Self { exact: names.flat_map(|name| [format!("{name}:{port}"), name]).collect() }
    }

    /// Judges the header.
    ///
    /// # Errors
    /// When it isn't there once with one of the names.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), HostRefusal> {
        let mut values = headers.get_all(HOST).iter();
        let value = values.next().ok_or(HostRefusal::Missing)?;
        if values.next().is_some() {
            return Err(HostRefusal::Several);
        }
        let value = value.as_bytes();
        if self.exact.iter().any(|allowed| value.eq_ignore_ascii_case(allowed.as_bytes())) {
            Ok(())
        } else {
            Err(HostRefusal::NotAllowed)
        }
    }
}

fn bracketed(ip: std::net::IpAddr) -> String {
    match ip {
        std::net::IpAddr::V4(ip) => ip.to_string(),
        std::net::IpAddr::V6(ip) => format!("[{ip}]"),
    }
}
