//! What the guests of a process share.

use std::sync::Arc;

use broker::http::AuthorityClient;
use broker::throttle::Throttle;
use control::vm_credential::KeyMaker;
use domain::SharedClock;
use listen::Room;
use playbook::Playbooks;
use store::Handle;

use super::super::moves::Moves;
use super::super::outside::Outside;

/// What all guests of an `up` have in common.
pub(crate) struct Common {
    pub(crate) store: Handle,
    pub(crate) key_maker: KeyMaker,
    pub(crate) clock: SharedClock,
    pub(crate) authority: AuthorityClient,
    /// What the connections of all listeners share.
    pub(crate) room: Room,
    /// Whether requests are limited as Azure does.
    pub(crate) throttled: bool,
    /// Whether endpoints are opened at all.
    pub(crate) extensions: bool,
    /// Told when an endpoint was opened or closed.
    pub(crate) moves: Moves,
    /// The VMs for whose extensions nothing is done here.
    pub(crate) outside: Arc<Outside>,
    /// The faults that are ordered.
    pub(crate) playbooks: Playbooks,
}

impl Common {
    /// The limits of one VM, or none.
    pub(crate) fn throttle(&self) -> Throttle {
        if self.throttled { Throttle::faithful(self.clock.clone()) } else { Throttle::off() }
    }
}
