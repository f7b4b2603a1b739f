//! Ready answers of one VM, by identity and resource.
//!
//! Readers look into an immutable, sorted table behind an `ArcSwap`; a writer replaces the whole table. A
//! VM holds a few tokens, so copying the table costs far less than the signature that was just made.

use std::cmp::Ordering;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering as Memory};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use domain::{Monotonic, PrincipalId, Timestamp};

use crate::drift::{Drift, Moment};
use crate::flight::Flights;
use crate::freshness::{Grade, Plan};
use crate::source::{Minted, Wanted};

/// Makes the body of an answer from a token. The body is built once for each token and only patched later.
pub type MakeBody<B> = fn(&Wanted, &Minted) -> B;

/// How many tokens one VM may hold at most unless said otherwise. The oldest goes first.
pub const DEFAULT_CAPACITY: usize = 4_096;

/// A token with its ready body.
pub struct Entry<B> {
    /// The ready body.
    pub body: B,
    pub(crate) principal: PrincipalId,
    pub(crate) resource: Arc<str>,
    made: Moment,
    plan: Plan,
    expires_on: Timestamp,
    renewing: AtomicBool,
    /// Milliseconds on the monotonic clock until which a failed replacement isn't tried again.
    paused_until: AtomicU64,
}

impl<B> Entry<B> {
    pub(crate) fn new(wanted: &Wanted, minted: &Minted, body: B, made: Moment, plan: Plan) -> Self {
        Self {
            body,
            principal: wanted.identity.principal_id,
            resource: wanted.resource.clone(),
            made,
            plan,
            expires_on: minted.expires_on,
            renewing: AtomicBool::new(false),
            paused_until: AtomicU64::new(0),
        }
    }

    /// How good this token is now. A wall clock that jumped makes it worthless.
    #[must_use]
    pub fn grade(&self, now: &Moment) -> Grade {
        match now.drift_since(&self.made) {
            Drift::None => self.plan.grade(now.monotonic.since(self.made.monotonic)),
            Drift::Ahead(_) | Drift::Behind(_) => Grade::Spent,
        }
    }

    /// The seconds of life that are left by the wall clock: `expires_in`.
    #[must_use]
    pub fn remaining(&self, now: &Moment) -> u64 {
        self.expires_on.since(now.wall).as_secs()
    }

    /// Whether a replacement should be started now; true for one caller only until it ends.
    pub(crate) fn claim_renewal(&self, now: Monotonic) -> bool {
        !self.paused(now) && !self.renewing.swap(true, Memory::AcqRel)
    }

    /// Whether a replacement failed so recently that it isn't tried again yet.
    pub(crate) fn paused(&self, now: Monotonic) -> bool {
        millis(now) < self.paused_until.load(Memory::Acquire)
    }

    fn pause(&self, until: Monotonic) {
        self.paused_until.store(millis(until), Memory::Release);
        self.renewing.store(false, Memory::Release);
    }

    fn order(&self, principal: PrincipalId, resource: &str) -> Ordering {
        self.principal.cmp(&principal).then_with(|| self.resource.as_ref().cmp(resource))
    }
}

/// The tokens of one VM. Dropping it forgets them.
pub struct TokenCache<B> {
    table: ArcSwap<Vec<Arc<Entry<B>>>>,
    flights: Mutex<Flights<B>>,
    capacity: usize,
    pub(crate) make_body: MakeBody<B>,
}

impl<B> TokenCache<B> {
    /// An empty cache that holds at most [`DEFAULT_CAPACITY`] tokens.
    #[must_use]
    pub fn new(make_body: MakeBody<B>) -> Self {
        Self::with_capacity(make_body, DEFAULT_CAPACITY)
    }

    /// An empty cache that holds at most `capacity` tokens.
    #[must_use]
    pub fn with_capacity(make_body: MakeBody<B>, capacity: usize) -> Self {
        Self {
            table: ArcSwap::from_pointee(Vec::new()),
            flights: Mutex::new(Flights::default()),
            capacity: capacity.max(1),
            make_body,
        }
    }

    /// The token of an identity for a resource, whatever its grade.
    #[must_use]
    pub fn find(&self, principal: PrincipalId, resource: &str) -> Option<Arc<Entry<B>>> {
        let table = self.table.load();
        let at = table.binary_search_by(|entry| entry.order(principal, resource)).ok()?;
        table.get(at).cloned()
    }

    /// Forgets the tokens of every identity for which `keep` is false, and sees to it that tokens being
    /// made for them right now are neither cached nor handed out.
    pub fn retain(&self, keep: impl Fn(PrincipalId) -> bool) {
        let mut flights = self.lock_flights();
        flights.withdraw(|principal| !keep(principal));
        let table = self.table.load();
        if table.iter().any(|entry| !keep(entry.principal)) {
            let kept = table.iter().filter(|entry| keep(entry.principal)).cloned().collect();
            self.table.store(Arc::new(kept));
        }
    }

    /// How many tokens it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.load().len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts a token in the place of an older one. The caller holds the flights' lock, the only lock of
    /// writers, so tables never overtake each other.
    pub(crate) fn insert(&self, _held: &MutexGuard<'_, Flights<B>>, entry: Arc<Entry<B>>) {
        let mut table = Vec::clone(&self.table.load());
        match table.binary_search_by(|old| old.order(entry.principal, &entry.resource)) {
            Ok(at) => {
                if let Some(place) = table.get_mut(at) {
                    *place = entry;
                }
            }
            Err(at) => {
                table.insert(at, entry);
                if table.len() > self.capacity {
                    let oldest = table.iter().enumerate().min_by_key(|(_, entry)| entry.made.monotonic);
                    if let Some((oldest, _)) = oldest {
                        table.remove(oldest);
                    }
                }
                table.shrink_to_fit();
            }
        }
        self.table.store(Arc::new(table));
    }

    /// Notes that the token could not be replaced.
    pub(crate) fn replacement_failed(&self, principal: PrincipalId, resource: &str, now: Monotonic, pause: Duration) {
        if let Some(entry) = self.find(principal, resource) {
            entry.pause(now.plus(pause));
        }
    }

    pub(crate) fn lock_flights(&self) -> MutexGuard<'_, Flights<B>> {
        // Nothing that can panic runs under this lock.
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn millis(at: Monotonic) -> u64 {
    u64::try_from(at.since(Monotonic::from_origin(Duration::ZERO)).as_millis()).unwrap_or(u64::MAX)
}
