//! The extension of each VM: credentials placed on the guest's disk, the endpoint opened.
//!
//! `up` plays the part of the control plane that carries a credential to a VM, and of the guest agent that
//! starts the endpoint. The endpoint itself knows nothing of that: it reads the disk and asks the authority
//! over TLS.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use broker::http::AuthorityClient;
use broker::{Broker, Counters, Freshness};
use contract::gate::AllowedHosts;
use control::vm_credential;
use domain::{AssignedIdentities, ManagedIdentity, ResourceId, SharedClock};
use guest::Endpoint;
use guest::credential::NewCredential;
use guest::discovery_file::DiscoveryFile;
use guest::disk::Disk;
use guest::identities::Identities;
use guest::source::ExtensionSource;
use listen::{Room, Shutdown};
use store::Handle;
use tokio::task::JoinSet;

use super::machines::ExtensionPort;

/// How often credentials are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(3_600);

/// Where a VM's extension lives.
pub(crate) struct Guest {
    pub(crate) vm: ResourceId,
    pub(crate) identities: AssignedIdentities,
    pub(crate) disk: Disk,
}

/// Sees to it that the guest's disk holds a good credential for each of its identities, and for no other.
pub(crate) async fn place_credentials(guest: &Guest, store: &Handle, clock: &SharedClock) -> anyhow::Result<()> {
    let disk = guest.disk.clone();
    let (held, unusable) = tokio::task::spawn_blocking(move || disk.load()).await?;
    for error in &unusable {
        tracing::warn!(error = error as &dyn std::error::Error, "a credential is replaced");
    }
    let mut good = HashSet::new();
    for credential in held {
        let client_id = credential.identity.client_id;
        let assigned = guest.identities.by_client_id(client_id).is_some();
        if !assigned {
            guest.disk.remove(client_id)?;
        } else if vm_credential::is_good(store, &guest.vm, credential.certificate, clock.now()).await? {
            good.insert(client_id);
        }
    }
    let mut issuing = JoinSet::new();
    for identity in guest.identities.iter().filter(|identity| !good.contains(&identity.client_id)) {
        let (identity, vm, store) = (ManagedIdentity::clone(identity), guest.vm.clone(), store.clone());
        let (disk, now) = (guest.disk.clone(), clock.now());
        issuing.spawn(async move {
            let issued = vm_credential::issue(&store, &identity, &vm, now).await?;
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
    while let Some(issued) = issuing.join_next().await {
        issued??;
    }
    Ok(())
}

/// Renews the guest's credentials for ever. A failure is told and tried again.
pub(crate) async fn keep_credentials(guest: Guest, store: Handle, clock: SharedClock) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        if let Err(error) = place_credentials(&guest, &store, &clock).await {
            tracing::error!(error = format!("{error:#}"), "the extension's credentials could not be renewed");
        }
    }
}

/// Opens the endpoint; the discovery file is there as long as the value that comes back.
pub(crate) async fn start(
    guest: &Guest,
    port: ExtensionPort,
    authority: AuthorityClient,
    room: &Room,
    clock: &SharedClock,
    shutdown: &Shutdown,
    tasks: &mut JoinSet<()>,
) -> anyhow::Result<DiscoveryFile> {
    let disk = guest.disk.clone();
    let identities = tokio::task::spawn_blocking(move || Identities::open(disk)).await?;
    let identities = Arc::new(identities);
    let source = ExtensionSource::new(authority, identities.clone(), clock.clone());
    let broker = Broker::new(Arc::new(source), clock.clone(), Freshness::default(), Counters::register("extension"));
    let hosts = AllowedHosts::extension(port.port, port.own);
    let endpoint = Endpoint::new(identities, broker, hosts, guest.disk.log_folder().display().to_string());
    for listener in port.listeners {
        let config = listen::Config { room: room.clone(), ..guest::listener_config() };
        tasks.spawn(listen::serve(listener, endpoint.clone(), config, shutdown.ending()));
    }
    Ok(DiscoveryFile::write(&guest.disk, port.port)?)
}
