//! Who called the endpoints of the VMs, written down from time to time: what is counted is in memory until then.

use std::sync::Arc;

use domain::{CalledEndpoint, Caller, Calls, Day, ResourceId};
use guest::callers::Callers;
use imds::Vm;
use store::{Act, Tally};

use super::guest_process::Common;

/// Where calls are counted.
pub(crate) struct Counted {
    pub(crate) common: Arc<Common>,
    pub(crate) machines: Vec<(ResourceId, Arc<Callers>, Arc<Vm>)>,
}

impl Counted {
    /// Writes down what was counted since the last time. What can't be written is counted no more: no caller waits for it.
    pub(crate) async fn write(&self) {
        let now = self.common.clock.now();
        let counted = self.machines.iter().map(|(id, callers, vm)| {
            let mut calls = callers.take();
            let count = vm.take_calls();
            if count > 0 {
                let (endpoint, caller) = (CalledEndpoint::Metadata, Caller::default());
                calls.push(Calls { endpoint, day: Day::of(now), caller, count, last_at: now });
            }
            (id.clone(), calls)
        });
        let counted: Vec<_> = counted.filter(|(_, calls)| !calls.is_empty()).collect();
        if counted.is_empty() {
            return;
        }
        let act = Act::new("symbolon", "calls.count", "/", now);
        let written = self.common.store.write(act, move |tx| {
            for (id, calls) in &counted {
                // It may be gone by now.
                if tx.virtual_machine(id)?.is_some() {
                    tx.count_calls(id, calls, Tally::More)?;
                }
            }
            Ok::<_, store::Error>(())
        });
        if let Err(error) = written.await {
            tracing::error!(error = &error as &dyn std::error::Error, "it could not be written down who called");
        }
    }
}
