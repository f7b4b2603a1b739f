//! What lies where on a VM's disk: what of it is of the extension, and what is to be there.

use std::path::Path;

use super::Worth;
use super::pattern::Kind;

/// Why what a guest agent keeps of its own is allowed.
pub(super) const AGENTS_OWN: &str =
    "the guest agent's own transport key: it opens nothing that is left, and is accepted nowhere";
const HOST_KEY: &str = "the machine's own SSH host key, of no identity";

/// The agent's folder, and what in it is its own: the names of Azure's agent (2.7.3 and 2.15 were measured).
const AGENT: &str = "var/lib/waagent";
const AGENTS: [&str; 5] =
    ["TransportPrivate.pem", "TransportCert.pem", "Certificates.p7m", "Certificates.pem", "Certificates.xml"];

/// How the names of the extension's own files begin, on Linux and on Windows.
const EXTENSION: &str = "Microsoft.ManagedIdentity.ManagedIdentityExtensionFor";

/// A file, by where it is.
pub(super) enum Place {
    Agent,
    HostKey,
    Other,
}

impl Place {
    pub(super) fn of(below: &Path) -> Self {
        let name = below.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let folder = below.parent().unwrap_or(below);
        if folder == Path::new(AGENT) && (AGENTS.contains(&name) || is_tenant_key(name)) {
            Self::Agent
        } else if folder == Path::new("etc/ssh") && name.starts_with("ssh_host_") {
            Self::HostKey
        } else {
            Self::Other
        }
    }

    /// What something in this file is worth.
    pub(super) fn worth(&self, kind: Kind) -> (Worth, &'static str) {
        match (self, kind) {
            (Self::Agent, Kind::PemKey | Kind::DerKey | Kind::Base64Key) => (Worth::Allowed, AGENTS_OWN),
            (Self::HostKey, Kind::PemKey) => (Worth::Allowed, HOST_KEY),
            (_, Kind::SealedSettings) => (Worth::Usable, "the agent's key opens it"),
            (_, Kind::Token) => (Worth::Usable, "it is good until it ends: remove it"),
            (_, Kind::PemKey | Kind::DerKey | Kind::Base64Key | Kind::Pkcs12) => {
                (Worth::Usable, "whoever has it can sign in with it, if its certificate isn't revoked: remove it")
            }
        }
    }
}

/// `<THUMBPRINT>.prv` and `.crt`.
fn is_tenant_key(name: &str) -> bool {
    let stem = name.strip_suffix(".prv").or_else(|| name.strip_suffix(".crt"));
    stem.is_some_and(|stem| stem.len() == 40 && stem.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// What a file or folder is of the extension, if it is anything. Logs are left on purpose.
pub(super) fn remains(below: &Path) -> Option<&'static str> {
    let text = below.to_str()?;
    let (folder, name) = text.rsplit_once('/').unwrap_or(("", text));
    match folder {
        "var/lib/symbolon/identities" => Some("a credential of an identity"),
        _ if name == "ManagedIdentity-Settings" => Some("the discovery document of the extension"),
        AGENT if name.starts_with(EXTENSION) => Some("the extension's own folder or package"),
        AGENT if name.starts_with("ManagedIdentity-") && name.ends_with(".json") => Some("a file of the extension"),
        "var/log/azure" | "WindowsAzure/Logs/Plugins" if name.starts_with(EXTENSION) => Some("logs of the extension"),
        "Packages/Plugins" if name.starts_with(EXTENSION) => Some("the extension's own folder or package"),
        _ if folder.ends_with("systemd/system") && (name.starts_with("msi-extension") || name.contains("symbolon")) => {
            Some("a unit of the extension")
        }
        "var/lib" if name == "symbolon" => Some("the extension's state"),
        _ => None,
    }
}
