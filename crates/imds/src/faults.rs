//! Faults on purpose, in front of the metadata services of a host.

use std::sync::Arc;

use broker::Broker;
use contract::gate::{AllowedHosts, Refusal, Surface};
use playbook::{Faulty, Front, Playbooks};

use crate::{Expired, MetadataService, Vm};

/// What answers a VM: its metadata service, which fails where a playbook wants it so.
pub(crate) type Served = Faulty<MetadataService>;

/// The faults that may be ordered, and what they need.
#[derive(Clone)]
pub struct Faults {
    /// The playbooks.
    pub playbooks: Playbooks,
    /// Where expired tokens come from; without it a step that wants one does nothing.
    pub expired: Option<Broker>,
}

/// What stands in front of a VM's service; with no faults it stands there and does nothing.
pub(crate) fn front(faults: Option<&Faults>, vm: &Vm, hosts: AllowedHosts) -> Front {
    let playbooks = faults.map(|faults| faults.playbooks.clone());
    let expired = faults.and_then(|faults| faults.expired.clone()).map(Expired);
    let expire = expired.map(|expired| -> playbook::Expire {
        Arc::new(move |extensions| {
            extensions.insert(expired.clone());
        })
    });
    Front {
        playbooks,
        vm: vm.snapshot().id.clone(),
        surface: Surface::Imds,
        hosts,
        internal: Refusal::Internal,
        expire,
    }
}
