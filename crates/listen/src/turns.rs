//! How many requests of one listener are begun before it is looked who else has something to ask.
//!
//! Whoever asks on many connections at once would have all of them answered before anybody who asks a moment later, so
//! that one VM could slow every other. Here the connections of a listener take turns: no more than [`AT_ONCE`] go on, and the
//! others wait in their order until the runtime has done what it had to do and has seen what arrived meanwhile. Who has no
//! more connections than that is never asked to wait.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::task::yield_now;

/// The turns of a listener between two looks at what arrived.
pub(crate) const AT_ONCE: usize = 8;

/// The turns of one listener.
#[derive(Debug)]
pub(crate) struct Turns {
    free: Arc<Semaphore>,
    /// Those that aren't free until the runtime has looked.
    taken: AtomicUsize,
    connections: AtomicUsize,
}

impl Default for Turns {
    fn default() -> Self {
        let (taken, connections) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { free: Arc::new(Semaphore::new(AT_ONCE)), taken, connections }
    }
}

impl Turns {
    fn take(self: &Arc<Self>, permit: OwnedSemaphorePermit) {
        permit.forget();
        if self.taken.fetch_add(1, Ordering::AcqRel) == 0 {
            give_way(&mut Context::from_waker(&Waker::from(Arc::clone(self))));
        }
    }
}

/// The runtime has looked.
impl Wake for Turns {
    fn wake(self: Arc<Self>) {
        self.free.add_permits(self.taken.swap(0, Ordering::AcqRel));
    }
}

/// The place of one connection among those that take turns.
pub(crate) struct Turn {
    turns: Arc<Turns>,
    waiting: Option<Waiting>,
}

type Waiting = Pin<Box<dyn Future<Output = Result<OwnedSemaphorePermit, AcquireError>> + Send>>;

impl Turn {
    pub(crate) fn new(turns: Arc<Turns>) -> Self {
        turns.connections.fetch_add(1, Ordering::Relaxed);
        Self { turns, waiting: None }
    }

    /// Takes a turn, or waits for one.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut waiting = match self.waiting.take() {
            Some(waiting) => waiting,
            None if self.turns.connections.load(Ordering::Relaxed) <= AT_ONCE => return Poll::Ready(()),
            None => match Arc::clone(&self.turns.free).try_acquire_owned() {
                Ok(permit) => {
                    self.turns.take(permit);
                    return Poll::Ready(());
                }
                Err(_) => Box::pin(Arc::clone(&self.turns.free).acquire_owned()),
            },
        };
        match waiting.as_mut().poll(context) {
            Poll::Ready(Ok(permit)) => self.turns.take(permit),
            // It is never closed.
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                self.waiting = Some(waiting);
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Wakes after the runtime has done what it has to do now and has seen what arrived meanwhile: what [`yield_now`] waits for.
/// Outside of a runtime it wakes at once.
pub(crate) fn give_way(context: &mut Context<'_>) {
    // The runtime has the waker then, and wakes it whether the future is there or not: so it is in tokio, and were it not,
    // the tests below would wait in vain.
    let _ = pin!(yield_now()).poll(context);
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use futures_util::FutureExt;
    use tokio::time::timeout;

    use super::*;

    async fn taken(turn: &mut Turn) {
        timeout(Duration::from_secs(10), poll_fn(|context| turn.poll(context))).await.expect("a turn");
    }

    /// As many connections of one listener.
    fn connections(count: usize) -> Vec<Turn> {
        let turns = Arc::<Turns>::default();
        (0..count).map(|_| Turn::new(Arc::clone(&turns))).collect()
    }

    fn has_now(turn: &mut Turn) -> bool {
        poll_fn(|context| turn.poll(context)).now_or_never().is_some()
    }

    #[tokio::test]
    async fn whoever_has_few_connections_never_waits() {
        let mut connections = connections(AT_ONCE);
        for _ in 0..10 {
            assert!(connections.iter_mut().all(has_now));
        }
    }

    #[tokio::test]
    async fn of_many_connections_some_go_on_and_the_others_follow_in_their_order() {
        let mut connections = connections(3 * AT_ONCE);
        let went: Vec<bool> = connections.iter_mut().map(has_now).collect();
        assert!(went.iter().take(AT_ONCE).all(|now| *now) && !went.iter().skip(AT_ONCE).any(|now| *now), "{went:?}");
        for turn in connections.iter_mut().skip(AT_ONCE) {
            taken(turn).await;
        }
        // For ever, and not only once.
        for turn in &mut connections {
            taken(turn).await;
        }
    }

    #[tokio::test]
    async fn whoever_goes_while_it_waits_takes_no_turn_with_it() {
        let mut connections = connections(4 * AT_ONCE);
        assert_eq!(connections.iter_mut().filter_map(|turn| has_now(turn).then_some(())).count(), AT_ONCE);
        let (rest, turns) =
            (connections.split_off(3 * AT_ONCE), connections.first().map(|turn| Arc::clone(&turn.turns)));
        drop(connections);
        for mut turn in rest {
            taken(&mut turn).await;
        }
        let turns = turns.expect("some");
        yield_now().await;
        assert_eq!((turns.free.available_permits(), turns.connections.load(Ordering::Relaxed)), (AT_ONCE, 0));
    }
}
