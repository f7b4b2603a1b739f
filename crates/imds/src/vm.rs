//! What the host knows of one VM: its snapshot, its tokens, its limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use broker::throttle::Throttle;
use broker::{Minted, TokenCache, Wanted};
use contract::imds::TokenBody;
use domain::VmSnapshot;
use tokio::sync::Semaphore;

use crate::ControlPlane;
use crate::documents::{Description, Documents};

/// How many documents may be signed for one VM at once. All VMs' signatures wait in one queue, which none may fill.
const SIGNED_AT_ONCE: usize = 4;

/// A VM as its listeners see it. The snapshot may be replaced at any time, and the tokens follow it; so may the
/// description.
pub struct Vm {
    snapshot: ArcSwap<VmSnapshot>,
    documents: ArcSwap<Documents>,
    pub(crate) tokens: Arc<TokenCache<TokenBody>>,
    pub(crate) throttle: Throttle,
    pub(crate) control_plane: Option<Arc<dyn ControlPlane>>,
    /// One for each document that may be signed beside the others.
    pub(crate) signed: Semaphore,
    /// The tokens that callers got since they were counted last.
    pub(crate) calls: AtomicU64,
}

impl Vm {
    /// A VM with no token yet, of which nothing is known but its snapshot.
    #[must_use]
    pub fn new(snapshot: VmSnapshot, throttle: Throttle) -> Self {
        let documents = ArcSwap::from_pointee(Documents::new(Description::of(&snapshot)));
        let tokens = Arc::new(TokenCache::new(token_body));
        Self {
            snapshot: ArcSwap::from_pointee(snapshot),
            documents,
            tokens,
            throttle,
            control_plane: None,
            signed: Semaphore::new(SIGNED_AT_ONCE),
            calls: AtomicU64::new(0),
        }
    }

    /// With a control plane, without which no document is signed for it and no scheduled event of it approved.
    #[must_use]
    pub fn with_control_plane(self, control_plane: Arc<dyn ControlPlane>) -> Self {
        Self { control_plane: Some(control_plane), ..self }
    }

    /// Puts a newer description in place.
    pub fn describe(&self, description: Description) {
        if self.documents.load().description != description {
            self.documents.store(Arc::new(Documents::new(description)));
        }
    }

    pub(crate) fn documents(&self) -> arc_swap::Guard<Arc<Documents>> {
        self.documents.load()
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
