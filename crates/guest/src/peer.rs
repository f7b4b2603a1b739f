//! Whose connection it is, as far as the system lets us see.

use std::sync::Arc;

use listen::Ends;
use listen::process::{Owner, at_other_end};
use tokio::sync::{OnceCell, Semaphore};

/// How many are looked for at once: it takes many files to look into.
const AT_ONCE: usize = 2;

/// Looks for the owners of connections.
#[derive(Clone, Debug)]
pub(crate) struct Peers(Arc<Semaphore>);

/// The other end of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    ends: Ends,
    owner: Arc<OnceCell<Option<Owner>>>,
}

impl Default for Peers {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Peers {
    /// The other end of a connection. It is looked for when somebody asks.
    pub(crate) fn of(ends: Ends) -> Peer {
        Peer { ends, owner: Arc::default() }
    }

    /// Who has it. Nobody is waited for: where many are looked for already it stays unknown.
    pub(crate) async fn owner<'p>(&self, peer: &'p Peer) -> Option<&'p Owner> {
        let found = peer.owner.get_or_init(|| async {
            let _permit = self.0.try_acquire().ok()?;
            let ends = peer.ends;
            tokio::task::spawn_blocking(move || at_other_end(ends)).await.ok()?
        });
        found.await.as_ref()
    }
}
