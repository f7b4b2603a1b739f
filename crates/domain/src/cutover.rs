//! The cutover of a machine: from the extension that holds credentials to the metadata service, step by step.
//!
//! The control plane says which step is wanted and when the next one may be ([`Cutover::check`]); the guest does what
//! leads there, one [`Action`] after the other ([`next_action`]). Both begin anew after a crash from what is kept: the
//! step that is wanted, and what lies on the disk. Each step can be taken back; the last one, that the extension is
//! removed, isn't among them: after it there is nothing to take back.

use std::time::Duration;

use crate::{ResourceId, Timestamp};

/// How far a machine's cutover is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The extension gives tokens with its own credentials.
    #[default]
    Serving,
    /// Its port stays open, and whoever asks there is answered from the metadata service. The credentials are still good.
    Forwarding,
    /// The credentials are revoked and gone from the disk; its port goes on forwarding.
    Revoked,
    /// Its port is closed.
    Closed,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Self; 4] = [Self::Serving, Self::Forwarding, Self::Revoked, Self::Closed];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Serving => "serving",
            Self::Forwarding => "forwarding",
            Self::Revoked => "revoked",
            Self::Closed => "closed",
        }
    }

    /// The step of a name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == name)
    }

    /// The next one.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        match self {
            Self::Serving => Some(Self::Forwarding),
            Self::Forwarding => Some(Self::Revoked),
            Self::Revoked => Some(Self::Closed),
            Self::Closed => None,
        }
    }
}

/// The cutover of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cutover {
    /// The machine.
    pub vm: ResourceId,
    /// The step that is wanted.
    pub wanted: Step,
    /// Since when.
    pub since: Timestamp,
    /// The step that its guest said it has come to.
    pub reached: Step,
    /// When it said so.
    pub reached_at: Timestamp,
    /// Why it hasn't come to the step that is wanted, when it said that.
    pub failed: Option<String>,
}

/// Why a step isn't taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CutoverRefusal {
    /// One step at a time.
    #[error("the step after '{}' is '{}'", now.as_str(), now.next().map_or("none", Step::as_str))]
    Skips {
        /// The step that is wanted now.
        now: Step,
    },
    /// The guest isn't there yet.
    #[error("the guest has not come to '{}' yet; it is at '{}'{}", wanted.as_str(), reached.as_str(), because(failed.as_deref()))]
    NotReached {
        /// The step that is wanted now.
        wanted: Step,
        /// Where it is.
        reached: Step,
        /// Why, if it said so.
        failed: Option<String>,
    },
    /// Somebody still calls the extension, or did a short while ago.
    #[error("it has not been quiet for long enough: not before {}", until)]
    NotQuiet {
        /// From when on it will have been, when nobody calls before.
        until: Timestamp,
    },
}

fn because(failed: Option<&str>) -> String {
    failed.map(|why| format!(": {why}")).unwrap_or_default()
}

impl Cutover {
    /// The cutover of a machine for which none was begun.
    #[must_use]
    pub fn none(vm: ResourceId) -> Self {
        let never = Timestamp::from_unix(0);
        Self { vm, wanted: Step::Serving, since: never, reached: Step::Serving, reached_at: never, failed: None }
    }

    /// That of a machine which is made beside others of its kind, whose steps these are: it begins at the one that all of
    /// them are wanted at or beyond, so that nothing is put on its disk which the others have lost already. None is begun
    /// where one of them serves, or where there is no other.
    #[must_use]
    pub fn beside(vm: ResourceId, others: impl IntoIterator<Item = Step>, now: Timestamp) -> Option<Self> {
        let least = others.into_iter().min().filter(|step| *step > Step::Serving)?;
        Some(Self::none(vm).towards(least, now))
    }

