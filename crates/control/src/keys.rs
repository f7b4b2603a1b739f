//! The signing keys of an installation: kept in the store, wrapped by the key-encryption key in a file.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use authority::issuer::{Issuers, TokenVersion};
use authority::kek::{FileKek, Kek, KekError};
use authority::key_ring::{KeyRing, Ring, RingError, aad};
use authority::signer::{KeyError, NewKey};
use domain::{KeyState, RotationPolicy, RotationStep, SharedClock, SigningKeyRecord, Timestamp};
use store::{Act, Handle};
use tokio::sync::Mutex;

use crate::private_file::{self, FileError};

/// What the keys sign.
const PURPOSE: &str = "access-token";
/// The life of a key's certificate; nobody checks it, and it must outlive every rotation.
const CERTIFICATE_LIFE: Duration = Duration::from_secs(5 * 365 * 86_400);
/// Who acts when keys move on by themselves.
const ACTOR: &str = "symbolon";

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The key-encryption key's file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The key-encryption key.
    #[error("the key-encryption key can't be used")]
    Kek(#[from] KekError),
    /// A key could not be made.
    #[error("a signing key could not be made")]
    Key(#[from] KeyError),
    /// Its file is gone.
    #[error(
        "{} is gone, and with it what opens the signing keys and checks the client secrets in the store; put it back, \
         or start from nothing with --ephemeral or another --data-dir",
        .0.display()
    )]
    KekLost(PathBuf),
    /// The records make no ring.
    #[error(transparent)]
    Ring(#[from] RingError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A task ended without a result.
    #[error("the making of a key was stopped")]
    Stopped,
}

/// Keeps the keys and moves them through their states.
pub struct Keys {
    store: Handle,
    kek: Arc<FileKek>,
    issuers: Arc<Issuers>,
    clock: SharedClock,
    policy: RotationPolicy,
    ring: Arc<KeyRing>,
    /// One change at a time: each reads the records, and writes all of them.
    changing: Mutex<()>,
}

/// Opens the key-encryption key in a folder, making it on the first start: when the store has no signing keys that need
/// the one there was.
///
/// # Errors
/// When its file can't be read or written, isn't one, or is gone.
pub async fn open_kek(folder: &Path, store: &Handle) -> Result<FileKek, KeysError> {
    let path = folder.join("kek.json");
    if let Some(text) = private_file::read(&path)? {
        return Ok(FileKek::parse(&text)?);
    }
    if !store.read(|tx| tx.signing_keys()).await?.is_empty() {
        return Err(KeysError::KekLost(path));
    }
    let kek = FileKek::generate()?;
    private_file::write(&path, &kek.text()?)?;
    Ok(kek)
}

impl Keys {
    /// Opens the keys. On the first start only the one that signs is made; [`Keys::rotate`] makes the one that
    /// waits.
    ///
    /// # Errors
    /// When a key can't be made, kept or opened.
    pub async fn open(
        store: Handle,
        kek: Arc<FileKek>,
        issuers: Arc<Issuers>,
        clock: SharedClock,
        policy: RotationPolicy,
    ) -> Result<Self, KeysError> {
        let mut records = of_issuer(&store, &issuers).await?;
        if records.is_empty() {
            let now = clock.now();
            let mut first = make(Arc::clone(&kek), issuers.v1.clone(), now).await?;
            first.state = KeyState::Active;
            first.activated_at = Some(now);
            let act = Act::new(ACTOR, "signingKey.create", &first.kid, now);
            let record = first.clone();
            store
                .write(act, move |tx| {
                    tx.put_signing_key(&record)?;
                    Ok::<_, store::Error>(())
                })
                .await?;
            records.push(first);
        }
        let ring = Arc::new(KeyRing::open(&records, &*kek, &issuers.common(TokenVersion::V2))?);
        Ok(Self { store, kek, issuers, clock, policy, ring, changing: Mutex::default() })
    }

    /// The keys as they are now.
    #[must_use]
    pub fn ring(&self) -> &Arc<KeyRing> {
        &self.ring
    }

    /// Does what is due: publishes a key that waits, lets it sign, removes one whose tokens are over.
    ///
    /// # Errors
    /// When a key can't be made or kept; what was done before stays done.
    pub async fn rotate(&self) -> Result<usize, KeysError> {
        let _one_at_a_time = self.changing.lock().await;
        let mut records = of_issuer(&self.store, &self.issuers).await?;
        let mut done = 0;
        loop {
            let now = self.clock.now();
            let steps = self.policy.due(now, &records);
            let Some(step) = steps.first() else { break };
            let (action, kid) = self.take(step, now, &mut records).await?;
            self.keep(Act::new(ACTOR, action, kid, now), records.clone()).await?;
            done += 1;
        }
        Ok(done)
    }

