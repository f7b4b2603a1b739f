//! The identities that the guest has credentials for, read again whenever the disk changes.

use std::sync::Arc;

use arc_swap::ArcSwap;
use domain::{AssignedIdentities, ClientId, IdentityKind, PrincipalId};
use tokio::sync::Mutex;

use crate::disk::{Disk, Stamp};
use broker::credential::Credential;

/// What was read from the disk at one moment.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The identities, arranged for selection.
    pub identities: AssignedIdentities,
    credentials: Vec<Arc<Credential>>,
    stamp: Option<Stamp>,
}

impl Loaded {
    /// The credential of an identity.
    #[must_use]
    pub fn credential(&self, client_id: ClientId) -> Option<Arc<Credential>> {
        self.credentials.iter().find(|credential| credential.identity.client_id == client_id).cloned()
    }

    /// Whether a principal has a credential here.
    #[must_use]
    pub fn contains(&self, principal: PrincipalId) -> bool {
        self.credentials.iter().any(|credential| credential.identity.principal_id == principal)
    }
}

/// The identities of one guest.
#[derive(Debug)]
pub struct Identities {
    disk: Disk,
    loaded: ArcSwap<Loaded>,
    reading: Mutex<()>,
}

impl Identities {
    /// Reads the disk for the first time.
    #[must_use]
    pub fn open(disk: Disk) -> Self {
        let loaded = ArcSwap::from_pointee(load(&disk));
        Self { disk, loaded, reading: Mutex::new(()) }
    }

    /// The identities as they are now; the disk is read again when it changed since the last time.
    pub async fn current(&self) -> Arc<Loaded> {
        let loaded = self.loaded.load_full();
        if self.disk.stamp() == loaded.stamp {
            return loaded;
        }
        self.reload().await
    }

    /// Reads the disk again, changed or not: two changes within one tick of the file system's clock look
    /// like one.
    pub async fn reload(&self) -> Arc<Loaded> {
        let _one_at_a_time = self.reading.lock().await;
        let disk = self.disk.clone();
        match tokio::task::spawn_blocking(move || load(&disk)).await {
            Ok(loaded) => self.loaded.store(Arc::new(loaded)),
            Err(error) => tracing::error!(%error, "the credentials could not be read again"),
        }
        self.loaded.load_full()
    }
}

fn load(disk: &Disk) -> Loaded {
    // Before the reading: a change in the middle of it is then seen as one.
    let stamp = disk.stamp();
    let (sound, unsound) = disk.load();
    for error in &unsound {
        tracing::error!(error = error as &dyn std::error::Error, "a credential can't be used");
    }
    let mut credentials = Vec::with_capacity(sound.len());
    for stored in &sound {
        match Credential::open(stored) {
            Ok(credential) => credentials.push(Arc::new(credential)),
            Err(error) => {
                tracing::error!(client_id = %stored.identity.client_id, %error, "a credential's key can't be used");
            }
        }
    }
    let of_kind = |kind: IdentityKind| {
        let held = credentials.iter().filter(move |credential| credential.identity.kind == kind);
        held.map(|credential| credential.identity.clone())
    };
    let system = of_kind(IdentityKind::SystemAssigned).next();
    let user = of_kind(IdentityKind::UserAssigned).collect();
    Loaded { identities: AssignedIdentities::new(system, user), credentials, stamp }
}
