//! Listeners that end together.

use std::future::Future;

use listen::{Ending, Shutdown};
use tokio::task::JoinSet;

/// Listeners that end together, and before those that they lean on.
#[derive(Default)]
pub(crate) struct Stage {
    shutdown: Shutdown,
    listeners: JoinSet<()>,
}

impl Stage {
    /// Runs what `listener` makes of the stage's word to end.
    pub(crate) fn run<F: Future<Output = ()> + Send + 'static>(&mut self, listener: impl FnOnce(Ending) -> F) {
        self.listeners.spawn(listener(self.shutdown.ending()));
    }

    /// Asks all of them to end, and waits until what is in flight is done.
    ///
    /// # Errors
    /// When one of them panicked.
    pub(crate) async fn end(mut self) -> Result<(), tokio::task::JoinError> {
        self.shutdown.end();
        while let Some(ended) = self.listeners.join_next().await {
            ended?;
        }
        Ok(())
    }
}
