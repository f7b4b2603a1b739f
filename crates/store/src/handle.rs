//! The store for async code: transactions run in turn, where they hold nobody up.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::runtime::{Handle as Runtime, RuntimeFlavor};
use tokio::sync::{Semaphore, watch};
use tokio::task::{block_in_place, spawn_blocking};

use crate::{Act, Cursor, Error, ReadTx, Store, Tx};

/// A store that async code may use. Cheap to clone.
///
/// A closure may block: it holds no other task of the runtime up, but those that its own task does beside it. No more
/// of them are there at once than make progress; the others wait without a thread. A caller that is dropped while its
/// transaction runs does not stop it.
#[derive(Clone, Debug)]
pub struct Handle {
    store: Arc<dyn Store>,
    readers: Arc<Semaphore>,
    writers: Arc<Semaphore>,
    saved: watch::Sender<u64>,
}

impl Handle {
    /// A handle on a store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        let concurrency = store.concurrency();
        Self {
            store,
            readers: Arc::new(Semaphore::new(concurrency.readers)),
            writers: Arc::new(Semaphore::new(concurrency.writers)),
            saved: watch::Sender::new(0),
        }
    }

    /// The store itself, for code that may block.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Runs a closure on a snapshot.
    ///
    /// # Errors
    /// Its own, or the store's.
    pub async fn read<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: FnOnce(&dyn ReadTx) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let store = Arc::clone(&self.store);
        in_turn(&self.readers, move || f(&*store.read()?)).await
    }

    /// Runs a closure in a transaction, and saves when it succeeds; when it fails nothing happened.
    ///
    /// # Errors
    /// Its own, or the store's.
    pub async fn write<T, E, F>(&self, act: Act, f: F) -> Result<T, E>
    where
        F: FnOnce(&mut dyn Tx) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.write_through(act, f).await.map(|(done, _)| done)
    }

    /// The same, with the cursor behind it: a reader of the feed that has come so far has seen it.
    ///
    /// # Errors
    /// Its own, or the store's.
    pub async fn write_through<T, E, F>(&self, act: Act, f: F) -> Result<(T, Cursor), E>
    where
        F: FnOnce(&mut dyn Tx) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let store = Arc::clone(&self.store);
        let saved = self.saved.clone();
        in_turn(&self.writers, move || {
            let mut tx = store.begin(act)?;
            let done = f(&mut *tx)?;
            let cursor = tx.save()?;
            saved.send_modify(|count| *count = count.wrapping_add(1));
            Ok((done, cursor))
        })
        .await
    }

    /// Wakes after something was saved through this handle or a clone of it. A hint that saves waiting: other
    /// processes may write too, so a reader of the feed also polls.
    #[must_use]
    pub fn saved(&self) -> watch::Receiver<u64> {
        self.saved.subscribe()
    }
}

/// On a runtime of several threads the caller's own thread does the work, and another takes over what else it had to do:
/// the way to a blocking thread and back takes about as long as a short transaction. A runtime of one thread has no
/// other, so there the blocking pool does it.
async fn in_turn<T, E>(turns: &Arc<Semaphore>, work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    let turn = Arc::clone(turns).acquire_owned().await.map_err(|_| Error::Stopped)?;
    let work = move || {
        let _turn = turn;
        work()
    };
    if Runtime::current().runtime_flavor() == RuntimeFlavor::MultiThread {
        // As on the pool, a transaction that panics ends itself and not whoever waits for it.
        return catch_unwind(AssertUnwindSafe(|| block_in_place(work))).map_err(|_| Error::Stopped)?;
    }
    spawn_blocking(work).await.map_err(|_| Error::Stopped)?
}
