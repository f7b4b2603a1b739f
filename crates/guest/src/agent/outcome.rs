//! What the agent says of a handler.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// What an agent says where it has no code for it (Azure/WALinuxAgent, `ExtensionErrorCodes`).
pub const PROCESSING: i32 = -1;
/// The package couldn't be had.
pub const DOWNLOAD: i32 = 1001;
/// `install` failed.
pub const INSTALL: i32 = 1007;
/// An update failed.
pub const UPDATE: i32 = 1008;
/// `enable` failed.
pub const ENABLE: i32 = 1009;
/// `disable` failed.
pub const DISABLE: i32 = 1010;

/// The status of a handler that is at work.
pub const READY: &str = "Ready";

/// How a handler fares, as far as the agent knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// `Ready`, `NotReady` or `Installing`.
    pub status: &'static str,
    /// 0 is well.
    pub code: i32,
    /// For people.
    pub message: String,
}

impl Outcome {
    /// At work with it.
    #[must_use]
    pub fn installing() -> Self {
        Self { status: "Installing", code: 0, message: "Install Scheduled".to_owned() }
    }

    /// `enable` is done.
    #[must_use]
    pub fn ready() -> Self {
        Self { status: READY, code: 0, message: "Plugin enabled".to_owned() }
    }

    /// `disable` is done.
    #[must_use]
    pub fn disabled() -> Self {
        Self { status: "NotReady", code: 0, message: "Plugin disabled".to_owned() }
    }

    /// Something failed.
    #[must_use]
    pub fn failed(code: i32, message: impl Into<String>) -> Self {
        Self { status: "NotReady", code, message: message.into() }
    }
}

/// How each handler fares, by its name, with the number of the goal state that it came of.
#[derive(Debug, Default)]
pub struct Outcomes(Mutex<BTreeMap<String, (u64, Outcome)>>);

impl Outcomes {
    /// Says how one fares.
    pub fn set(&self, name: &str, number: u64, outcome: Outcome) {
        self.with(|all| all.insert(name.to_owned(), (number, outcome)));
    }

    /// Says nothing of one any more.
    pub fn forget(&self, name: &str) {
        self.with(|all| all.remove(name));
    }

    /// How one fares in a goal state. What failed in another one tells nothing of this one.
    #[must_use]
    pub fn get(&self, name: &str, number: u64) -> Option<Outcome> {
        let known = self.with(|all| all.get(name).cloned());
        known.filter(|(of, outcome)| *of == number || outcome.status == READY).map(|(_, outcome)| outcome)
    }

    /// Forgets those that aren't `wanted`.
    pub fn retain(&self, wanted: impl Fn(&str) -> bool) {
        self.with(|all| all.retain(|name, _| wanted(name)));
    }

    fn with<T>(&self, f: impl FnOnce(&mut BTreeMap<String, (u64, Outcome)>) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_of_its_own_goal_state_alone() {
        let outcomes = Outcomes::default();
        outcomes.set("a", 1, Outcome::failed(ENABLE, "no"));
        outcomes.set("b", 1, Outcome::ready());
        assert_eq!(outcomes.get("a", 1).unwrap().code, ENABLE);
        assert_eq!((outcomes.get("a", 2), outcomes.get("b", 2)), (None, Some(Outcome::ready())));
        outcomes.retain(|name| name == "a");
        assert_eq!(outcomes.get("b", 1), None);
        outcomes.forget("a");
        assert_eq!(outcomes.get("a", 1), None);
    }
}
