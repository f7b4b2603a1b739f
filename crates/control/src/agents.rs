//! What the guest agents of VMs said of themselves last.
//!
//! Agents say it every few seconds, so it isn't written down, which would be as many transactions: after a start it is
//! known again when they have said it. Until then a machine is shown as Azure shows one whose agent wasn't heard yet, and
//! not with what may be so no more.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contract::guest_agent::status_blob::AgentStatus;
use domain::{ResourceId, Timestamp, VirtualMachine, VmId};

/// For how long an agent may say nothing before it counts as silent: Azure's operations end after 24 to 26 minutes of that
/// (Azure/azure-powershell issues 1627 and 5741, Azure/azure-xplat-cli issue 2794).
pub(crate) const PATIENCE: Duration = Duration::from_secs(25 * 60);

/// What the guest agents of VMs said of themselves last.
#[derive(Debug)]
pub struct Agents {
    /// Since when it is listened to them.
    since: Timestamp,
    said: Mutex<HashMap<ResourceId, Said>>,
}

/// What an agent said of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    /// Of which machine: one made anew under the same name is another one.
    vm_id: VmId,
    /// How it fares.
    pub(crate) agent: AgentStatus,
    /// When it was heard.
    pub(crate) at: Timestamp,
}

impl Agents {
    /// Agents of which nothing is known, listened to from now on.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self { since: now, said: Mutex::default() }
    }

    pub(crate) fn note(&self, vm: &VirtualMachine, agent: AgentStatus, at: Timestamp) {
        self.lock().insert(vm.id.clone(), Said { vm_id: vm.vm_id, agent, at });
    }

    pub(crate) fn forget(&self, vm: &ResourceId) {
        self.lock().remove(vm);
    }

    /// What a machine's agent said last; none when nothing was heard of it.
    pub(crate) fn of(&self, vm: &VirtualMachine) -> Option<Said> {
        self.lock().get(&vm.id).filter(|said| said.vm_id == vm.vm_id).cloned()
    }

    /// Whether nothing was heard of a machine's agent for too long. `other` is when it was heard in another way.
    pub(crate) fn is_silent(&self, vm: &VirtualMachine, other: Option<Timestamp>, now: Timestamp) -> bool {
        let last = self.of(vm).map(|said| said.at).max(other).map_or(self.since, |last| last.max(self.since));
        now.since(last) >= PATIENCE
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ResourceId, Said>> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_counts_from_when_it_was_listened() {
        let at = |minutes: i64| Timestamp::from_unix(minutes * 60);
        let id = "/subscriptions/20000000-0000-4000-8000-000000000001/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v";
        let id = ResourceId::parse(id).unwrap();
        let vm = |number: u128| VirtualMachine {
            vm_id: VmId::from_uuid(uuid::Uuid::from_u128(number)),
            tenant: domain::TenantId::from_uuid(uuid::Uuid::nil()),
            name: "v".to_owned(),
            location: String::new(),
            size: String::new(),
            tags: Default::default(),
            system_assigned: None,
            user_assigned: Vec::new(),
            attachment: None,
            document: String::new(),
            power: domain::PowerState::Running,
            generation: 0,
            created_at: at(0),
            instance: None,
            id: id.clone(),
        };
        let agents = Agents::new(at(100));
        // Nothing could be heard before.
        assert!(!agents.is_silent(&vm(1), Some(at(1)), at(124)) && agents.is_silent(&vm(1), Some(at(1)), at(125)));
        agents.note(&vm(1), AgentStatus::default(), at(110));
        assert!(!agents.is_silent(&vm(1), None, at(134)) && agents.is_silent(&vm(1), None, at(135)));
        assert!(!agents.is_silent(&vm(1), Some(at(120)), at(144)));
        assert!(agents.is_silent(&vm(2), None, at(134)), "another machine of this name");
        agents.forget(&id);
        assert_eq!(agents.of(&vm(1)), None);
    }
}
