//! How often one VM may ask: far more than agents and their handlers do, and too little for a VM to keep its host from
//! the others.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use contract::gate::Refusal;
use governor::clock::{Clock as GovernorClock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

/// Requests a second.
const RATE: NonZeroU32 = NonZeroU32::MIN.saturating_add(49);
/// Requests in a burst.
const BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(99);
/// Statuses a second: each is written down.
const STATUS_RATE: NonZeroU32 = NonZeroU32::MIN.saturating_add(4);
/// Statuses in a burst.
const STATUS_BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(19);

/// The time since some fixed instant, which never goes back.
pub type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// The time that passes.
pub(crate) fn passing() -> Clock {
    let clock = MonotonicClock;
    let start = clock.now();
    Arc::new(move || clock.now().duration_since(start))
}

/// The limits of one VM.
pub(crate) struct Throttle {
    requests: Limit,
    statuses: Limit,
}

type Limit = RateLimiter<NotKeyed, InMemoryState, Passed, NoOpMiddleware<Duration>>;

impl Throttle {
    pub(crate) fn new(clock: Clock) -> Self {
        let limit = |rate, burst| {
            let quota = Quota::per_second(rate).allow_burst(burst);
            RateLimiter::direct_with_clock(quota, Passed(Arc::clone(&clock)))
        };
        Self { requests: limit(RATE, BURST), statuses: limit(STATUS_RATE, STATUS_BURST) }
    }

    /// Leave for a request, whatever it asks for.
    pub(crate) fn request(&self) -> Result<(), Refusal> {
        self.requests.check().map_err(|_| Refusal::TooManyRequests)
    }

    /// Leave for a status.
    pub(crate) fn status(&self) -> Result<(), Refusal> {
        self.statuses.check().map_err(|_| Refusal::TooManyRequests)
    }
}

/// Our clock in the limiter's terms.
#[derive(Clone)]
struct Passed(Clock);

impl GovernorClock for Passed {
    type Instant = Duration;

    fn now(&self) -> Duration {
        (self.0)()
    }
}
