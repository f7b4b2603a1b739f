//! The token endpoint of the VM extension: what is asked, the bytes of the answers, its settings.
//!
//! Public sources: MicrosoftDocs/azure-docs `howto-migrate-vm-extension.md` and
//! `msi-how-to-get-access-token-using-msi.md`, MicrosoftDocs/entra-docs `how-to-use-vm-token.md`.

mod settings;
mod token_body;
mod token_request;

use std::net::{IpAddr, SocketAddr};

pub use settings::{InvalidSettings, Settings};
pub use token_body::{TokenBody, TokenFields};
pub use token_request::TokenRequest;

/// The port when the settings name none.
pub const DEFAULT_PORT: u16 = 50_342;
/// What an endpoint calls itself, in `User-Agent` before a slash and its version, that asks the metadata service in the place
/// of its callers.
pub const FORWARDER: &str = "symbolon-extension-forwarder";
/// The `Content-Type` of every answer, without a charset as the document shows it.
pub const CONTENT_TYPE: &str = "application/json";

/// The text of the discovery file `ManagedIdentity-Settings`: a base URL without a path and without a last
/// slash, because one reader appends `/oauth2/token` as a string (Azure/azure-linux-extensions
/// `OmsAgent/omsagent.py`, Azure/go-autorest@01e63fe `autorest/adal/msi_linux.go`). `own` is the address on
/// which the endpoint listens where that isn't localhost.
#[must_use]
pub fn discovery_file(own: Option<IpAddr>, port: u16) -> String {
    let host = own.map_or_else(|| format!("localhost:{port}"), |own| SocketAddr::new(own, port).to_string());
    format!("{{\"url\":\"http://{host}\"}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_discovery_file_names_the_address_that_listens() {
        for (own, url) in [(None, "localhost:1"), (Some("127.0.1.1"), "127.0.1.1:1"), (Some("::1"), "[::1]:1")] {
            let own = own.map(|own| own.parse().unwrap());
            assert_eq!(discovery_file(own, 1), format!("{{\"url\":\"http://{url}\"}}"));
        }
    }
}
