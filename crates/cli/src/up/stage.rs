//! Listeners that end together.

use std::future::Future;

use listen::{Ending, Shutdown};
use tokio::task::{JoinError, JoinSet};

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

    /// Asks all of them to end, at once; what comes back waits until what is in flight is done.
    ///
    /// # Errors
    /// When one of them panicked.
    #[must_use = "nothing waits for what is in flight unless it is polled"]
    pub(crate) fn end(mut self) -> impl Future<Output = Result<(), JoinError>> + Send + 'static {
        self.shutdown.end();
        async move {
            while let Some(ended) = self.listeners.join_next().await {
                ended?;
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn all_hear_the_word_before_anyone_is_waited_for() {
        let mut stages = [Stage::default(), Stage::default()];
        let mut ears = Vec::new();
        for stage in &mut stages {
            stage.run(|ending| {
                ears.push(ending);
                std::future::pending()
            });
        }
        let unpolled = stages.map(Stage::end);
        for ear in &mut ears {
            tokio::time::timeout(Duration::ZERO, ear.asked()).await.expect("it was told");
        }
        drop(unpolled);
    }
}
