//! What is to be done next to cut a machine over, or to go back. All that is known is what the control plane shows, so
//! whoever is cut off goes on with the same call.

use domain::Step;

use crate::machine::Machine;

/// How far to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Goal {
    /// To a step.
    Step(Step),
    /// Until the extension is removed, which can't be taken back.
    Removed,
}

impl Goal {
    /// The goal of a name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        if name == "removed" { Some(Self::Removed) } else { Step::of(name).map(Self::Step) }
    }
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Say that a step is wanted.
    Want(Step),
    /// Wait until the guest has come to a step.
    Wait(Step),
    /// Remove the extension.
    Remove,
    /// Nothing: it is done.
    Done,
}

/// The next move towards a goal.
#[must_use]
pub fn forwards(machine: &Machine, goal: Goal) -> Move {
    let (wanted, reached) = (machine.properties.cutover.step, machine.properties.cutover.reached);
    match wanted.next() {
        _ if machine.is_model() => {
            if goal == Goal::Removed {
                Move::Remove
            } else {
                Move::Done
            }
        }
        _ if wanted != reached => Move::Wait(wanted),
        _ if goal <= Goal::Step(wanted) => Move::Done,
        Some(next) => Move::Want(next),
        None => Move::Remove,
    }
}

/// The next move back to a step.
#[must_use]
pub fn back(machine: &Machine, to: Step) -> Move {
    let (wanted, reached) = (machine.properties.cutover.step, machine.properties.cutover.reached);
    if wanted > to {
        Move::Want(to)
    } else if wanted == reached {
        Move::Done
    } else {
        Move::Wait(wanted)
    }
}

/// All moves that are left to a goal, the waiting left out.
#[must_use]
pub fn left(machine: &Machine, goal: Goal) -> Vec<Move> {
    let wanted = machine.properties.cutover.step;
    let goes = |step: &Step| !machine.is_model() && *step > wanted && Goal::Step(*step) <= goal;
    let steps = Step::ALL.into_iter().filter(goes);
    let last = (goal == Goal::Removed).then_some(Move::Remove);
    steps.map(Move::Want).chain(last).collect()
}

/// What a move does, for people.
#[must_use]
pub fn described(step: Move) -> &'static str {
    match step {
        Move::Want(Step::Serving) => "serve by its own credentials again: new ones are issued",
        Move::Want(Step::Forwarding) => {
            "forward from the extension's port to the metadata service, once that has answered"
        }
        Move::Want(Step::Revoked) => "revoke the credentials and wipe them from the disk; the port goes on forwarding",
        Move::Want(Step::Closed) => "close the extension's port, if nobody called for long enough",
        Move::Wait(_) => "wait for the guest",
        Move::Remove => "remove the extension; this can't be taken back",
        Move::Done => "nothing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Progress;

    fn at(step: Step, reached: Step) -> Machine {
        let text = r#"{"id":"/a","name":"a","properties":{"power":"running","usableCredentials":0,"identities":[],
            "extension":{"name":"e","state":"Succeeded","port":1},"extensionCalls":{"callers":[]},
            "imdsCalls":{"callers":[]},"cutover":{"step":"serving","reached":"serving"}}}"#;
        let mut machine: Machine = serde_json::from_str(text).unwrap();
        machine.properties.cutover = Progress { step, reached, failed: None };
        machine
    }

    #[test]
    fn forwards_goes_step_by_step_and_waits_for_the_guest() {
        let next = |step, reached, goal| forwards(&at(step, reached), goal);
        assert_eq!(next(Step::Serving, Step::Serving, Goal::Removed), Move::Want(Step::Forwarding));
        assert_eq!(next(Step::Forwarding, Step::Serving, Goal::Removed), Move::Wait(Step::Forwarding));
        assert_eq!(next(Step::Forwarding, Step::Forwarding, Goal::Step(Step::Forwarding)), Move::Done);
        assert_eq!(next(Step::Closed, Step::Closed, Goal::Step(Step::Revoked)), Move::Done);
        assert_eq!(next(Step::Closed, Step::Closed, Goal::Removed), Move::Remove);
        let moves = left(&at(Step::Forwarding, Step::Serving), Goal::Removed);
        assert_eq!(moves, [Move::Want(Step::Revoked), Move::Want(Step::Closed), Move::Remove]);
    }

    #[test]
    fn back_goes_at_once() {
        assert_eq!(back(&at(Step::Closed, Step::Revoked), Step::Serving), Move::Want(Step::Serving));
        assert_eq!(back(&at(Step::Serving, Step::Revoked), Step::Serving), Move::Wait(Step::Serving));
        assert_eq!(back(&at(Step::Serving, Step::Serving), Step::Forwarding), Move::Done);
    }

    #[test]
    fn a_model_only_loses_the_extension() {
        let mut model = at(Step::Serving, Step::Serving);
        model.properties.power = None;
        assert_eq!(forwards(&model, Goal::Step(Step::Closed)), Move::Done);
        assert_eq!(forwards(&model, Goal::Removed), Move::Remove);
        assert_eq!(left(&model, Goal::Removed), [Move::Remove]);
        assert_eq!(left(&model, Goal::Step(Step::Closed)), []);
        assert_eq!(back(&model, Step::Serving), Move::Done);
    }

    #[test]
    fn goals_have_names() {
        assert_eq!(Goal::of("removed"), Some(Goal::Removed));
        assert_eq!(Goal::of("closed"), Some(Goal::Step(Step::Closed)));
        assert_eq!(Goal::of("x"), None);
        assert!(Goal::Step(Step::Closed) < Goal::Removed);
    }
}
