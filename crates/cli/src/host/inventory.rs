//! What a host serves, and who makes its tokens. A configuration says so here; whoever else says it one day hands over the
//! same.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use broker::credential::Credential;
use broker::http::AuthorityClient;
use domain::{
    AssignedIdentities, Attachment, ClientId, IdentityKind, ManagedIdentity, ResourceId, SystemClock, TenantId,
    VmSnapshot, limits,
};
use playbook::{Outcome, Playbook};
use rustix::thread::CapabilitySet;
use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use toml::Spanned;

use super::attestation::Signing;
use super::config::{AuthoritySection, HostConfig, IdentitySection, MachineSection, Word};
use super::error::ConfigError;
use super::{credential_file, privileges};
use crate::attachment::Addresses;
use crate::playbook_file;

/// How long one exchange with the authority may take.
const AUTHORITY_TIMEOUT: Duration = Duration::from_secs(10);

/// What a host serves.
pub(crate) struct Inventory {
    pub(crate) authority: AuthorityClient,
    pub(crate) machines: Vec<Placed>,
    /// What signs in as the machines' identities.
    pub(crate) credentials: Vec<Credential>,
    /// Whether requests are limited as Azure does.
    pub(crate) throttled: bool,
    /// The most connections of one VM at once.
    pub(crate) connections: usize,
    pub(crate) metrics: Option<SocketAddr>,
    /// Who signs attested documents.
    pub(crate) signing: Option<Signing>,
    /// The faults on purpose that every VM meets.
    pub(crate) playbook: Option<Playbook>,
}

impl Inventory {
    /// What the opener of its listeners needs.
    pub(crate) fn rights(&self) -> CapabilitySet {
        let issuer = self.signing.as_ref().and_then(Signing::issuer_listen);
        let own = self.metrics.into_iter().chain(issuer).map(privileges::needed_at);
        own.fold(privileges::needed(self.machines.iter().map(|machine| &machine.attachment)), CapabilitySet::union)
    }
}

/// A VM, and how it is recognised.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) name: String,
    pub(crate) vm: VmSnapshot,
    pub(crate) attachment: Attachment,
}

/// The VMs of a host, and what signs in as them: what counts when a configuration is read again.
pub(crate) struct Machines {
    pub(crate) machines: Vec<Placed>,
    pub(crate) credentials: Vec<Credential>,
}

pub(super) fn resolve(config: HostConfig, path: &Path, text: &str) -> Result<Inventory, ConfigError> {
    let HostConfig { authority, limits, metrics, attestation, faults, virtual_machines } = config;
    let resolver = Resolver::new(path, text);
    let authority = resolver.authority(authority)?;
    let Machines { machines, credentials } = resolve_machines(virtual_machines, path, text)?;
    let connections = *limits.connections.get_ref();
    if connections == 0 {
        return Err(resolver.error(&limits.connections.span(), "0 connections would let no VM in"));
    }
    if let Some(listen) = metrics.listen.as_ref().filter(|listen| listen.get_ref().ip().is_unspecified()) {
        return Err(resolver.error(&listen.span(), "the metrics are for those who run this host; name one address"));
    }
    let signing = attestation.map(|section| resolver.signing(section)).transpose()?;
    let playbook = faults.playbook.map(|file| resolver.playbook(&file)).transpose()?;
    let metrics = metrics.listen.map(Spanned::into_inner);
    let throttled = limits.throttle;
    Ok(Inventory { authority, machines, credentials, throttled, connections, metrics, signing, playbook })
}

pub(super) fn resolve_machines(
    sections: Vec<MachineSection>,
    path: &Path,
    text: &str,
) -> Result<Machines, ConfigError> {
    let mut resolver = Resolver::new(path, text);
    let machines = sections.into_iter().map(|vm| resolver.machine(vm)).collect::<Result<Vec<_>, _>>()?;
    let credentials = resolver.credentials.into_values().map(|(_, credential)| credential).collect();
    Ok(Machines { machines, credentials })
}

pub(super) struct Resolver<'c> {
    path: &'c Path,
    text: &'c str,
    /// What only one VM may have, and which has it.
    claims: HashMap<String, String>,
    /// How VMs are told apart at an address, and the first that is.
    addresses: Addresses,
    /// The files of identities that were read; several VMs may have the same one.
    credentials: HashMap<ClientId, (PathBuf, Credential)>,
}

impl<'c> Resolver<'c> {
    fn new(path: &'c Path, text: &'c str) -> Self {
        Self { path, text, claims: HashMap::new(), addresses: Addresses::default(), credentials: HashMap::new() }
    }

    fn authority(&self, section: AuthoritySection) -> Result<AuthorityClient, ConfigError> {
        let mut roots = RootCertStore::empty();
        match &section.ca_file {
            None => {
                let found = rustls_native_certs::load_native_certs();
                roots.add_parsable_certificates(found.certs);
                if roots.is_empty() {
                    let text = "this system has no certificates to trust; name those of the authority with ca-file";
                    return Err(self.error(&section.url.span(), text));
                }
            }
            Some(file) => {
                let path = self.beside(file.get_ref());
                let failed = |why: &dyn Display| self.error(&file.span(), format!("{}: {why}", path.display()));
                for certificate in CertificateDer::pem_file_iter(&path).map_err(|why| failed(&why))? {
                    let certificate = certificate.map_err(|why| failed(&why))?;
                    roots.add(certificate).map_err(|why| failed(&why))?;
                }
                if roots.is_empty() {
                    return Err(failed(&"there is no certificate in it"));
                }
            }
        }
        AuthorityClient::new(section.url.get_ref(), roots, AUTHORITY_TIMEOUT)
            .map_err(|why| self.error(&section.url.span(), why.to_string()))
    }

