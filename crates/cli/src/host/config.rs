//! The sections of a host's configuration, as they are written. Unknown keys are refused with line and column.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use crate::attachment::AttachmentWords;

/// The most connections of one VM at once when nothing is said.
const CONNECTIONS: usize = 64;

/// A word of the file with its place, for errors that name it.
pub(super) type Word = Spanned<String>;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct HostConfig {
    pub(super) authority: AuthoritySection,
    #[serde(default)]
    pub(super) limits: LimitsSection,
    #[serde(default)]
    pub(super) metrics: MetricsSection,
    pub(super) attestation: Option<Spanned<AttestationSection>>,
    #[serde(default)]
    pub(super) faults: FaultsSection,
    #[serde(default)]
    pub(super) virtual_machines: Vec<MachineSection>,
}

/// Who makes the tokens.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct AuthoritySection {
    /// Its base URL, https.
    pub(super) url: Word,
    /// The certificates that its own must chain to, PEM; the system's without.
    pub(super) ca_file: Option<Spanned<PathBuf>>,
}

/// What one VM may have.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct LimitsSection {
    /// Whether requests are limited as Azure does, 20 a second and 5 at once; they are unless it is false.
    pub(super) throttle: bool,
    /// Connections at once.
    pub(super) connections: Spanned<usize>,
}

impl Default for LimitsSection {
    fn default() -> Self {
        Self { throttle: true, connections: Spanned::new(0..0, CONNECTIONS) }
    }
}

/// Where `/metrics`, `/healthz` and `/readyz` are; nowhere without.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct MetricsSection {
    pub(super) listen: Option<Spanned<SocketAddr>>,
}

/// Who signs attested documents: a CA of the host's own, or whoever made a certificate for it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct AttestationSection {
    /// The data directory of this host, which has its CA.
    pub(super) data_dir: Option<Spanned<PathBuf>>,
    /// A PEM file with a certificate that somebody made, and its private key.
    pub(super) certificate: Option<Spanned<PathBuf>>,
    /// The name in the certificate that the CA makes.
    pub(super) name: Option<Word>,
    /// Where that says the CA's certificate is to be had.
    pub(super) issuer_url: Option<Word>,
    /// Where it is served at the path of that URL.
    pub(super) issuer_listen: Option<Spanned<SocketAddr>>,
}

/// Faults on purpose.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct FaultsSection {
    /// A playbook for every VM of this host.
    pub(super) playbook: Option<Spanned<PathBuf>>,
}

/// A VM of this host.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct MachineSection {
    pub(super) name: Word,
    /// Its resource id.
    pub(super) id: Word,
    pub(super) vm_id: Word,
    pub(super) tenant: Word,
    pub(super) attachment: Spanned<AttachmentWords>,
    pub(super) system_assigned: Option<IdentitySection>,
    #[serde(default)]
    pub(super) user_assigned: Vec<IdentitySection>,
}

/// An identity, with what signs in as it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct IdentitySection {
    /// The resource id of a user-assigned one.
    pub(super) id: Option<Word>,
    pub(super) client_id: Word,
    pub(super) principal_id: Word,
    /// A PEM file with a certificate and its private key.
    pub(super) certificate: Spanned<PathBuf>,
}
