//! What is wanted of a VM's agent, read in one go, and its digest.

use std::io;
use std::net::SocketAddr;

use aws_lc_rs::digest::{SHA256, digest};
use contract::guest_agent::names::compare_versions;
use contract::guest_agent::protected::Authority;
use domain::vm_extension::{MANAGED_IDENTITY_LINUX, MANAGED_IDENTITY_PUBLISHER, MANAGED_IDENTITY_WINDOWS};
use domain::{
    AssignedIdentities, Attachment, Cutover, GoalState, ProvisioningState, ResourceId, Step, VirtualMachine,
    VmExtension,
};
use serde_json::json;
use store::ReadTx;

use super::Versions;

/// Everything that the goal state of a VM is made of.
pub(super) struct Wanted {
    pub(super) machine: VirtualMachine,
    pub(super) identities: AssignedIdentities,
    pub(super) extensions: Vec<VmExtension>,
    /// What was given out last.
    pub(super) last: Option<GoalState>,
    cutover: Option<Cutover>,
    /// How many certificates of the machine were revoked, and when last.
    revoked: (usize, Option<i64>),
}

impl Wanted {
    /// Reads it; none when there is no such machine.
    pub(super) fn read(tx: &dyn ReadTx, vm: &ResourceId) -> Result<Option<Self>, store::Error> {
        let Some((machine, snapshot)) = tx.virtual_machine(vm)?.zip(tx.vm_snapshot(vm)?) else { return Ok(None) };
        let (extensions, last) = (tx.vm_extensions(vm)?, tx.goal_state(vm)?);
        let certificates = tx.certificate_credentials_of_vm(vm)?;
        let revoked: Vec<i64> = certificates.iter().filter_map(|one| Some(one.revoked_at?.unix())).collect();
        let revoked = (revoked.len(), revoked.iter().max().copied());
        let cutover = tx.cutover(vm)?;
        Ok(Some(Self { machine, identities: snapshot.identities, extensions, last, cutover, revoked }))
    }

    /// The step of the cutover that is wanted.
    pub(super) fn step(&self) -> Step {
        self.cutover.as_ref().map_or(Step::Serving, |cutover| cutover.wanted)
    }

    /// Whether its extension is to have good credentials.
    pub(super) fn needs_credentials(&self) -> bool {
        self.cutover.as_ref().is_none_or(Cutover::needs_credentials)
    }

    /// Where the machine finds its metadata service: where its host listens for it, or where every machine looks.
    pub(super) fn imds(&self) -> SocketAddr {
        match &self.machine.attachment {
            Some(Attachment::Listen(address)) => *address,
            Some(Attachment::Device { at, .. } | Attachment::Namespace { at, .. } | Attachment::Source { at, .. }) => {
                at.address
            }
            Some(Attachment::Unix { .. } | Attachment::Vsock { .. }) | None => {
                SocketAddr::new(contract::imds::ADDRESS.into(), 80)
            }
        }
    }

    /// The extensions that have something that only this VM may read. One that is disabled needs nothing.
    pub(super) fn protected(&self) -> impl Iterator<Item = &VmExtension> {
        self.extensions.iter().filter(|extension| {
            extension.state != ProvisioningState::Deleting
                && !extension.disabled
                && (extension.is_managed_identity() || extension.spec.protected_settings.is_some())
        })
    }

    /// The same as long as nothing changes that the agent has to do with.
    pub(super) fn digest(&self, authority: &Authority, versions: &dyn Versions) -> io::Result<[u8; 32]> {
        let extensions = self.extensions.iter().map(|extension| {
            let spec = &extension.spec;
            let sealed = spec.protected_settings.as_ref().map(|sealed| &sealed.bytes);
            let gone = extension.state == ProvisioningState::Deleting;
            let (version, upgrade) = (version(extension, versions)?, spec.auto_upgrade_minor_version);
            let (id, name, sequence) = (extension.id.key(), handler(extension), extension.sequence);
            Ok(json!([id, name, version, upgrade, sequence, gone, extension.disabled, spec.settings, sealed]))
        });
        let extensions = extensions.collect::<io::Result<Vec<_>>>()?;
        let identities: Vec<_> = match self.extensions.iter().any(VmExtension::is_managed_identity) {
            true => self.identities.iter().map(|identity| json!([identity.client_id.to_string()])).collect(),
            false => Vec::new(),
        };
        // One that went and came back is the same, but what it had was revoked.
        let revoked = json!([self.revoked.0, self.revoked.1]);
        let (machine, size) = (self.machine.vm_id.to_string(), &self.machine.size);
        let authority = json!([authority.url, authority.certificates]);
        // Where nothing is cut over the text stays what it was: an agent acts on another digest.
        let mut all = vec![
            json!(machine),
            json!(size),
            json!(self.machine.location),
            authority,
            json!(extensions),
            json!(identities),
            revoked,
        ];
        if self.step() != Step::Serving {
            // To want the same again is to have it tried again.
            let since = self.cutover.as_ref().map(|cutover| cutover.since.unix());
            all.push(json!([self.step().as_str(), self.imds().to_string(), since]));
        }
        let text = json!(all).to_string();
        let mut wanted = [0; 32];
        wanted.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
        Ok(wanted)
    }
}

