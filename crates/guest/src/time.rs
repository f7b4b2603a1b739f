//! Time as the program waits for it: the clock, and a way to let time pass that tests take in their hands.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use domain::{ManualClock, SharedClock, SystemClock};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

/// A clock, and how to wait by it. Cheap to clone.
#[derive(Clone)]
pub struct Time {
    clock: SharedClock,
    pause: Arc<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync>,
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Time").field("clock", &self.clock).finish_non_exhaustive()
    }
}

impl Time {
    /// The machine's.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that lets time pass")]
    pub fn system() -> Self {
        Self { clock: Arc::new(SystemClock::new()), pause: Arc::new(|time| tokio::time::sleep(time).boxed()) }
    }

    /// A clock that waiting moves, at once.
    #[must_use]
    pub fn manual(clock: ManualClock) -> Self {
        let moved = clock.clone();
        let pause = move |time| {
            moved.advance(time);
            // Others have their turn, as they would while time passes.
            tokio::task::yield_now().boxed()
        };
        Self { clock: Arc::new(clock), pause: Arc::new(pause) }
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &SharedClock {
        &self.clock
    }

    /// Lets time pass.
    pub async fn pause(&self, time: Duration) {
        (self.pause)(time).await;
    }

    /// Looks again and again whether something is so, for at most `patience`.
    pub async fn within(&self, patience: Duration, every: Duration, mut so: impl FnMut() -> bool) -> bool {
        let start = self.clock.monotonic();
        loop {
            if so() {
                return true;
            }
            if self.clock.monotonic().since(start) >= patience {
                return false;
            }
            self.pause(every).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    #[tokio::test]
    async fn patience_ends_by_the_clock() {
        let time = Time::manual(ManualClock::new(Timestamp::from_unix(0)));
        let mut looks = 0;
        let look = || {
            looks += 1;
            looks > 3
        };
        assert!(time.within(Duration::from_secs(10), Duration::from_secs(3), look).await);
        assert!(!time.within(Duration::from_secs(10), Duration::from_secs(3), || false).await);
        assert_eq!((looks, time.clock().now().unix()), (4, 9 + 12));
    }
}
