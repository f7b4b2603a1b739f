//! The extension of each VM: credentials placed on the guest's disk, the endpoint opened.
//!
//! `up` plays the part of the control plane that carries a credential to a VM, and of the guest agent that
//! starts the endpoint. The endpoint itself knows nothing of that: it reads the disk and asks the authority
//! over TLS.

use std::collections::HashSet;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use broker::credential::NewCredential;
use broker::http::AuthorityClient;
use broker::{Broker, Counters, Freshness};
use contract::gate::AllowedHosts;
use control::vm_credential::{self, KeyMaker};
use domain::{AssignedIdentities, ManagedIdentity, PowerState, ResourceId, SharedClock};
use guest::callers::Callers;
use guest::discovery_file::{DiscoveryFile, recall_copy};
use guest::disk::Disk;
use guest::failure_log::FailureLog;
use guest::identities::Identities;
use guest::source::ExtensionSource;
use guest::{Backend, Endpoint, Serving};
use playbook::Faulty;
use store::Handle;
use tokio::task::{JoinError, JoinSet};

use super::endpoints::Place;
use super::faults::before_extension;
use super::guest_process::Common;
use super::machines::ExtensionPort;
use super::roster::GUESTS;
use super::stage::Stage;
use super::wanted::Stored;

/// For how many guests credentials are made at once.
const AT_ONCE: usize = 8;

/// Where a VM's extension lives.
pub(crate) struct Guest {
    pub(crate) vm: ResourceId,
    pub(crate) identities: AssignedIdentities,
    pub(crate) disk: Disk,
    /// Where everyone may read the endpoint's address, when that is wanted.
    pub(crate) discovery_copy: Option<PathBuf>,
}

/// The folder of the guests, made where it isn't there. What an earlier run left on the disks of guests that have no
/// extension now is taken away, and every copy of a discovery file that it left; `running` are those that have one, with
/// their folders.
pub(crate) fn open_guests(data: &Path, running: &[(ResourceId, String)]) -> anyhow::Result<PathBuf> {
    let guests = std::path::absolute(data.join(GUESTS))?;
    let made = DirBuilder::new().recursive(true).mode(0o700).create(&guests);
    made.with_context(|| format!("{} can't be made", guests.display()))?;
    let folders = std::fs::read_dir(&guests).with_context(|| format!("{} can't be read", guests.display()))?;
    for folder in folders {
        let folder = folder?;
        let disk = Disk::new(folder.path());
        if let Err(error) = recall_copy(&disk) {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "an earlier run's discovery file may still be there"
            );
        }
        if !running.iter().any(|(_, name)| folder.file_name() == name.as_str()) {
            disk.withdraw()?;
        }
    }
    Ok(guests)
}

/// Makes the credentials that guests lack, so that the start waits for their keys once and not for one guest after the
/// other. What fails here is told when the endpoint that needs it opens.
pub(crate) async fn prepare(
    guests: &Path,
    running: &[(ResourceId, String)],
    store: &Handle,
    keys: &KeyMaker,
    clock: &SharedClock,
) {
    let told = |placed: Option<Result<anyhow::Result<()>, JoinError>>| {
        if let Some(Ok(Err(error))) = placed {
            tracing::debug!(error = format!("{error:#}"), "a guest's credentials could not be made beforehand");
        }
    };
    let mut placing = JoinSet::new();
    for (id, folder) in running {
        if placing.len() >= AT_ONCE {
            told(placing.join_next().await);
        }
        let (id, disk, store, clock) = (id.clone(), Disk::new(guests.join(folder)), store.clone(), clock.clone());
        let keys = keys.clone();
        placing.spawn(async move {
            let of = id.clone();
            let Some(found) = store.read(move |tx| Stored::load(tx, &of)).await? else { return Ok(()) };
            let none = found.cutover.as_ref().is_some_and(|cutover| !cutover.needs_credentials());
            if found.vm.power != PowerState::Running || none {
                return Ok(());
            }
            let guest = Guest { vm: id, identities: found.snapshot.identities, disk, discovery_copy: None };
            place_credentials(&guest, &store, &keys, &clock).await
        });
    }
    while !placing.is_empty() {
        told(placing.join_next().await);
    }
}

