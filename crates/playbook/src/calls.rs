//! What was asked while a playbook ran.

use std::collections::VecDeque;

use serde::Serialize;

/// How many calls are kept; the oldest go first.
pub const MAX_CALLS: usize = 1_000;
/// How much of a path is kept, in bytes. A path that a gate knows is shorter, but for slashes without number.
const MAX_PATH: usize = 256;

/// A request, and what was done to it. Nothing of its query, its headers or its answer is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// Which one it was, counted from 1.
    pub number: u64,
    /// Milliseconds since the playbook began.
    pub after_ms: u64,
    /// The VM's resource id.
    pub vm: String,
    /// The path, as it was sent.
    pub path: String,
    /// Which step had it, counted from 1.
    pub step: Option<usize>,
    /// What was done to it; nothing where it was answered as ever.
    pub fault: Option<String>,
    /// The status of the answer; none as long as there is none, and where the connection was closed instead.
    pub status: Option<u16>,
}

/// The latest calls.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    kept: VecDeque<Call>,
    /// How many there were.
    number: u64,
}

impl Calls {
    /// Writes one down; its number.
    pub(crate) fn begin(&mut self, after_ms: u64, vm: &str, path: &str, step: Option<(usize, String)>) -> u64 {
        self.number += 1;
        if self.kept.len() >= MAX_CALLS {
            self.kept.pop_front();
        }
        let (step, fault) = step.unzip();
        let path = path.get(..path.floor_char_boundary(MAX_PATH)).unwrap_or_default();
        let (vm, path, status) = (vm.to_owned(), path.to_owned(), None);
        self.kept.push_back(Call { number: self.number, after_ms, vm, path, step, fault, status });
        self.number
    }

    /// Notes the status of an answer.
    pub(crate) fn end(&mut self, number: u64, status: u16) {
        // The latest are looked at first: what ends has begun a short while ago.
        if let Some(call) = self.kept.iter_mut().rev().find(|call| call.number == number) {
            call.status = Some(status);
        }
    }

    pub(crate) fn kept(&self) -> Vec<Call> {
        self.kept.iter().cloned().collect()
    }

    /// How many are not kept any more.
    pub(crate) fn forgotten(&self) -> u64 {
        self.number - self.kept.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_calls_are_forgotten_and_counted() {
        let mut calls = Calls::default();
        for _ in 0..MAX_CALLS + 5 {
            let number = calls.begin(0, "/vm", &"/".repeat(10_000), None);
            calls.end(number, 200);
        }
        calls.end(1, 500);
        let kept = calls.kept();
        assert_eq!((kept.len(), calls.forgotten()), (MAX_CALLS, 5));
        assert!(kept.iter().all(|call| call.status == Some(200) && call.path.len() == MAX_PATH));
        assert_eq!(kept.first().map(|call| call.number), Some(6));
    }
}
