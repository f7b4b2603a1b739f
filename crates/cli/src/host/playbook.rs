//! Faults on purpose for all VMs of a host.

use std::collections::BTreeSet;

use domain::SharedClock;
use imds::Faults;
use playbook::{Playbook, Playbooks};

use super::Placed;

/// The playbook of a host, which runs for each subscription by itself.
pub(crate) struct HostPlaybook {
    playbook: Playbook,
    running: Playbooks,
}

impl HostPlaybook {
    /// It runs for nobody yet.
    pub(crate) fn new(playbook: Playbook, clock: SharedClock) -> Self {
        tracing::warn!(steps = playbook.steps.len(), "a playbook runs: requests fail on purpose");
        Self { playbook, running: Playbooks::new(clock) }
    }

    /// What stands in front of the VMs. This host has nothing that makes expired tokens.
    pub(crate) fn faults(&self) -> Faults {
        Faults { playbooks: self.running.clone(), expired: None }
    }

    /// Begins it for the VMs of subscriptions that it doesn't run for yet.
    pub(crate) fn begin(&self, machines: &[Placed]) {
        let subscriptions: BTreeSet<_> = machines.iter().filter_map(|placed| placed.vm.id.subscription()).collect();
        for subscription in subscriptions.into_iter().filter(|one| self.running.show(*one).is_none()) {
            self.running.run(subscription, self.playbook.clone());
        }
    }
}
