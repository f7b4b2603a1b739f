//! Who asks the endpoint, counted by day and caller: what says whether anybody would miss it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Mutex, PoisonError};

use domain::caller::MAX_CALLERS;
use domain::{CalledEndpoint, Caller, Calls, Day, SharedClock, Timestamp};

/// The calls since they were taken last.
#[derive(Debug)]
pub struct Callers {
    clock: SharedClock,
    counted: Mutex<Counted>,
}

/// How often, and when last.
type Counted = BTreeMap<(Day, Caller), (u64, Timestamp)>;

impl Callers {
    /// Nobody yet.
    #[must_use]
    pub fn new(clock: SharedClock) -> Self {
        Self { clock, counted: Mutex::default() }
    }

    /// Counts a call. When more callers are there than are told apart, it is one of the others.
    pub fn count(&self, caller: Caller) {
        let now = self.clock.now();
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        add(&mut counted, Day::of(now), caller, 1, now);
    }

    /// What was counted since the last time.
    #[must_use]
    pub fn take(&self) -> Vec<Calls> {
        let counted = std::mem::take(&mut *self.counted.lock().unwrap_or_else(PoisonError::into_inner));
        listed(counted)
    }
}

/// Adds calls to others of their days, of which so many callers are told apart.
#[must_use]
pub fn together(calls: impl IntoIterator<Item = Calls>) -> Vec<Calls> {
    let mut counted = Counted::new();
    for one in calls {
        add(&mut counted, one.day, one.caller, one.count, one.last_at);
    }
    listed(counted)
}

fn add(counted: &mut Counted, day: Day, caller: Caller, count: u64, at: Timestamp) {
    let full = counted.keys().filter(|(other, _)| *other == day).count() >= MAX_CALLERS - 1;
    let key = (day, caller);
    let key = if full && !counted.contains_key(&key) { (day, Caller::others()) } else { key };
    match counted.entry(key) {
        Entry::Occupied(mut there) => {
            let (calls, last) = there.get_mut();
            *calls += count;
            *last = at.max(*last);
        }
        Entry::Vacant(place) => {
            place.insert((count, at));
        }
    }
}

fn listed(counted: Counted) -> Vec<Calls> {
    let calls = counted.into_iter().map(|((day, caller), (count, last_at))| Calls {
        endpoint: CalledEndpoint::Extension,
        day,
        caller,
        count,
        last_at,
    });
    calls.collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use domain::ManualClock;

    use super::*;

    fn caller(number: usize) -> Caller {
        Caller::new(None, &format!("client/{number}"), None, None)
    }

    #[test]
    fn calls_are_counted_by_day_and_caller_until_they_are_taken() {
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix(86_399)));
        let callers = Callers::new(clock.clone());
        callers.count(caller(1));
        callers.count(caller(1));
        clock.advance(Duration::from_secs(1));
        callers.count(caller(1));
        let taken = callers.take();
        let told: Vec<_> = taken.iter().map(|calls| (calls.day.0, calls.count, calls.last_at.unix())).collect();
        assert_eq!(told, [(0, 2, 86_399), (1, 1, 86_400)]);
        assert_eq!(callers.take(), []);
        let both = together(taken.clone().into_iter().chain(taken));
        assert_eq!(both.iter().map(|calls| calls.count).collect::<Vec<_>>(), [4, 2]);
    }

    #[test]
    fn too_many_callers_are_counted_together() {
        let callers = Callers::new(Arc::new(ManualClock::new(Timestamp::from_unix(0))));
        for number in 0..1_000 {
            callers.count(caller(number));
        }
        callers.count(caller(0));
        let taken = callers.take();
        assert_eq!(taken.len(), MAX_CALLERS);
        assert_eq!(taken.iter().map(|calls| calls.count).sum::<u64>(), 1_001);
        let of = |wanted: &Caller| taken.iter().find(|calls| calls.caller == *wanted).map(|calls| calls.count);
        assert_eq!((of(&caller(0)), of(&caller(999))), (Some(2), None));
    }
}
