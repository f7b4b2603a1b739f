//! What the handlers share.

use std::sync::Arc;

use authority::Authority;
use authority::kek::FileKek;
use authority::secret::SecretKey;
use playbook::Playbooks;
use store::Handle;

use crate::agents::Agents;
use crate::device_code::DeviceCodes;
use crate::external_issuer::ExternalKeys;
use crate::settled::Settled;
use crate::vm_credential::KeyMaker;

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
    /// Seals what may not be read at rest.
    pub kek: Arc<FileKek>,
    /// Makes the keys of VMs.
    pub key_maker: KeyMaker,
    /// Where the ids of new resources come from.
    pub ids: Ids,
    /// Programs that wait for a person to sign in.
    pub device_codes: DeviceCodes,
    /// What guest agents said of themselves.
    pub agents: Arc<Agents>,
    /// Who must have seen a change before it is answered.
    pub settled: Settled,
    /// The faults that are ordered.
    pub playbooks: Playbooks,
}

/// Where the ids of new resources come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids {
    /// From their resource ids, so that the same steps give the same ids on every machine.
    Derived,
    /// From the random generator.
    Random,
}

impl App {
    /// The host and port of the base URL.
    pub(crate) fn host(&self) -> &str {
        self.base_url.strip_prefix("https://").unwrap_or(&self.base_url)
    }
}