    /// Whether `to` may be wanted now. Back is always allowed, also over several steps; forwards, one step at a time and
    /// only from where the guest has come to. `last_call` is the last one of anybody at the extension's port; closing it
    /// takes that nobody called for `quiet`.
    ///
    /// # Errors
    /// Why not.
    pub fn check(
        &self,
        to: Step,
        last_call: Option<Timestamp>,
        quiet: Duration,
        now: Timestamp,
    ) -> Result<(), CutoverRefusal> {
        if to <= self.wanted {
            return Ok(());
        }
        if self.wanted.next() != Some(to) {
            return Err(CutoverRefusal::Skips { now: self.wanted });
        }
        if self.reached != self.wanted {
            let (wanted, reached, failed) = (self.wanted, self.reached, self.failed.clone());
            return Err(CutoverRefusal::NotReached { wanted, reached, failed });
        }
        if to == Step::Closed {
            let until = last_call.map_or(self.since, |last| last.max(self.since)).plus(quiet);
            if now < until {
                return Err(CutoverRefusal::NotQuiet { until });
            }
        }
        Ok(())
    }

    /// Whether its extension is to have good credentials: until the metadata service has answered in its place, nothing
    /// else gives a token.
    #[must_use]
    pub fn needs_credentials(&self) -> bool {
        match self.wanted {
            Step::Serving => true,
            Step::Forwarding => self.reached < Step::Forwarding,
            Step::Revoked | Step::Closed => false,
        }
    }

    /// The same machine on its way to another step. To the one that is wanted already is to try again, when its guest said
    /// that it can't come there.
    #[must_use]
    pub fn towards(self, to: Step, now: Timestamp) -> Self {
        if to == self.wanted && self.failed.is_none() {
            return self;
        }
        Self { wanted: to, since: now, failed: None, ..self }
    }
}

/// What answers at the extension's port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Port {
    /// Nothing.
    #[default]
    Closed,
    /// Tokens by the credentials on the disk.
    Serving,
    /// Answers of the metadata service.
    Forwarding,
}

/// A guest as its next action depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Guest {
    /// What answers at the port.
    pub port: Port,
    /// Whether there are credentials on the disk, good or not.
    pub credentials: bool,
    /// Whether it has just been seen to that they are good.
    pub good: bool,
    /// Whether the metadata service has proved before that it answers for this machine.
    pub proved: bool,
}

/// What a guest does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Have good credentials on the disk.
    Place,
    /// Give tokens by the credentials.
    Serve,
    /// Forward, once the metadata service has answered for every identity; until then everything stays as it is.
    ProveAndForward,
    /// Forward, whether the metadata service answers or not: nothing else could.
    Forward,
    /// Take the credentials from the disk.
    Wipe,
    /// Close the port.
    Close,
}

/// What leads a guest to a step; none when it is there.
#[must_use]
pub fn next_action(wanted: Step, guest: Guest) -> Option<Action> {
    match (wanted, guest.port) {
        (Step::Serving, Port::Serving) | (Step::Forwarding, Port::Forwarding) => None,
        // What lies there may have been revoked since it was served with.
        (Step::Serving, Port::Closed | Port::Forwarding) => {
            Some(if guest.good { Action::Serve } else { Action::Place })
        }
        (Step::Forwarding, Port::Serving) => Some(Action::ProveAndForward),
        // It was cut off before the proof, or is new: whoever calls is answered as before, and then it is proved.
        (Step::Forwarding, Port::Closed) if !guest.proved => {
            Some(if guest.good { Action::Serve } else { Action::Place })
        }
        // What is on the disk opens nothing any more, where there is anything.
        (Step::Forwarding, Port::Closed) | (Step::Revoked, Port::Closed | Port::Serving) => Some(Action::Forward),
        (Step::Revoked, Port::Forwarding) => guest.credentials.then_some(Action::Wipe),
        (Step::Closed, _) if guest.credentials => Some(Action::Wipe),
        (Step::Closed, port) => (port != Port::Closed).then_some(Action::Close),
    }
}

#[cfg(test)]
mod tests;
