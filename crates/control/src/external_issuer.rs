//! The keys of external issuers: fetched, kept for a while, and fetched again when an unknown one is named.
//!
//! Only issuers that are configured are ever asked, over https, with a limit on time and size. An issuer that
//! fails or is slow is asked once in a while, and whoever names a key that is known doesn't wait for it.

mod document;

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::{ExternalIssuer, Monotonic, SharedClock};
use rustls_pki_types::CertificateDer;
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

use document::Documents;

/// How long fetched keys are kept without asking again.
const KEEP: Duration = Duration::from_secs(3_600);
/// How long they serve at most while the issuer can't be had.
const KEEP_STALE: Duration = Duration::from_secs(6 * 3_600);
/// How soon after an attempt, whatever became of it, there may be another.
const COOLDOWN: Duration = Duration::from_secs(30);

/// A public RSA key of an external issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalKey {
    /// Its id, if it has one.
    pub kid: Option<String>,
    /// The modulus.
    pub n: Vec<u8>,
    /// The exponent.
    pub e: Vec<u8>,
}

/// Why an issuer's keys can't be had.
#[derive(Debug, thiserror::Error)]
pub enum KeysUnavailable {
    /// The document can't be read.
    #[error("the document {place} can't be had")]
    Document {
        /// Its file or URL.
        place: String,
        /// Why not.
        #[source]
        why: Box<dyn Error + Send + Sync>,
    },
    /// It isn't a key set, or not a discovery document of this issuer.
    #[error("the document {0} isn't what it must be")]
    Unsound(String),
    /// The last attempt failed a moment ago, and the next one waits.
    #[error("the keys could not be had a moment ago; they are asked for again in a while")]
    Lately,
    /// The task that fetched them ended without a result.
    #[error("the fetching of the keys was stopped")]
    Stopped,
}

/// The keys of every external issuer.
pub struct ExternalKeys {
    documents: Documents,
    clock: SharedClock,
    issuers: Mutex<HashMap<String, Arc<Issuer>>>,
}

/// What is known of one issuer.
#[derive(Default)]
struct Issuer {
    known: Mutex<Known>,
    /// One fetch at a time.
    turn: Arc<Turn<()>>,
}

#[derive(Clone, Default)]
struct Known {
    keys: Option<Kept>,
    /// When they were last asked for, whatever became of it.
    tried: Option<Monotonic>,
}

#[derive(Clone)]
struct Kept {
    keys: Arc<Vec<ExternalKey>>,
    at: Monotonic,
}

/// How far the kept keys go for a request.
enum Use {
    /// All the way.
    Fresh(Arc<Vec<ExternalKey>>),
    /// They are old, and serve for want of newer ones.
    Stale(Arc<Vec<ExternalKey>>),
    /// The key isn't among them.
    Unknown(Arc<Vec<ExternalKey>>),
    /// There are none.
    None,
}

impl Known {
    fn of(&self, kid: Option<&str>, now: Monotonic) -> Use {
        let Some(kept) = self.keys.as_ref().filter(|kept| now.since(kept.at) < KEEP_STALE) else { return Use::None };
        let keys = Arc::clone(&kept.keys);
        if kid.is_some_and(|kid| !keys.iter().any(|key| key.kid.as_deref() == Some(kid))) {
            Use::Unknown(keys)
        } else if now.since(kept.at) < KEEP {
            Use::Fresh(keys)
        } else {
            Use::Stale(keys)
        }
    }

    fn may_ask(&self, now: Monotonic) -> bool {
        self.tried.is_none_or(|tried| now.since(tried) >= COOLDOWN)
    }
}

impl Issuer {
    fn known(&self) -> Known {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut Known)) {
        change(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl ExternalKeys {
    /// Trusts the machine's own roots and `also`.
    ///
    /// # Errors
    /// When the TLS library can't be set up.
    pub fn new(clock: SharedClock, also: &[CertificateDer<'static>]) -> Result<Self, rustls::Error> {
        Ok(Self { documents: Documents::trusting(also)?, clock, issuers: Mutex::default() })
    }

    /// The keys of an issuer. When `kid` isn't among those that are kept they are fetched again, but not more
    /// often than the cooldown lets; nor are they after a failure.
    ///
    /// # Errors
    /// When they can't be had.
    pub async fn keys(
        &self,
        issuer: &ExternalIssuer,
        kid: Option<&str>,
    ) -> Result<Arc<Vec<ExternalKey>>, KeysUnavailable> {
        let place = {
            let mut issuers = self.issuers.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(issuers.entry(issuer.url.clone()).or_default())
        };
        let turn = match place.known().of(kid, self.clock.monotonic()) {
            Use::Fresh(keys) => return Ok(keys),
            // Whoever can do without doesn't wait while another asks.
            Use::Stale(keys) => match Arc::clone(&place.turn).try_lock_owned() {
                Ok(turn) => turn,
                Err(_) => return Ok(keys),
            },
            Use::Unknown(_) | Use::None => Arc::clone(&place.turn).lock_owned().await,
        };
        // Another may have asked meanwhile.
        let (now, known) = (self.clock.monotonic(), place.known());
        let spare = match known.of(kid, now) {
            Use::Fresh(keys) => return Ok(keys),
            Use::Stale(keys) | Use::Unknown(keys) if !known.may_ask(now) => return Ok(keys),
            Use::None if !known.may_ask(now) => return Err(KeysUnavailable::Lately),
            Use::Stale(keys) => Some(keys),
            Use::Unknown(_) | Use::None => None,
        };
        match (self.fetch(place, turn, issuer.clone()).await, spare) {
            (Ok(keys), _) => Ok(keys),
            (Err(error), Some(keys)) => {
                let error = &error as &dyn Error;
                tracing::warn!(error, issuer = issuer.url, "an issuer's keys can't be had; those of before serve on");
                Ok(keys)
            }
            (Err(error), None) => Err(error),
        }
    }

    /// Fetches in a task of its own: a client that hangs up doesn't spoil the attempt for the others.
    async fn fetch(
        &self,
        place: Arc<Issuer>,
        turn: OwnedMutexGuard<()>,
        issuer: ExternalIssuer,
    ) -> Result<Arc<Vec<ExternalKey>>, KeysUnavailable> {
        let (documents, clock) = (self.documents.clone(), Arc::clone(&self.clock));
        place.change(|known| known.tried = Some(clock.monotonic()));
        let task = tokio::spawn(async move {
            let _until_done = turn;
            let keys = Arc::new(documents.keys(&issuer).await?);
            let kept = Kept { keys: Arc::clone(&keys), at: clock.monotonic() };
            place.change(|known| known.keys = Some(kept));
            Ok(keys)
        });
        task.await.unwrap_or(Err(KeysUnavailable::Stopped))
    }
}
