//! Signing happens on threads of its own, never on those that serve connections, and no more waits than a
//! bounded queue holds.

use std::io;
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::signer::{SignError, Signer};

/// How many signatures may wait for each thread: about a second's work.
const QUEUE_FOR_EACH_THREAD: usize = 1_024;

/// The signing threads. They end when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct SigningPool {
    jobs: SyncSender<Job>,
}

/// A message and its signature.
pub type Signed = (Vec<u8>, Vec<u8>);

struct Job {
    signer: Arc<dyn Signer>,
    message: Vec<u8>,
    done: oneshot::Sender<Result<Signed, SignError>>,
}

/// Why the pool gave no signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// As many wait as may.
    #[error("too many signatures are waiting")]
    Full,
    /// The key could not be used.
    #[error("the signature could not be made")]
    Sign(#[from] SignError),
    /// The pool has ended.
    #[error("the signing threads have ended")]
    Ended,
}

impl SigningPool {
    /// Starts a thread for each processor.
    ///
    /// # Errors
    /// When a thread can't be started.
    pub fn start() -> io::Result<Self> {
        Self::with(std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN), QUEUE_FOR_EACH_THREAD)
    }

    /// Starts so many threads, for each of which so many signatures may wait.
    ///
    /// # Errors
    /// When a thread can't be started.
    pub fn with(threads: NonZeroUsize, queue: usize) -> io::Result<Self> {
        let (jobs, waiting) = sync_channel(queue.saturating_mul(threads.get()));
        let waiting = Arc::new(Mutex::new(waiting));
        for number in 0..threads.get() {
            let waiting = Arc::clone(&waiting);
            std::thread::Builder::new().name(format!("sign-{number}")).spawn(move || work(&waiting))?;
        }
        Ok(Self { jobs })
    }

    /// Signs a message; gives it back with its signature.
    ///
    /// # Errors
    /// When too many wait already, or the key can't be used.
    pub async fn sign(&self, signer: Arc<dyn Signer>, message: Vec<u8>) -> Result<Signed, PoolError> {
        let (done, signed) = oneshot::channel();
        self.jobs.try_send(Job { signer, message, done }).map_err(|error| match error {
            TrySendError::Full(_) => PoolError::Full,
            TrySendError::Disconnected(_) => PoolError::Ended,
        })?;
        Ok(signed.await.map_err(|_| PoolError::Ended)??)
    }
}

fn work(waiting: &Mutex<Receiver<Job>>) {
    loop {
        let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { signer, message, done }) = job else { return };
        // Nobody waits any more: the signature isn't worth its time.
        if !done.is_closed() {
            let signed = signer.sign(&message).map(|signature| (message, signature));
            drop(done.send(signed));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Held(Mutex<Receiver<()>>);

    impl Signer for Held {
        fn kid(&self) -> &str {
            "held"
        }

        fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
            self.0.lock().unwrap().recv().map_err(|_| SignError)?;
            Ok(message.iter().rev().copied().collect())
        }
    }

    #[tokio::test]
    async fn more_than_the_queue_holds_are_refused_and_the_others_signed() {
        let (release, held) = std::sync::mpsc::channel();
        let signer: Arc<dyn Signer> = Arc::new(Held(Mutex::new(held)));
        let pool = SigningPool::with(NonZeroUsize::MIN, 2).unwrap();
        let all = futures_util::future::join_all((0..8).map(|byte| pool.sign(signer.clone(), vec![byte, 0])));
        // Polled behind the callers, when each of them has its place or its refusal.
        let let_go = async {
            for _ in 0..8 {
                release.send(()).unwrap();
            }
        };
        let (results, ()) = tokio::join!(all, let_go);
        let full = results.iter().filter(|result| **result == Err(PoolError::Full)).count();
        let signed = results.iter().filter(|result| matches!(result, Ok((_, signature)) if signature[0] == 0)).count();
        // One is being signed at most and two wait.
        assert!(full >= 5 && signed >= 2 && full + signed == 8, "{results:?}");
    }
}
