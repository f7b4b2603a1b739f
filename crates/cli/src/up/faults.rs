//! Faults on purpose: what stands in front of the data planes of an `up`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use authority::Authority;
use authority::issuer::Issuers;
use authority::key_ring::KeyRing;
use authority::signing_pool::SigningPool;
use broker::in_process::{DEFAULT_LIFETIME, InProcess};
use broker::{Broker, Counters, Freshness};
use contract::gate::{AllowedHosts, Refusal, Surface};
use domain::{Clock, Monotonic, ResourceId, SharedClock, TenantId, Timestamp};
use imds::Expired;
use playbook::{Expire, Front, Playbooks};

/// How long the life of an expired token is over: longer than anybody's tolerance.
const OVER_FOR: Duration = Duration::from_secs(3_600);

/// The faults that are ordered, and what they need.
#[derive(Clone)]
pub(crate) struct Faults {
    pub(crate) playbooks: Playbooks,
    expire: Expire,
}

impl Faults {
    /// With what signs tokens. Those that are to be expired are signed as if it were a day ago.
    pub(crate) fn new(
        playbooks: Playbooks,
        signing: (Arc<KeyRing>, SigningPool, Arc<Issuers>),
        tenants: HashMap<TenantId, Timestamp>,
        clock: SharedClock,
    ) -> Self {
        let past: SharedClock = Arc::new(Past { clock, by: DEFAULT_LIFETIME + OVER_FOR });
        let (ring, pool, issuers) = signing;
        let authority = Authority::new(ring, pool, issuers, Arc::clone(&past));
        let source = Arc::new(InProcess::new(authority, DEFAULT_LIFETIME, tenants));
        let broker = Broker::new(source, past, Freshness::default(), Counters::register("expired"));
        let expire: Expire = Arc::new(move |extensions| {
            extensions.insert(Expired(broker.clone()));
        });
        Self { playbooks, expire }
    }

    /// What stands in front of a VM's metadata service.
    pub(crate) fn before_imds(&self, vm: ResourceId, hosts: AllowedHosts) -> Front {
        let (playbooks, expire) = (self.playbooks.clone(), Some(Arc::clone(&self.expire)));
        Front { playbooks, vm, surface: Surface::Imds, hosts, internal: Refusal::Internal, expire }
    }
}

/// What stands in front of a guest's extension endpoint, whose log lies in a folder. Its tokens come from the authority
/// over the wire, so none of them is expired.
pub(crate) fn before_extension(playbooks: &Playbooks, vm: ResourceId, hosts: AllowedHosts, logs: String) -> Front {
    let internal = Refusal::RetrievalFailed { logs };
    Front { playbooks: playbooks.clone(), vm, surface: Surface::Extension, hosts, internal, expire: None }
}

/// A clock that is behind.
#[derive(Debug)]
struct Past {
    clock: SharedClock,
    by: Duration,
}

impl Clock for Past {
    fn now(&self) -> Timestamp {
        self.clock.now().minus(self.by)
    }

    fn monotonic(&self) -> Monotonic {
        self.clock.monotonic()
    }
}
