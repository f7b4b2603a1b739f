//! The playbooks that run.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use domain::{Monotonic, ResourceId, SharedClock, SubscriptionId, Timestamp};
use serde::Serialize;

use crate::calls::{Call, Calls};
use crate::progress::Progress;
use crate::step::{Fault, Playbook};

/// The playbooks that run, one for each subscription at most. Cheap to clone; the clones are one.
#[derive(Clone, Debug)]
pub struct Playbooks {
    clock: SharedClock,
    running: Arc<ArcSwap<HashMap<SubscriptionId, Arc<Running>>>>,
}

/// One that runs.
#[derive(Debug)]
pub(crate) struct Running {
    playbook: Playbook,
    clock: SharedClock,
    began: Timestamp,
    began_monotonic: Monotonic,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// How many requests each step had.
    taken: Vec<u64>,
    /// How far the steps have come with each VM.
    progress: HashMap<ResourceId, Vec<Progress>>,
    calls: Calls,
}

/// A playbook that runs or ran, for whoever asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    /// When it began.
    pub started_at: String,
    /// Its steps.
    pub steps: Vec<ShownStep>,
    /// What was asked, the latest last.
    pub calls: Vec<Call>,
    /// How many calls were before those.
    pub calls_forgotten: u64,
}

/// A step for whoever asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownStep {
    /// Which one, counted from 1.
    pub number: usize,
    /// What it does, in a few words.
    pub fault: String,
    /// How many requests it had.
    pub taken: u64,
}

impl Playbooks {
    /// None yet.
    #[must_use]
    pub fn new(clock: SharedClock) -> Self {
        Self { clock, running: Arc::default() }
    }

    /// Begins one for the VMs of a subscription, in the place of the one that ran there.
    pub fn run(&self, subscription: SubscriptionId, playbook: Playbook) -> Shown {
        let running = Arc::new(Running::new(playbook, self.clock.clone()));
        let shown = running.shown();
        self.running.rcu(|all| {
            let mut all = HashMap::clone(all);
            all.insert(subscription, Arc::clone(&running));
            all
        });
        shown
    }

    /// The one that runs for a subscription.
    #[must_use]
    pub fn show(&self, subscription: SubscriptionId) -> Option<Shown> {
        self.running.load().get(&subscription).map(|running| running.shown())
    }

    /// Ends the one of a subscription; what it did. Requests that it keeps waiting go on waiting.
    pub fn stop(&self, subscription: SubscriptionId) -> Option<Shown> {
        let before = self.running.rcu(|all| {
            let mut all = HashMap::clone(all);
            all.remove(&subscription);
            all
        });
        before.get(&subscription).map(|running| running.shown())
    }

    /// What runs for a VM. Costs a load where nothing does.
    pub(crate) fn running(&self, vm: &ResourceId) -> Option<Arc<Running>> {
        let all = self.running.load();
        if all.is_empty() { None } else { all.get(&vm.subscription()?).cloned() }
    }
}

impl Running {
    fn new(playbook: Playbook, clock: SharedClock) -> Self {
        let taken = vec![0; playbook.steps.len()];
        let state = Mutex::new(State { taken, progress: HashMap::new(), calls: Calls::default() });
        let (began, began_monotonic) = (clock.now(), clock.monotonic());
        Self { playbook, clock, began, began_monotonic, state }
    }

    /// Decides about a request of a VM and writes it down: its number, and what is to be done to it.
    pub(crate) fn meet(&self, vm: &ResourceId, path: &str) -> (u64, Option<&Fault>) {
        let now = self.clock.monotonic();
        let after_ms = u64::try_from(now.since(self.began_monotonic).as_millis()).unwrap_or(u64::MAX);
        let steps = &self.playbook.steps;
        let mut state = self.state();
        if !state.progress.contains_key(vm) {
            state.progress.insert(vm.clone(), vec![Progress::default(); steps.len()]);
        }
        let State { taken, progress, calls } = &mut *state;
        let progress = progress.get_mut(vm).map(Vec::as_mut_slice).unwrap_or_default();
        let mut coming = steps.iter().zip(progress).enumerate().filter(|(_, (step, _))| step.is_for(vm, path));
        let step = coming.find_map(|(at, (step, progress))| progress.takes(&step.when, now).then_some((at, step)));
        if let Some(taken) = step.and_then(|(at, _)| taken.get_mut(at)) {
            *taken += 1;
        }
        let told = step.map(|(at, step)| (at + 1, step.fault.to_string()));
        (calls.begin(after_ms, vm.as_str(), path, told), step.map(|(_, step)| &step.fault))
    }

    /// Notes the status of an answer.
    pub(crate) fn answered(&self, number: u64, status: u16) {
        self.state().calls.end(number, status);
    }

    fn shown(&self) -> Shown {
        let started_at = jiff::Timestamp::from_second(self.began.unix()).unwrap_or_default().to_string();
        let state = self.state();
        let steps = self.playbook.steps.iter().zip(&state.taken).enumerate();
        let steps =
            steps.map(|(at, (step, taken))| ShownStep { number: at + 1, fault: step.fault.to_string(), taken: *taken });
        let (calls, calls_forgotten) = (state.calls.kept(), state.calls.forgotten());
        Shown { started_at, steps: steps.collect(), calls, calls_forgotten }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic runs under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
