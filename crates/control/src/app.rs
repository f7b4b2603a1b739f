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
    /// Its host and port.
    pub host: String,
}
