//! What the host knows of one VM: its snapshot, its tokens, its limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use broker::throttle::Throttle;
use broker::{Minted, TokenCache, Wanted};
use contract::imds::TokenBody;
use domain::VmSnapshot;

/// A VM as its listeners see it. The snapshot may be replaced at any time; the tokens follow it.
pub struct Vm {
    snapshot: ArcSwap<VmSnapshot>,
    pub(crate) tokens: Arc<TokenCache<TokenBody>>,
    pub(crate) throttle: Throttle,
    /// The tokens that callers got since they were counted last.
    pub(crate) calls: AtomicU64,
}

impl Vm {
    /// A VM with no token yet.
    #[must_use]
    pub fn new(snapshot: VmSnapshot, throttle: Throttle) -> Self {
        Self {
            snapshot: ArcSwap::from_pointee(snapshot),
            tokens: Arc::new(TokenCache::new(token_body)),
            throttle,
            calls: AtomicU64::new(0),
        }
    }

    /// The VM as it is now.
    #[must_use]
    pub fn snapshot(&self) -> arc_swap::Guard<Arc<VmSnapshot>> {
        self.snapshot.load()
    }

    /// Puts a newer snapshot in place. From this moment no token is given for an identity that is no
    /// longer assigned, not even one that is being made.
    pub fn update(&self, snapshot: VmSnapshot) {
        self.snapshot.store(Arc::new(snapshot));
        self.forget_unassigned();
    }

    /// Forgets tokens of identities that aren't assigned. A request that was planned just before an update may
    /// have brought one in just after it.
    pub(crate) fn forget_unassigned(&self) {
        let snapshot = self.snapshot.load();
        self.tokens.retain(|principal| snapshot.identities.by_principal_id(principal).is_some());
    }

    /// How many tokens callers got since this was asked last. What the extension's endpoint forwards isn't counted: who
    /// asks there hasn't moved yet.
    #[must_use]
    pub fn take_calls(&self) -> u64 {
        self.calls.swap(0, Ordering::Relaxed)
    }

    /// How many tokens are held ready for it.
    #[must_use]
    pub fn cached_tokens(&self) -> usize {
        self.tokens.len()
    }
}

fn token_body(wanted: &Wanted, minted: &Minted) -> TokenBody {
    crate::convert::token_body(wanted, minted)
}
