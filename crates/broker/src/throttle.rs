//! How often one VM may ask: Azure's limits, when they are switched on. Whoever answers callers asks for leave
//! behind its gate.
//!
//! Identity requests: 20 a second and 5 at once for each VM; all others of the metadata service: 5 a second
//! (MicrosoftDocs/azure-compute-docs `instance-metadata-service.md`, entra-docs `managed-identities-faq.md`).

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use domain::{Monotonic, SharedClock};
use governor::clock::{Clock as GovernorClock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

/// Identity requests a second.
pub const IDENTITY_RATE: NonZeroU32 = NonZeroU32::MIN.saturating_add(19);
/// Identity requests at once.
pub const IDENTITY_AT_ONCE: u32 = 5;
/// Requests for documents a second.
pub const DOCUMENT_RATE: NonZeroU32 = NonZeroU32::MIN.saturating_add(4);

/// The limits of one VM, or none.
pub struct Throttle(Option<Limits>);

struct Limits {
    rate: Rate,
    at_once: Arc<AtomicU32>,
    documents: Rate,
}

type Rate = RateLimiter<NotKeyed, InMemoryState, MonotonicClock, NoOpMiddleware<Instant>>;

/// Leave to answer one request; it counts as one of those at once until dropped.
pub struct Permit(Option<Arc<AtomicU32>>);

impl Throttle {
    /// No limits: the default of `symbolon up`.
    #[must_use]
    pub fn off() -> Self {
        Self(None)
    }

    /// Azure's limits.
    #[must_use]
    pub fn faithful(clock: SharedClock) -> Self {
        let rate = |rate| RateLimiter::direct_with_clock(Quota::per_second(rate), MonotonicClock(Arc::clone(&clock)));
        Self(Some(Limits { rate: rate(IDENTITY_RATE), at_once: Arc::default(), documents: rate(DOCUMENT_RATE) }))
    }

    /// Asks for leave for a request for a document; `None` means 429.
    #[must_use]
    pub fn admit_document(&self) -> Option<Permit> {
        let Some(limits) = &self.0 else { return Some(Permit(None)) };
        limits.documents.check().ok()?;
        Some(Permit(None))
    }

    /// Asks for leave for an identity request; `None` means 429.
    #[must_use]
    pub fn admit(&self) -> Option<Permit> {
        let Some(limits) = &self.0 else { return Some(Permit(None)) };
        let taken = limits
            .at_once
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |now| (now < IDENTITY_AT_ONCE).then_some(now + 1));
        taken.ok()?;
        let permit = Permit(Some(limits.at_once.clone()));
        limits.rate.check().ok()?;
        Some(permit)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(at_once) = &self.0 {
            at_once.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// Our clock in the limiter's terms.
#[derive(Clone)]
struct MonotonicClock(SharedClock);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Instant(Duration);

impl GovernorClock for MonotonicClock {
    type Instant = Instant;

    fn now(&self) -> Instant {
        Instant(self.0.monotonic().since(Monotonic::from_origin(Duration::ZERO)))
    }
}

impl Reference for Instant {
    fn duration_since(&self, earlier: Self) -> Nanos {
        self.0.saturating_sub(earlier.0).into()
    }

    fn saturating_sub(&self, duration: Nanos) -> Self {
        Self(self.0.saturating_sub(duration.into()))
    }
}

impl std::ops::Add<Nanos> for Instant {
    type Output = Self;

    fn add(self, other: Nanos) -> Self {
        let other: Duration = other.into();
        Self(self.0 + other)
    }
}

#[cfg(test)]
mod tests {
    use domain::{ManualClock, Timestamp};

    use super::*;

    #[test]
    fn off_admits_everything() {
        let throttle = Throttle::off();
        let held: Vec<_> = (0..1_000).map(|_| throttle.admit()).collect();
        assert!(held.iter().all(Option::is_some));
    }

    #[test]
    fn twenty_a_second_and_five_at_once() {
        let clock = ManualClock::new(Timestamp::from_unix(1_800_000_000));
        let throttle = Throttle::faithful(Arc::new(clock.clone()));
        let held: Vec<_> = (0..5).map(|_| throttle.admit()).collect();
        assert!(held.iter().all(Option::is_some));
        assert!(throttle.admit().is_none(), "a sixth at once");
        drop(held);
        // The refused one took nothing from the rate: 15 are left of this second's 20.
        assert_eq!((0..100).filter(|_| throttle.admit().is_some()).count(), 15);
        clock.advance(Duration::from_secs(1));
        assert_eq!((0..100).filter(|_| throttle.admit().is_some()).count(), 20);
    }

    #[test]
    fn five_documents_a_second_beside_the_tokens() {
        let clock = ManualClock::new(Timestamp::from_unix(1_800_000_000));
        let throttle = Throttle::faithful(Arc::new(clock.clone()));
        for _ in 0..2 {
            let held: Vec<_> = (0..100).filter_map(|_| throttle.admit_document()).collect();
            assert_eq!(held.len(), 5);
            assert!(throttle.admit().is_some(), "documents take nothing from the tokens");
            clock.advance(Duration::from_secs(1));
        }
    }
}
