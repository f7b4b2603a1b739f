//! What is going to happen to a virtual machine, told to it beforehand.

use std::time::Duration;

use crate::{EventId, ResourceId, Timestamp};

/// An event of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduledEvent {
    /// Its id.
    pub id: EventId,
    /// The machine.
    pub vm: ResourceId,
    /// What happens.
    pub kind: EventKind,
    /// When it happens unless the machine lets it happen earlier.
    pub not_before: Timestamp,
    /// When it began, once it has.
    pub started_at: Option<Timestamp>,
    /// Why.
    pub description: String,
    /// Whether somebody asked for it, or the platform does it by itself.
    pub by_user: bool,
    /// How long it takes in seconds, where that is known.
    pub duration: Option<u32>,
}

/// What happens to a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// It stands still for some seconds.
    Freeze,
    /// It restarts.
    Reboot,
    /// It restarts somewhere else.
    Redeploy,
    /// It is taken away because somebody pays more.
    Preempt,
    /// It is deleted.
    Terminate,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Freeze, Self::Reboot, Self::Redeploy, Self::Preempt, Self::Terminate];

    /// Its name on the wire and in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Freeze => "Freeze",
            Self::Reboot => "Reboot",
            Self::Redeploy => "Redeploy",
            Self::Preempt => "Preempt",
            Self::Terminate => "Terminate",
        }
    }

    /// How long before the least notice is given (MicrosoftDocs/azure-compute-docs `scheduled-events.md`).
    #[must_use]
    pub fn notice(self) -> Duration {
        Duration::from_secs(match self {
            Self::Freeze | Self::Reboot => 15 * 60,
            Self::Redeploy => 10 * 60,
            Self::Preempt => 30,
            Self::Terminate => 5 * 60,
        })
    }
}

impl ScheduledEvent {
    /// How long an event takes of which nobody said it.
    const USUAL: Duration = Duration::from_secs(5);

    /// Whether it is to begin by now.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.started_at.is_none() && self.not_before <= now
    }

    /// Whether it began so long ago that it is over.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        let takes = self.duration.map_or(Self::USUAL, |seconds| Duration::from_secs(seconds.into()));
        self.started_at.is_some_and(|started| started.plus(takes) <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_due_then_begun_then_over() {
        let at = Timestamp::from_unix;
        let sub = "20000000-0000-4000-8000-000000000001".parse().unwrap();
        let mut event = ScheduledEvent {
            id: EventId::from_uuid(uuid::Uuid::from_u128(1)),
            vm: ResourceId::for_virtual_machine(sub, "rg", "vm").unwrap(),
            kind: EventKind::Reboot,
            not_before: at(100),
            started_at: None,
            description: String::new(),
            by_user: true,
            duration: None,
        };
        assert_eq!([99, 100, 1_000].map(|now| event.is_due(at(now))), [false, true, true]);
        assert!(!event.is_over(at(1_000)), "it has not begun");
        event.started_at = Some(at(100));
        assert!(!event.is_due(at(1_000)));
        assert_eq!([104, 105].map(|now| event.is_over(at(now))), [false, true]);
        event.duration = Some(9);
        assert_eq!([108, 109].map(|now| event.is_over(at(now))), [false, true]);
    }
}
