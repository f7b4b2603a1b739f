//! Ready answers of one VM, by identity and resource.
//!
//! Readers look into an immutable table behind an `ArcSwap`; a writer replaces the whole table. A VM holds a
//! few tokens, so copying the table costs far less than the signature that was just made. The table is sorted
//! by a hash that stands in it: with many VMs most of what is read comes from far memory, and so a lookup
//! touches the table and the one token that it finds.

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering as Memory};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use domain::{Monotonic, PrincipalId, Timestamp};
use foldhash::fast::FixedState;
use smallvec::SmallVec;

use crate::drift::{Drift, Moment};
use crate::flight::Flights;
use crate::freshness::{Grade, Plan};
use crate::source::{Minted, Wanted};

/// Makes the body of an answer from a token. The body is built once for each token and only patched later.
pub type MakeBody<B> = fn(&Wanted, &Minted) -> B;

/// How many tokens one VM may hold at most unless said otherwise. The oldest goes first.
pub const DEFAULT_CAPACITY: usize = 4_096;

/// How many bytes the tokens of one VM may take, about. The oldest go first.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

/// A token with its ready body.
pub struct Entry<B> {
    /// The ready body.
    pub body: B,
    pub(crate) principal: PrincipalId,
    pub(crate) resource: Arc<str>,
    made: Moment,
    plan: Plan,
    expires_on: Timestamp,
    /// The bytes it takes, at most about.
    bytes: usize,
    /// Which flight brought it; a later one's number is higher.
    flight: u64,
    renewing: AtomicBool,
    /// Milliseconds on the monotonic clock until which a failed replacement isn't tried again.
    paused_until: AtomicU64,
}

impl<B> Entry<B> {
    pub(crate) fn new(wanted: &Wanted, minted: &Minted, body: B, made: Moment, plan: Plan, flight: u64) -> Self {
        // A body holds the token, and the resource as it stands in the token, where it takes more.
        let bytes = 512 + 2 * minted.access_token.expose().len() + wanted.resource.len();
        Self {
            body,
            principal: wanted.identity.principal_id,
            resource: wanted.resource.clone(),
            made,
            plan,
            expires_on: minted.expires_on,
            bytes,
            flight,
            renewing: AtomicBool::new(false),
            paused_until: AtomicU64::new(0),
        }
    }

    /// How good this token is now. A wall clock that jumped makes it worthless.
    #[must_use]
    pub fn grade(&self, now: &Moment) -> Grade {
        match now.drift_since(&self.made) {
            // By the wall clock too: within the tolerance it may be ahead, and the token says its end by it.
            Drift::None if self.plan.grade(now.wall.since(self.made.wall)) == Grade::Spent => Grade::Spent,
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

    fn is_for(&self, principal: PrincipalId, resource: &str) -> bool {
        self.principal == principal && *self.resource == *resource
    }
}

/// A place in the table: the hash of identity and resource, and their token.
struct Place<B> {
    hash: u64,
    entry: Arc<Entry<B>>,
}

/// Up to four tokens, which is what most VMs hold, lie in the table itself.
type Table<B> = SmallVec<[Place<B>; 4]>;

impl<B> Clone for Place<B> {
    fn clone(&self) -> Self {
        Self { hash: self.hash, entry: Arc::clone(&self.entry) }
    }
}

fn hash(principal: PrincipalId, resource: &str) -> u64 {
    FixedState::with_seed(0).hash_one((principal, resource))
}

/// The tokens of one VM. Dropping it forgets them.
pub struct TokenCache<B> {
    table: ArcSwap<Table<B>>,
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
            table: ArcSwap::from_pointee(Table::new()),
            flights: Mutex::new(Flights::default()),
            capacity: capacity.max(1),
            make_body,
        }
    }

    /// The token of an identity for a resource, whatever its grade.
    #[must_use]
    pub fn find(&self, principal: PrincipalId, resource: &str) -> Option<Arc<Entry<B>>> {
        let table = self.table.load();
        let hash = hash(principal, resource);
        let first = table.partition_point(|place| place.hash < hash);
        let alike = table.get(first..)?.iter().take_while(|place| place.hash == hash);
        alike.map(|place| &place.entry).find(|entry| entry.is_for(principal, resource)).cloned()
    }

    /// Forgets the tokens of every identity for which `keep` is false, and sees to it that tokens being
    /// made for them right now are neither cached nor handed out.
    pub fn retain(&self, keep: impl Fn(PrincipalId) -> bool) {
        let mut flights = self.lock_flights();
        flights.withdraw(|principal| !keep(principal));
        let table = self.table.load();
        if table.iter().any(|place| !keep(place.entry.principal)) {
            let kept = table.iter().filter(|place| keep(place.entry.principal)).cloned().collect();
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

    /// Puts a token in the place of an older one, and leaves one that a later flight brought: two may be under
    /// way when a caller wants a new token in any case. The caller holds the flights' lock, the only lock of
    /// writers, so tables never overtake each other.
    pub(crate) fn insert(&self, _held: &MutexGuard<'_, Flights<B>>, entry: Arc<Entry<B>>) {
        if self.find(entry.principal, &entry.resource).is_some_and(|present| present.flight > entry.flight) {
            return;
        }
        let hash = hash(entry.principal, &entry.resource);
        let old = self.table.load();
        let mut table = Table::with_capacity(old.len() + 1);
        let stays =
            |kept: &Entry<B>| !kept.is_for(entry.principal, &entry.resource) && kept.grade(&entry.made) != Grade::Spent;
        table.extend(old.iter().filter(|place| stays(&place.entry)).cloned());
        let mut bytes = entry.bytes + table.iter().map(|place| place.entry.bytes).sum::<usize>();
        while table.len() >= self.capacity || bytes > MAX_BYTES {
            let oldest = table.iter().enumerate().min_by_key(|(_, place)| place.entry.made.monotonic);
            let Some((oldest, _)) = oldest else { break };
            bytes -= table.remove(oldest).entry.bytes;
        }
        let at = table.partition_point(|place| place.hash < hash);
        table.insert(at, Place { hash, entry });
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
