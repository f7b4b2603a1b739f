//! How far a step has come with the requests of one VM.

use domain::Monotonic;

use crate::step::When;

/// How far a step has come.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    /// How many requests came to it.
    seen: u64,
    /// How many it had.
    acted: u64,
    /// When it had the first.
    since: Option<Monotonic>,
}

impl Progress {
    /// Whether the step has this request, which came to it.
    pub(crate) fn takes(&mut self, when: &When, now: Monotonic) -> bool {
        self.seen += 1;
        let due = self.seen.checked_sub(when.from).is_some_and(|past| past.is_multiple_of(when.every));
        let left = when.count.is_none_or(|count| self.acted < count);
        let in_time = match (when.duration, self.since) {
            (Some(duration), Some(since)) => now.since(since) < duration,
            (Some(_) | None, _) => true,
        };
        let takes = due && left && in_time;
        if takes {
            self.acted += 1;
            self.since.get_or_insert(now);
        }
        takes
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const ALWAYS: When = When { from: 1, every: 1, count: None, duration: None };

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_origin(Duration::from_secs(seconds))
    }

    fn taken(when: When, requests: u64) -> Vec<u64> {
        let mut progress = Progress::default();
        (1..=requests).filter(|_| progress.takes(&when, at(0))).collect()
    }

    #[test]
    fn the_nth_every_nth_and_so_many() {
        assert_eq!(taken(ALWAYS, 3), [1, 2, 3]);
        assert_eq!(taken(When { from: 3, ..ALWAYS }, 5), [3, 4, 5]);
        assert_eq!(taken(When { from: 3, count: Some(1), ..ALWAYS }, 5), [3]);
        assert_eq!(taken(When { every: 3, ..ALWAYS }, 8), [1, 4, 7]);
        assert_eq!(taken(When { from: 2, every: 2, count: Some(2), ..ALWAYS }, 9), [2, 4]);
    }

    #[test]
    fn time_runs_from_the_first_one_it_has() {
        let when = When { from: 2, duration: Some(Duration::from_secs(70)), ..ALWAYS };
        let mut progress = Progress::default();
        assert!(!progress.takes(&when, at(0)), "the first isn't its own");
        assert!(progress.takes(&when, at(1_000)));
        assert!(progress.takes(&when, at(1_069)));
        assert!(!progress.takes(&when, at(1_070)));
        assert!(!progress.takes(&when, at(5_000)), "it never begins anew");
    }

    proptest! {
        #[test]
        fn never_more_than_so_many_and_never_before_the_first(from in 1u64..9, every in 1u64..5, count in 1u64..5, requests in 0u64..40) {
            let taken = taken(When { from, every, count: Some(count), duration: None }, requests);
            let room = requests.checked_sub(from).map_or(0, |past| past / every + 1);
            prop_assert_eq!(taken.len() as u64, room.min(count));
            prop_assert!(taken.iter().all(|number| *number >= from && (number - from) % every == 0));
        }
    }
}