    fn machine(&mut self, section: MachineSection) -> Result<Placed, ConfigError> {
        let MachineSection { name, id, vm_id, tenant, attachment, system_assigned, user_assigned } = section;
        let id: ResourceId = self.checked(&id, ResourceId::parse(id.get_ref()))?;
        let tenant: TenantId = self.parsed(&tenant)?;
        let span = attachment.span();
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let attachment = attachment.into_inner().attachment(folder).map_err(|why| self.error(&span, why))?;
        let owner = name.get_ref().clone();
        self.claim(attachment.claim(), &span, &owner)?;
        self.addresses.share(&attachment, &owner).map_err(|why| self.error(&span, why))?;
        self.claim(format!("id {}", id.key()), &name.span(), &owner)?;
        self.claim(format!("vm-id {}", vm_id.get_ref().to_ascii_lowercase()), &vm_id.span(), &owner)?;
        let system = system_assigned.map(|section| self.identity(section, None, &id, tenant)).transpose()?;
        let mut user = Vec::with_capacity(user_assigned.len());
        for section in user_assigned {
            let Some(of) = section.id.clone() else {
                return Err(
                    self.error(&section.client_id.span(), "a user-assigned identity has an id, its resource id")
                );
            };
            user.push(self.identity(section, Some(&of), &id, tenant)?);
        }
        limits::check_assign(user.len(), false).map_err(|why| self.error(&name.span(), why.to_string()))?;
        let vm_id = self.parsed(&vm_id)?;
        let vm = VmSnapshot { id, vm_id, tenant, identities: AssignedIdentities::new(system, user) };
        Ok(Placed { name: owner, vm, attachment })
    }

    fn identity(
        &mut self,
        section: IdentitySection,
        id: Option<&Word>,
        vm: &ResourceId,
        tenant: TenantId,
    ) -> Result<ManagedIdentity, ConfigError> {
        if let (None, Some(id)) = (id, &section.id) {
            return Err(self.error(&id.span(), "a system-assigned identity has the id of its VM and no other"));
        }
        let identity = ManagedIdentity {
            kind: if id.is_some() { IdentityKind::UserAssigned } else { IdentityKind::SystemAssigned },
            id: id.map_or_else(|| Ok(vm.clone()), |id| self.checked(id, ResourceId::parse(id.get_ref())))?,
            tenant,
            principal_id: self.parsed(&section.principal_id)?,
            client_id: self.parsed(&section.client_id)?,
        };
        let (file, span) = (self.beside(section.certificate.get_ref()), section.certificate.span());
        match self.credentials.get(&identity.client_id) {
            Some((known, credential)) if *known == file && credential.identity == identity => {}
            Some(_) => {
                let text = format!("client id {} is there already with other ids or another file", identity.client_id);
                return Err(self.error(&section.client_id.span(), text));
            }
            None => {
                let clock = SystemClock::new();
                let credential = credential_file::read(&file, identity.clone(), vm.clone(), &clock)
                    .map_err(|why| self.error(&span, why))?;
                self.credentials.insert(identity.client_id, (file, credential));
            }
        }
        Ok(identity)
    }

    fn playbook(&self, file: &Spanned<PathBuf>) -> Result<Playbook, ConfigError> {
        let read = playbook_file::read(&self.beside(file.get_ref()));
        let (_, playbook) = read.map_err(|why| self.error(&file.span(), format!("{why:#}")))?;
        if playbook.steps.iter().any(|step| step.fault.outcome == Outcome::ExpiredToken) {
            let text = "a host has no expired tokens: its authority makes none; try that with symbolon up";
            return Err(self.error(&file.span(), text));
        }
        Ok(playbook)
    }

    fn claim(&mut self, what: String, span: &Range<usize>, owner: &str) -> Result<(), ConfigError> {
        match self.claims.entry(what) {
            Entry::Vacant(free) => {
                free.insert(owner.to_owned());
                Ok(())
            }
            Entry::Occupied(taken) => {
                let text = format!("{} of VM '{owner}' is that of VM '{}' already", taken.key(), taken.get());
                Err(self.error(span, text))
            }
        }
    }

    fn parsed<T: FromStr<Err: Display>>(&self, word: &Word) -> Result<T, ConfigError> {
        self.checked(word, word.get_ref().parse().map_err(|why| format!("'{}': {why}", word.get_ref())))
    }

    pub(super) fn checked<T, E: Display>(&self, word: &Word, result: Result<T, E>) -> Result<T, ConfigError> {
        result.map_err(|why| self.error(&word.span(), why.to_string()))
    }

    pub(super) fn error(&self, span: &Range<usize>, message: impl Into<String>) -> ConfigError {
        ConfigError::at(self.path, self.text, span, message)
    }

    /// A path in the file is meant from the file's own folder.
    pub(super) fn beside(&self, path: &Path) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(path)
    }
}
