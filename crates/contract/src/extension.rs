//! The token endpoint of the VM extension: what is asked, the bytes of the answers, its settings.
//!
//! Public sources: MicrosoftDocs/azure-docs `howto-migrate-vm-extension.md` and
//! `msi-how-to-get-access-token-using-msi.md`, MicrosoftDocs/entra-docs `how-to-use-vm-token.md`.

mod settings;
mod token_body;
mod token_request;

pub use settings::{InvalidSettings, Settings};
pub use token_body::{TokenBody, TokenFields};
pub use token_request::TokenRequest;

/// The port when the settings name none.
pub const DEFAULT_PORT: u16 = 50_342;
/// The `Content-Type` of every answer, without a charset as the document shows it.
pub const CONTENT_TYPE: &str = "application/json";

/// The text of the discovery file `ManagedIdentity-Settings`: a base URL without a path and without a last
/// slash, because one reader appends `/oauth2/token` as a string (Azure/azure-linux-extensions
/// `OmsAgent/omsagent.py`, Azure/go-autorest@01e63fe `autorest/adal/msi_linux.go`).
#[must_use]
pub fn discovery_file(port: u16) -> String {
    format!("{{\"url\":\"http://localhost:{port}\"}}")
}