/// The name of the software, as agents call it: in one spelling, however it was asked for.
pub(super) fn handler(extension: &VmExtension) -> String {
    if extension.is_managed_identity() {
        let known = [MANAGED_IDENTITY_LINUX, MANAGED_IDENTITY_WINDOWS];
        let known = known.into_iter().find(|known| known.eq_ignore_ascii_case(&extension.spec.extension_type));
        return format!("{MANAGED_IDENTITY_PUBLISHER}.{}", known.unwrap_or(&extension.spec.extension_type));
    }
    format!("{}.{}", extension.spec.publisher, extension.spec.extension_type)
}

/// The version to run: the newest of those that there are which the extension allows. When none is allowed, what was
/// asked for; the agent then says that it doesn't find it.
pub(super) fn version(extension: &VmExtension, versions: &dyn Versions) -> io::Result<String> {
    let spec = &extension.spec;
    let asked = numbers(&spec.type_handler_version);
    let major = asked.first().copied();
    let allowed = |version: &String| {
        let version = numbers(version);
        match spec.auto_upgrade_minor_version {
            true => version.first().copied() == major && version >= asked,
            false => version.starts_with(&asked),
        }
    };
    let known = versions.of(&handler(extension))?;
    let newest = known.into_iter().filter(allowed).max_by(|one, other| compare_versions(one, other));
    Ok(newest.unwrap_or_else(|| {
        let missing = 4_usize.saturating_sub(asked.len());
        spec.type_handler_version.clone() + &".0".repeat(missing)
    }))
}

fn numbers(version: &str) -> Vec<u64> {
    version.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::ExtensionSpec;

    use super::*;

    struct Known;

    impl Versions for Known {
        fn of(&self, handler: &str) -> io::Result<Vec<String>> {
            let versions: &[&str] = if handler == "P.T" { &["1.0.9.0", "1.0.10.0", "1.2.0.0", "2.0.0.0"] } else { &[] };
            Ok(versions.iter().map(|version| (*version).to_owned()).collect())
        }
    }

    fn extension(publisher: &str, asked: &str, minor: bool) -> VmExtension {
        let vm = ResourceId::parse("/subscriptions/20000000-0000-4000-8000-000000000001/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v")
            .unwrap();
        VmExtension {
            id: vm.child("extensions", "e").unwrap(),
            vm,
            name: "e".to_owned(),
            location: String::new(),
            tags: BTreeMap::new(),
            spec: ExtensionSpec {
                publisher: publisher.to_owned(),
                extension_type: "T".to_owned(),
                type_handler_version: asked.to_owned(),
                auto_upgrade_minor_version: minor,
                enable_automatic_upgrade: None,
                force_update_tag: None,
                settings: None,
                protected_settings: None,
            },
            disabled: false,
            sequence: 1,
            state: ProvisioningState::Creating,
            status: None,
        }
    }

    #[test]
    fn the_newest_version_that_is_allowed() {
        let given = |asked, minor| version(&extension("P", asked, minor), &Known).unwrap();
        assert_eq!(given("1.0", true), "1.2.0.0");
        assert_eq!(given("1.0", false), "1.0.10.0");
        assert_eq!(given("1.0.9", false), "1.0.9.0");
        assert_eq!(given("1", true), "1.2.0.0");
        assert_eq!(given("2.0", true), "2.0.0.0");
        assert_eq!(given("1.3", true), "1.3.0.0", "there is none: the agent says so");
        assert_eq!(version(&extension("Q", "1.0", true), &Known).unwrap(), "1.0.0.0");
    }
}
