//! Whether the wall clock can be believed.
//!
//! Ages of cached tokens are measured by the monotonic clock. The wall clock is read for what a token says
//! about itself, so a jump of it must neither make an expired token look good nor let a token be made that
//! starts in a past which is over. A jump forward is believed (a machine that slept really is later) and
//! makes cached tokens useless; a jump back beyond the tolerance is refused.

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
    fn jumps_are_seen_both_ways() {
        let clock = ManualClock::new(Timestamp::from_unix(1_800_000_000));
        let then = moment(&clock);
        clock.set_wall(Timestamp::from_unix(1_800_000_301));
        assert_eq!(moment(&clock).drift_since(&then), Drift::Ahead(Duration::from_secs(301)));
        clock.set_wall(Timestamp::from_unix(1_799_999_600));
        assert_eq!(moment(&clock).drift_since(&then), Drift::Behind(Duration::from_secs(400)));
    }
}
