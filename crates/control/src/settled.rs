//! Waiting until those who act on changes have seen one.

use std::time::Duration;

use store::Cursor;
use tokio::sync::watch;

/// How long an answer waits for them. It is given then all the same: the change is made.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who must have seen a change before it is answered.
#[derive(Clone, Debug, Default)]
pub struct Settled(Option<watch::Receiver<Option<Cursor>>>);

impl Settled {
    /// Nobody in this process.
    #[must_use]
    pub fn at_once() -> Self {
        Self(None)
    }

    /// Someone who says how far it has come.
    #[must_use]
    pub fn after(seen: watch::Receiver<Option<Cursor>>) -> Self {
        Self(Some(seen))
    }

    /// Waits until a change has been seen.
    pub async fn wait_for(&self, cursor: &Cursor) {
        let Some(mut seen) = self.0.clone() else { return };
        let seen = seen.wait_for(|seen| seen.as_ref().is_some_and(|seen| seen.has_come_to(cursor)));
        if tokio::time::timeout(PATIENCE, seen).await.is_err() {
            tracing::warn!("a change is answered before it was seen everywhere");
        }
    }
}