/// Sees to it that the guest's disk holds a good credential for each of its identities, and for no other. An identity for
/// which there is none keeps no other back.
///
/// # Errors
/// The first of an identity; or when the disk or the store fails.
pub(crate) async fn place_credentials(
    guest: &Guest,
    store: &Handle,
    keys: &KeyMaker,
    clock: &SharedClock,
) -> anyhow::Result<()> {
    let (disk, identities) = (guest.disk.clone(), guest.identities.clone());
    let looked = tokio::task::spawn_blocking(move || {
        disk.keep_only(|client| identities.by_client_id(client).is_some())?;
        anyhow::Ok(disk.load())
    });
    let (held, unusable) = looked.await??;
    for error in &unusable {
        tracing::warn!(error = error as &dyn std::error::Error, "a credential is replaced");
    }
    let mut good = HashSet::new();
    for credential in held {
        if vm_credential::is_good(store, &guest.vm, None, credential.certificate, clock.now()).await? {
            good.insert(credential.identity.client_id);
        }
    }
    let mut issuing = JoinSet::new();
    for identity in guest.identities.iter().filter(|identity| !good.contains(&identity.client_id)) {
        let (identity, vm, store) = (ManagedIdentity::clone(identity), guest.vm.clone(), store.clone());
        let (keys, disk, now) = (keys.clone(), guest.disk.clone(), clock.now());
        issuing.spawn(async move {
            // A guest in this process has one disk, from which all its extensions sign.
            let issued = vm_credential::issue(&store, &keys, &identity, &vm, None, now).await?;
            let credential = NewCredential {
                identity,
                vm,
                certificate: issued.certificate,
                key: issued.key,
                not_after: issued.not_after,
            };
            tokio::task::spawn_blocking(move || disk.place(&credential)).await??;
            anyhow::Ok(())
        });
    }
    let mut all = Ok(());
    while let Some(issued) = issuing.join_next().await {
        all = all.and(issued.map_err(Into::into).flatten());
    }
    all
}

/// Tokens by the credentials on the guest's disk.
pub(crate) async fn serving(guest: &Guest, authority: AuthorityClient, clock: &SharedClock) -> anyhow::Result<Backend> {
    let disk = guest.disk.clone();
    let identities = Arc::new(tokio::task::spawn_blocking(move || Identities::open(disk)).await?);
    let source = ExtensionSource::new(authority, identities.clone(), clock.clone());
    let broker = Broker::new(Arc::new(source), clock.clone(), Freshness::default(), Counters::register("extension"));
    Ok(Backend::Serving(Arc::new(Serving::new(identities, broker))))
}

/// Opens an endpoint.
pub(crate) fn start(
    guest: &Guest,
    port: ExtensionPort,
    backend: Backend,
    common: &Common,
    callers: Arc<Callers>,
) -> (Endpoint, Stage) {
    let hosts = AllowedHosts::extension(port.port, port.own);
    let log = FailureLog::new(guest.disk.log_folder(), common.clock.clone());
    let front = before_extension(&common.playbooks, guest.vm.clone(), hosts.clone(), log.folder());
    let endpoint = Endpoint::new(backend, common.throttle(), hosts, log, callers);
    let faulty = Faulty::new(endpoint.clone(), front);
    let mut stage = Stage::default();
    for listener in port.listeners {
        let service = faulty.clone();
        let config = listen::Config { room: common.room.clone(), ..guest::listener_config() };
        stage.run(|ending| listen::serve(listener, service, config, ending));
    }
    (endpoint, stage)
}

/// Writes the discovery file, and the copy that is wanted; they are there as long as what comes back.
pub(crate) fn tell(guest: &Guest, place: Place) -> anyhow::Result<Vec<DiscoveryFile>> {
    let mut files = vec![DiscoveryFile::write(&guest.disk, place.own, place.port)?];
    if let Some(copy) = &guest.discovery_copy {
        files.push(DiscoveryFile::write_copy(&guest.disk, copy, place.own, place.port)?);
    }
    Ok(files)
}
