//! Who called the endpoints of the VMs, written down from time to time: what is counted is in memory until then.

use std::sync::Arc;

use domain::{CalledEndpoint, Caller, Calls, Day, ResourceId, VmId};
use guest::callers::Callers;
use imds::Vm;
use store::{Act, Tally, Tx};

use super::guest_process::Common;

/// The most that is waited between two writes, in ticks.
const LONGEST: u32 = 12;

/// When it is written down who called: at the next tick, and ever less often while calls go on, since every time is an act in
/// the audit.
pub(crate) struct Pace {
    wait: u32,
    left: u32,
}

impl Pace {
    pub(crate) fn new() -> Self {
        Self { wait: 1, left: 1 }
    }

    /// Whether this tick is one to write at.
    pub(crate) fn is_due(&mut self) -> bool {
        self.left = self.left.saturating_sub(1);
        self.left == 0
    }

    /// What came of it: whether anything was written.
    pub(crate) fn wrote(&mut self, anything: bool) {
        self.wait = if anything { (self.wait * 2).min(LONGEST) } else { 1 };
        self.left = self.wait;
    }
}

/// Where calls are counted.
pub(crate) struct Counted {
    pub(crate) common: Arc<Common>,
    pub(crate) machines: Vec<(ResourceId, VmId, Arc<Callers>, Arc<Vm>)>,
}

impl Counted {
    /// Writes down what was counted since the last time; whether there was anything. What can't be written is counted no
    /// more: no caller waits for it.
    pub(crate) async fn write(&self) -> bool {
        let now = self.common.clock.now();
        let counted = self.machines.iter().map(|(id, vm_id, callers, vm)| {
            let mut calls = callers.take();
            let count = vm.take_calls();
            if count > 0 {
                let (endpoint, caller) = (CalledEndpoint::Metadata, Caller::default());
                calls.push(Calls { endpoint, day: Day::of(now), caller, count, last_at: now });
            }
            (id.clone(), *vm_id, calls)
        });
        let counted: Vec<_> = counted.filter(|(.., calls)| !calls.is_empty()).collect();
        if counted.is_empty() {
            return false;
        }
        let act = Act::new("symbolon", "calls.count", "/", now);
        let written = self.common.store.write(act, move |tx| add(tx, &counted));
        if let Err(error) = written.await {
            tracing::error!(error = &error as &dyn std::error::Error, "it could not be written down who called");
        }
        true
    }
}

/// Adds calls to those of their machines. One may be gone by now, or there is another under its name.
fn add(tx: &mut dyn Tx, counted: &[(ResourceId, VmId, Vec<Calls>)]) -> Result<(), store::Error> {
    for (id, vm_id, calls) in counted {
        if tx.virtual_machine(id)?.is_some_and(|there| there.vm_id == *vm_id) {
            tx.count_calls(id, calls, Tally::More)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use store::{Founding, Store as _, sqlite};
    use uuid::Uuid;

    use super::*;
    use crate::seed;

    #[test]
    fn calls_of_a_machine_that_is_gone_are_not_those_of_another_under_its_name() {
        let now = Timestamp::from_unix(1_800_000_000);
        let store = sqlite::ephemeral(&Founding { installation: Uuid::nil(), epoch: Uuid::nil() }).unwrap();
        let mut tx = store.begin(Act::new("test", "test", "/", now)).unwrap();
        let world = seed::sample().unwrap();
        seed::put(&mut *tx, &world);
        let (id, there) = (world.virtual_machines[0].id.clone(), world.virtual_machines[0].vm_id);
        let gone = VmId::from_uuid(Uuid::from_u128(1));
        let (day, caller, endpoint) = (Day::of(now), Caller::default(), CalledEndpoint::Extension);
        let calls = |count| vec![Calls { endpoint, day, caller: caller.clone(), count, last_at: now }];
        add(&mut *tx, &[(id.clone(), gone, calls(7)), (id.clone(), there, calls(2))]).unwrap();
        let found = tx.calls(&id, day).unwrap();
        assert_eq!(found.iter().map(|calls| calls.count).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn while_calls_go_on_it_is_written_ever_less_often() {
        let mut pace = Pace::new();
        let mut written = Vec::new();
        for tick in 1..=60 {
            if pace.is_due() {
                written.push(tick);
                pace.wrote(true);
            }
        }
        assert_eq!(written, [1, 3, 7, 15, 27, 39, 51]);
        while !pace.is_due() {}
        pace.wrote(false);
        assert!(pace.is_due(), "the first call after a pause is written at the next tick");
    }
}
