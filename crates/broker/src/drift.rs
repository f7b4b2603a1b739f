//! Whether the wall clock can be believed.
//!
//! Ages of cached tokens are measured by the monotonic clock. The wall clock is read for what a token says
//! about itself, so a jump of it must neither make an expired token look good nor let a token be made that
//! starts in a past which is over. A jump forward is believed (a machine that slept really is later) and
//! makes cached tokens useless; a jump back beyond the tolerance, behind the latest that was ever seen, is
//! refused.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::{Monotonic, Timestamp};

/// How far wall clock and monotonic clock may part before it counts as a jump. Also the leeway that
/// verifiers of tokens grant.
pub const TOLERANCE: Duration = Duration::from_secs(300);

/// One moment, as both clocks saw it.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// What the wall clock said.
    pub wall: Timestamp,
    /// What the monotonic clock said.
    pub monotonic: Monotonic,
}

/// How far the wall clock is from where the time that passed since `then` should have put it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drift {
    /// Within the tolerance.
    None,
    /// It jumped forward.
    Ahead(Duration),
    /// It jumped back.
    Behind(Duration),
}

impl Moment {
    /// Compares the clocks' advance from `then` to this moment.
    #[must_use]
    pub fn drift_since(&self, then: &Moment) -> Drift {
        let expected = then.wall.plus(self.monotonic.since(then.monotonic));
        let ahead = self.wall.since(expected);
        let behind = expected.since(self.wall);
        if ahead > TOLERANCE {
            Drift::Ahead(ahead)
        } else if behind > TOLERANCE {
            Drift::Behind(behind)
        } else {
            Drift::None
        }
    }
}

/// The latest that the wall clock was ever seen, as seconds by which it was ahead of the monotonic clock.
#[derive(Debug)]
pub struct Latest(AtomicI64);

impl Latest {
    /// Takes a moment as true.
    #[must_use]
    pub fn seen(now: &Moment) -> Self {
        Self(AtomicI64::new(ahead(now)))
    }

    /// Takes note of a moment.
    pub fn note(&self, now: &Moment) {
        self.0.fetch_max(ahead(now), Ordering::Relaxed);
    }

    /// How far a moment's wall clock is behind the latest, when that is beyond the tolerance. Costs one load.
    #[must_use]
    pub fn behind(&self, now: &Moment) -> Option<Duration> {
        let seconds = self.0.load(Ordering::Relaxed).saturating_sub(ahead(now));
        let behind = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        (behind > TOLERANCE).then_some(behind)
    }
}

fn ahead(now: &Moment) -> i64 {
    let elapsed = now.monotonic.since(Monotonic::from_origin(Duration::ZERO));
    now.wall.minus(elapsed).unix()
}

#[cfg(test)]
mod tests {
    use domain::{Clock, ManualClock};

    use super::*;

    fn moment(clock: &ManualClock) -> Moment {
        Moment { wall: clock.now(), monotonic: clock.monotonic() }
    }

    #[test]
    fn time_that_passes_is_no_drift() {
        let clock = ManualClock::new(Timestamp::from_unix(1_800_000_000));
        let then = moment(&clock);
        clock.advance(Duration::from_secs(86_400));
        assert_eq!(moment(&clock).drift_since(&then), Drift::None);
    }

    #[test]
    fn only_what_is_behind_the_latest_is_behind() {
        let clock = ManualClock::new(Timestamp::from_unix(1_800_000_000));
        let latest = Latest::seen(&moment(&clock));
        clock.advance(Duration::from_secs(86_400));
        assert_eq!(latest.behind(&moment(&clock)), None);
        clock.set_wall(Timestamp::from_unix(1_800_100_000));
        latest.note(&moment(&clock));
        clock.set_wall(Timestamp::from_unix(1_800_099_700));
        latest.note(&moment(&clock));
        assert_eq!(latest.behind(&moment(&clock)), None, "within the tolerance");
        clock.set_wall(Timestamp::from_unix(1_800_086_400));
        assert_eq!(latest.behind(&moment(&clock)), Some(Duration::from_secs(13_600)));
    }

    #[test]
    fn jumps_are_seen_both_ways() {
        let clock = ManualClock::new(Timestamp::from_unix(1_800_000_000));
        let then = moment(&clock);
        clock.set_wall(Timestamp::from_unix(1_800_000_301));
        assert_eq!(moment(&clock).drift_since(&then), Drift::Ahead(Duration::from_secs(301)));
        clock.set_wall(Timestamp::from_unix(1_799_999_600));
        assert_eq!(moment(&clock).drift_since(&then), Drift::Behind(Duration::from_secs(400)));
    }
}
