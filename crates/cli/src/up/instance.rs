//! What a running `up` is: the line that `--json` prints, and the file that other commands find it by.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};

/// The file in the data directory, there while `up` runs.
const FILE: &str = "instance.json";

/// A running `up`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Instance {
    /// The first VM's metadata service, a base URL without a trailing slash.
    pub(crate) imds: Option<String>,
    /// The first VM's extension endpoint, the full token URL.
    pub(crate) extension: Option<String>,
    /// The control plane's base URL.
    pub(crate) arm: String,
    /// The authority's base URL.
    pub(crate) authority: String,
    /// The base URL of `/metrics`, `/healthz`, `/readyz`.
    pub(crate) metrics: String,
    /// The first VM's tenant.
    pub(crate) tenant_id: String,
    /// The first VM's subscription.
    pub(crate) subscription_id: String,
    /// The first VM's resource group.
    pub(crate) resource_group: String,
    /// Every VM, the first first.
    pub(crate) vms: Vec<InstanceVm>,
    /// What guest agents find their hosts by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) wire_servers: Vec<InstanceWireServer>,
    /// The certificate of the local CA, PEM.
    pub(crate) ca_file: PathBuf,
    /// Where it is served as DER, a URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) issuer_certificate: Option<String>,
    /// Who may do everything; only in the line of `--json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) admin: Option<Admin>,
    /// The process.
    pub(crate) pid: u32,
}

/// A VM of a running `up`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InstanceVm {
    pub(crate) name: String,
    pub(crate) id: String,
    /// The metadata service's base URL, or the attachment of a VM that is the only one to reach it.
    pub(crate) imds: String,
    pub(crate) extension: Option<String>,
    pub(crate) identities: Vec<InstanceIdentity>,
}

/// The host of a VM as that VM's agent finds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InstanceWireServer {
    /// The VM; the first without.
    pub(crate) vm: Option<String>,
    /// The WireServer, a base URL without a trailing slash.
    pub(crate) wire: String,
    /// The HostGAPlugin, likewise.
    pub(crate) host_plugin: String,
}

/// An identity of a VM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InstanceIdentity {
    /// `SystemAssigned` or `UserAssigned`.
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) client_id: String,
    pub(crate) principal_id: String,
}

/// The application that owns everything.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Admin {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
}

impl std::fmt::Debug for Admin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Admin").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// The instance file, removed when `up` ends.
pub(crate) struct InstanceFile(PathBuf);

impl InstanceFile {
    /// Writes the file, without the admin's secret.
    pub(crate) fn write(data_dir: &Path, instance: &Instance) -> io::Result<Self> {
        let file = Self(data_dir.join(FILE));
        file.rewrite(instance)?;
        Ok(file)
    }

    /// Writes it anew, without the admin's secret.
    pub(crate) fn rewrite(&self, instance: &Instance) -> io::Result<()> {
        let shown = Instance { admin: None, ..instance.clone() };
        let mut text = serde_json::to_string(&shown)?;
        text.push('\n');
        crate::files::write_private(&self.0, text.as_bytes())
    }
}

impl Drop for InstanceFile {
    fn drop(&mut self) {
        // Gone already with a temporary directory: nothing to do.
        drop(fs::remove_file(&self.0));
    }
}

/// Why no running `up` was found.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotRunning {
    #[error("no symbolon is up with the data directory {}; start one with: symbolon up", .0.display())]
    NoFile(PathBuf),
    #[error("{} can't be read; start symbolon up again", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        why: io::Error,
    },
    #[error("symbolon up (process {pid}) ended without tidying up; start it again with: symbolon up")]
    Dead { pid: u32 },
    #[error("this symbolon has no VM '{name}'; it has: {there}")]
    NoVm { name: String, there: String },
    #[error("this symbolon has several VMs '{name}'; say which with --vm and its resource id: {ids}")]
    SeveralVms { name: String, ids: String },
    #[error(
        "VM '{name}' is known by its attachment ({attachment}): its metadata service answers from within the VM alone"
    )]
    FromWithin { name: String, attachment: String },
    #[error("VM '{name}' has no extension endpoint; give it one in the seed, or leave --no-extension out")]
    NoExtension { name: String },
}

/// Finds the running `up` of a data directory.
pub(crate) fn find(data_dir: &Path) -> Result<Instance, NotRunning> {
    let path = data_dir.join(FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Err(NotRunning::NoFile(data_dir.to_owned())),
        Err(why) => return Err(NotRunning::Unreadable { path, why }),
    };
    let instance: Instance = serde_json::from_str(&text)
        .map_err(|why| NotRunning::Unreadable { path, why: io::Error::new(io::ErrorKind::InvalidData, why) })?;
    let pid = i32::try_from(instance.pid).ok().and_then(rustix::process::Pid::from_raw);
    if pid.is_none_or(|pid| rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH)) {
        return Err(NotRunning::Dead { pid: instance.pid });
    }
    Ok(instance)
}

impl Instance {
    /// The VM of a name or resource id, or the first.
    pub(crate) fn vm(&self, name: Option<&str>) -> Result<&InstanceVm, NotRunning> {
        let no_vm = || NotRunning::NoVm {
            name: name.unwrap_or("(the first)").to_owned(),
            there: self.vms.iter().map(|vm| vm.name.as_str()).collect::<Vec<_>>().join(", "),
        };
        let Some(name) = name else { return self.vms.first().ok_or_else(no_vm) };
        let is_meant = |vm: &&InstanceVm| vm.name.eq_ignore_ascii_case(name) || vm.id.eq_ignore_ascii_case(name);
        let meant: Vec<_> = self.vms.iter().filter(is_meant).collect();
        match meant.as_slice() {
            [] => Err(no_vm()),
            [one] => Ok(one),
            [_, _, ..] => Err(NotRunning::SeveralVms {
                name: name.to_owned(),
                ids: meant.iter().map(|vm| vm.id.as_str()).collect::<Vec<_>>().join(", "),
            }),
        }
    }
}

impl InstanceVm {
    /// The metadata service's base URL, where it has one that anyone on this machine can ask.
    pub(crate) fn metadata_service(&self) -> Option<&str> {
        Some(self.imds.as_str()).filter(|imds| imds.starts_with("http://"))
    }

    /// The same, for a command that asks there.
    pub(crate) fn reachable(&self) -> Result<&str, NotRunning> {
        let from_within = || NotRunning::FromWithin { name: self.name.clone(), attachment: self.imds.clone() };
        self.metadata_service().ok_or_else(from_within)
    }

    /// The extension's token URL.
    pub(crate) fn extension(&self) -> Result<&str, NotRunning> {
        self.extension.as_deref().ok_or_else(|| NotRunning::NoExtension { name: self.name.clone() })
    }
}
