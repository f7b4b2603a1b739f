//! A file descriptor kept for the moment when there are no more.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::stream::Listener;

/// How long is waited for a connection that is offered again and again.
const PATIENCE: Duration = Duration::from_millis(20);

/// A file descriptor that the listeners of a room keep back: with it a waiting connection can be taken and closed, instead
/// of being offered again and again.
#[derive(Clone, Debug)]
pub(crate) struct Reserve(Arc<Mutex<Option<File>>>);

impl Reserve {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(File::open("/dev/null").ok())))
    }

    /// Deals with a failed accept so that the loop neither ends nor spins.
    pub(crate) async fn after(&self, why: &io::Error, listener: &Listener) {
        use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
        // The client was gone before it was accepted.
        if matches!(why.kind(), ConnectionAborted | ConnectionReset | Interrupted) {
            return;
        }
        tracing::warn!(error = %why, "a connection could not be accepted");
        // While another listener has it, waiting is all there is to do.
        let Ok(mut kept) = tokio::time::timeout(PATIENCE, self.0.lock()).await else { return };
        *kept = None;
        drop(tokio::time::timeout(PATIENCE, listener.accept()).await);
        *kept = File::open("/dev/null").ok();
    }
}
