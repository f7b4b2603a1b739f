//! One lazily moved timer for each connection: moving the deadline costs a store, not a timer operation.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::{Duration, Instant, Sleep, sleep_until};

/// Fires when its deadline has passed. The deadline may be moved at any time.
pub(crate) struct Timer {
    deadline: Instant,
    sleep: Pin<Box<Sleep>>,
}

impl Timer {
    pub(crate) fn after(time: Duration) -> Self {
        let deadline = now() + time;
        Self { deadline, sleep: Box::pin(sleep_until(deadline)) }
    }

    /// Moves the deadline. When it comes nearer the timer itself is moved, otherwise it fires early once and
    /// goes to sleep again.
    pub(crate) fn reset(&mut self, time: Duration) {
        self.deadline = now() + time;
        if self.deadline < self.sleep.deadline() {
            self.sleep.as_mut().reset(self.deadline);
        }
    }

    /// Ready when the deadline has passed.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            match self.sleep.as_mut().poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(()) if now() >= self.deadline => return Poll::Ready(()),
                Poll::Ready(()) => self.sleep.as_mut().reset(self.deadline),
            }
        }
    }
}

fn now() -> Instant {
    // The timer's own clock, which tests can hold and move.
    Instant::now()
}
