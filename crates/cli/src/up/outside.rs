//! The VMs that have an agent of their own: nothing in this process acts for their extensions any more.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::ResourceId;
use tokio::sync::Notify;

/// The VMs that have an agent of their own.
#[derive(Debug, Default)]
pub(crate) struct Outside {
    machines: Mutex<Machines>,
    joined: Notify,
}

#[derive(Debug, Default)]
struct Machines {
    all: BTreeSet<ResourceId>,
    /// Those that nobody was told of yet.
    new: BTreeSet<ResourceId>,
}

impl Outside {
    /// A VM's agent has asked for its goal state. From then on it is the agent's, also when that is silent for long: a
    /// machine that is down has no extension that serves.
    pub(crate) fn join(&self, vm: &ResourceId) {
        let mut machines = self.lock();
        if machines.all.insert(vm.clone()) {
            machines.new.insert(vm.clone());
            self.joined.notify_one();
        }
    }

    /// A VM is gone; a new one under its name is another one.
    pub(crate) fn leave(&self, vm: &ResourceId) {
        let mut machines = self.lock();
        machines.all.remove(vm);
        machines.new.remove(vm);
    }

    /// Whether a VM has an agent of its own.
    pub(crate) fn has(&self, vm: &ResourceId) -> bool {
        self.lock().all.contains(vm)
    }

    /// Waits for VMs whose agents joined since the last time.
    pub(crate) async fn joined(&self) -> BTreeSet<ResourceId> {
        loop {
            let new = std::mem::take(&mut self.lock().new);
            if !new.is_empty() {
                return new;
            }
            self.joined.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Machines> {
        self.machines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