    /// Takes a key out at once: out of the key set, and out of what is verified here. If it signed, the waiting
    /// one signs from now on, in the same transaction; [`Keys::rotate`] makes another one to wait. Whether there
    /// is such a key. `actor` is who wants it, for the audit.
    ///
    /// # Errors
    /// When no other key can be made, or the change can't be kept; then nothing is changed.
    pub async fn revoke(&self, kid: &str, actor: &str) -> Result<bool, KeysError> {
        let _one_at_a_time = self.changing.lock().await;
        let mut records = of_issuer(&self.store, &self.issuers).await?;
        let now = self.clock.now();
        if !RotationPolicy::revoke(kid, now, &mut records) {
            return Ok(false);
        }
        while !records.iter().any(|record| record.state == KeyState::Active) {
            let steps = self.policy.due(now, &records);
            let Some(step) = steps.first() else { break };
            self.take(step, now, &mut records).await?;
        }
        self.keep(Act::new(actor, "signingKey.revoke", kid, now), records).await?;
        Ok(true)
    }

    /// Does a step to the records; what it is called in the audit, and its key.
    async fn take(
        &self,
        step: &RotationStep,
        now: Timestamp,
        records: &mut Vec<SigningKeyRecord>,
    ) -> Result<(&'static str, String), KeysError> {
        let made = match step {
            RotationStep::Publish => Some(make(Arc::clone(&self.kek), self.issuers.v1.clone(), now).await?),
            RotationStep::Activate { .. } | RotationStep::Remove { .. } => None,
        };
        let named = match step {
            RotationStep::Publish => {
                ("signingKey.publish", made.as_ref().map(|key| key.kid.clone()).unwrap_or_default())
            }
            RotationStep::Activate { kid } => ("signingKey.activate", kid.clone()),
            RotationStep::Remove { kid } => ("signingKey.remove", kid.clone()),
        };
        RotationPolicy::apply(step, now, records, made);
        Ok(named)
    }

    /// Keeps the records, and then signs and verifies with them. What makes no ring is not kept.
    async fn keep(&self, act: Act, records: Vec<SigningKeyRecord>) -> Result<(), KeysError> {
        let ring = Ring::open(&records, &*self.kek, &self.issuers.common(TokenVersion::V2))?;
        self.store
            .write(act, move |tx| {
                for record in &records {
                    tx.put_signing_key(record)?;
                }
                Ok::<_, store::Error>(())
            })
            .await?;
        self.ring.swap(ring);
        Ok(())
    }

    /// Rotates now and then, for ever. A failure is told and tried again.
    pub async fn keep_rotating(self: Arc<Self>, every: Duration) {
        let mut ticks = tokio::time::interval(every);
        loop {
            ticks.tick().await;
            match self.rotate().await {
                Ok(0) => {}
                Ok(steps) => tracing::info!(steps, "the signing keys moved on"),
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "the signing keys could not move on");
                }
            }
        }
    }
}

/// The keys that are bound to this issuer. Another issuer's are of no use here: after a change of the issuer new
/// ones are made.
async fn of_issuer(store: &Handle, issuers: &Issuers) -> Result<Vec<SigningKeyRecord>, store::Error> {
    let mut records = store.read(|tx| tx.signing_keys()).await?;
    records.retain(|record| record.issuer == issuers.v1 && record.purpose == PURPOSE);
    Ok(records)
}

/// Makes a key that waits, wrapped. Generating takes up to a tenth of a second of CPU.
async fn make(kek: Arc<FileKek>, issuer: String, now: Timestamp) -> Result<SigningKeyRecord, KeysError> {
    let work = move || {
        let key = NewKey::generate("symbolon access tokens", now, now.plus(CERTIFICATE_LIFE))?;
        let mut record = SigningKeyRecord {
            kid: key.certificate.kid(),
            issuer,
            purpose: PURPOSE.to_owned(),
            version: 1,
            state: KeyState::Next,
            certificate_der: key.certificate.der,
            wrapped: Vec::new(),
            kek_id: kek.id().to_owned(),
            published_at: now,
            activated_at: None,
            retired_at: None,
            revoked_at: None,
        };
        record.wrapped = kek.wrap(&aad(&record), &key.pkcs8)?;
        Ok(record)
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| KeysError::Stopped)?
}
