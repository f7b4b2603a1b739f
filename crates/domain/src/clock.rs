//! Time as a parameter: wall-clock instants, monotonic readings, and the clock that gives both.

use std::fmt::{self, Debug};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How far the clocks of two machines may differ before one refuses what the other dated: assertions and tokens. Five
/// minutes, as Microsoft's own validators have it (AzureAD/azure-activedirectory-identitymodel-extensions-for-dotnet,
/// `TokenValidationParameters.DefaultClockSkew`).
pub const LEEWAY: Duration = Duration::from_secs(300);

/// A wall-clock instant in whole seconds since 1970-01-01T00:00:00Z (the unit of `nbf`, `exp` and every record).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant `seconds` after the Unix epoch.
    #[must_use]
    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since the Unix epoch.
    #[must_use]
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// This instant moved forward by the whole seconds of `by`; saturates.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(whole_seconds(by)))
    }

    /// This instant moved back by the whole seconds of `by`; saturates.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(whole_seconds(by)))
    }

    /// How long after `earlier` this is; zero when it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    /// The Unix seconds in decimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A reading of a monotonic clock: only differences between readings of the *same* clock mean anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Monotonic(Duration);

impl Monotonic {
    /// The reading `elapsed` after the clock's own origin.
    #[must_use]
    pub const fn from_origin(elapsed: Duration) -> Self {
        Self(elapsed)
    }

    /// How long after `earlier` this reading was taken; zero when it was not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// This reading moved forward; saturates.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(by))
    }
}

/// Where time comes from. Wall clock only where a token or a record needs it; monotonic for lifetimes of caches.
pub trait Clock: Send + Sync + Debug {
    /// The wall clock.
    fn now(&self) -> Timestamp;
    /// The monotonic clock.
    fn monotonic(&self) -> Monotonic;
}

/// A clock shared by the parts of one process.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's clocks. Make one per process: monotonic readings of two values do not compare.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    /// A clock whose monotonic readings count from now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    pub fn new() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => Timestamp(whole_seconds(after)),
            Err(before) => Timestamp(-whole_seconds(before.duration())),
        }
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic(self.origin.elapsed())
    }
}

/// A clock that moves only when told to. Clones share one state.
#[derive(Clone, Debug)]
pub struct ManualClock {
    state: Arc<Mutex<Reading>>,
}

#[derive(Clone, Copy, Debug)]
struct Reading {
    wall: Timestamp,
    monotonic: Monotonic,
}

impl ManualClock {
    /// A clock that stands at `wall`.
    #[must_use]
    pub fn new(wall: Timestamp) -> Self {
        let monotonic = Monotonic(Duration::ZERO);
        Self { state: Arc::new(Mutex::new(Reading { wall, monotonic })) }
    }

    /// Moves both clocks forward. The wall clock moves by whole seconds of the total advanced so far.
    pub fn advance(&self, by: Duration) {
        self.change(|reading| {
            let before = whole_seconds(reading.monotonic.0);
            reading.monotonic = reading.monotonic.plus(by);
            let passed = whole_seconds(reading.monotonic.0).saturating_sub(before);
            reading.wall = Timestamp(reading.wall.0.saturating_add(passed));
        });
    }

    /// Sets the wall clock alone, as an operator or a time server would; it may go back.
    pub fn set_wall(&self, wall: Timestamp) {
        self.change(|reading| reading.wall = wall);
    }

    fn change<T>(&self, f: impl FnOnce(&mut Reading) -> T) -> T {
        f(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.change(|reading| reading.wall)
    }

    fn monotonic(&self) -> Monotonic {
        self.change(|reading| reading.monotonic)
    }
}

fn whole_seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_never_go_below_zero() {
        let early = Timestamp::from_unix(10);
        let late = early.plus(Duration::from_secs(5));
        assert_eq!(late.since(early), Duration::from_secs(5));
        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(late.minus(Duration::from_secs(5)), early);
        assert_eq!(Timestamp::from_unix(i64::MAX).plus(Duration::from_secs(1)).unix(), i64::MAX);
    }

    #[test]
    fn manual_clock_moves_when_told() {
        let clock = ManualClock::new(Timestamp::from_unix(1_000));
        let other = clock.clone();
        let start = clock.monotonic();
        other.advance(Duration::from_millis(1_500));
        other.advance(Duration::from_millis(500));
        assert_eq!(clock.now().unix(), 1_002, "half seconds add up");
        assert_eq!(clock.monotonic().since(start), Duration::from_secs(2));
        clock.set_wall(Timestamp::from_unix(5));
        assert_eq!((other.now().unix(), other.monotonic().since(start)), (5, Duration::from_secs(2)));
    }

    #[test]
    fn system_clock_reads_the_machine() {
        let clock = SystemClock::new();
        let first = clock.monotonic();
        assert!(clock.now().unix() > 1_700_000_000);
        assert!(clock.monotonic() >= first);
    }
}
