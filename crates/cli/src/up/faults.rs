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
use playbook::{Front, Playbooks};

/// How long the life of an expired token is over: longer than anybody's tolerance.
const OVER_FOR: Duration = Duration::from_secs(3_600);

/// Where expired tokens come from: what signs all others does it as if it were a day ago.
pub(crate) fn expired(
    signing: (Arc<KeyRing>, SigningPool, Arc<Issuers>),
    tenants: HashMap<TenantId, Timestamp>,
    clock: SharedClock,
) -> Broker {
    let past: SharedClock = Arc::new(Past { clock, by: DEFAULT_LIFETIME + OVER_FOR });
    let (ring, pool, issuers) = signing;
    let authority = Authority::new(ring, pool, issuers, Arc::clone(&past));
    let source = Arc::new(InProcess::new(authority, DEFAULT_LIFETIME, tenants));
    Broker::new(source, past, Freshness::default(), Counters::register("expired"))
}

/// What stands in front of a guest's extension endpoint, whose log lies in a folder. Its tokens come from the authority
/// over the wire, so none of them is expired.
pub(crate) fn before_extension(playbooks: &Playbooks, vm: ResourceId, hosts: AllowedHosts, logs: String) -> Front {
    let internal = Refusal::RetrievalFailed { logs };
    Front { playbooks: Some(playbooks.clone()), vm, surface: Surface::Extension, hosts, internal, expire: None }
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
