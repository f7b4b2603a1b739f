//! What the handlers share.

use authority::Authority;
use authority::secret::SecretKey;
use store::Handle;

use crate::external_issuer::ExternalKeys;

/// What the handlers share.
pub struct App {
    /// Mints tokens.
    pub authority: Authority,
    /// The state.
    pub store: Handle,
    /// Checks client secrets.
    pub secrets: SecretKey,
    /// The keys of external issuers.
    pub external: ExternalKeys,
    /// The base URL under which everything is published, without a last slash: configuration, never a header.
    pub base_url: String,
    /// Every host and port under which it is reached, as [`crate::tls::hosts`] lists them.
    pub hosts: Vec<String>,
}

impl App {
    /// The host and port of the base URL.
    pub(crate) fn host(&self) -> &str {
        self.base_url.strip_prefix("https://").unwrap_or(&self.base_url)
    }
}
