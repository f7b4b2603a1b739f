use std::time::Duration;

use domain::ManualClock;

use super::*;
use crate::parse::parse;
use crate::step::Outcome;

const SUBSCRIPTION: &str = "20000000-0000-4000-8000-000000000001";
const TOKEN: &str = "/metadata/identity/oauth2/token";

struct World {
    clock: ManualClock,
    playbooks: Playbooks,
}

fn subscription() -> SubscriptionId {
    SUBSCRIPTION.parse().unwrap()
}

fn vm(name: &str) -> ResourceId {
    ResourceId::for_virtual_machine(subscription(), "dev", name).unwrap()
}

impl World {
    fn new(text: &str) -> Self {
        let clock = ManualClock::new(Timestamp::from_unix(1_800_000_000));
        let playbooks = Playbooks::new(Arc::new(clock.clone()));
        playbooks.run(subscription(), parse(text).unwrap());
        Self { clock, playbooks }
    }

    /// What is done to a request: the step and the status, if it is one.
    fn meet(&self, name: &str, path: &str) -> Option<u16> {
        let running = self.playbooks.running(&vm("dev")).unwrap();
        let (_, fault) = running.meet(&vm(name), path);
        fault.map(|fault| match &fault.outcome {
            Outcome::Status { status, .. } => *status,
            Outcome::Answered
            | Outcome::Dropped
            | Outcome::Partial(_)
            | Outcome::ExpiredToken
            | Outcome::NotPropagated => 0,
        })
    }

    fn meets(&self, count: usize) -> Vec<Option<u16>> {
        (0..count).map(|_| self.meet("dev", TOKEN)).collect()
    }
}

#[test]
fn steps_follow_each_other() {
    let world = World::new("steps: [{status: 404, count: 2}, {status: 429, count: 1}]");
    assert_eq!(world.meets(5), [Some(404), Some(404), Some(429), None, None]);
}

#[test]
fn a_step_counts_what_earlier_ones_left() {
    let world = World::new("steps: [{status: 404, every: 2}, {status: 500, from: 2}]");
    assert_eq!(world.meets(5), [Some(404), None, Some(404), Some(500), Some(404)]);
}

#[test]
fn each_vm_is_counted_by_itself() {
    let world = World::new("steps: [{status: 404, count: 1}]");
    assert_eq!(
        ["dev", "other", "DEV", "other"].map(|name| world.meet(name, TOKEN)),
        [Some(404), Some(404), None, None]
    );
}

#[test]
fn a_step_is_for_its_vm_and_path_alone() {
    let text =
        format!("steps: [{{vm: Dev, path: /metadata/identity/info, status: 404}}, {{vm: {}, drop: true}}]", vm("x"));
    let world = World::new(&text);
    assert_eq!(world.meet("dev", TOKEN), None);
    assert_eq!(world.meet("other", "/metadata/identity/info"), None);
    assert_eq!(world.meet("dev", "/metadata/identity/info"), Some(404));
    assert_eq!(world.meet("x", TOKEN), Some(0));
}

#[test]
fn an_outage_ends_by_the_clock() {
    let world = World::new("steps: [{status: 410, for: 70s}]");
    world.clock.advance(Duration::from_secs(500));
    assert_eq!(world.meets(1), [Some(410)]);
    world.clock.advance(Duration::from_secs(69));
    assert_eq!(world.meets(1), [Some(410)]);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.meets(2), [None, None]);
}

#[test]
fn what_was_asked_is_shown_with_its_time() {
    let world = World::new("steps: [{status: 503, count: 1, retryAfter: 3}]");
    let running = world.playbooks.running(&vm("dev")).unwrap();
    let (number, _) = running.meet(&vm("dev"), TOKEN);
    running.answered(number, 503);
    world.clock.advance(Duration::from_millis(3_250));
    running.meet(&vm("dev"), TOKEN);
    let shown = serde_json::to_value(world.playbooks.show(subscription())).unwrap();
    assert_eq!(
        shown,
        serde_json::json!({
            "startedAt": "2027-01-15T08:00:00Z",
            "steps": [{"number": 1, "fault": "503 with Retry-After 3", "taken": 1}],
            "calls": [
                {
                    "number": 1, "afterMs": 0, "vm": vm("dev").as_str(), "path": TOKEN, "step": 1,
                    "fault": "503 with Retry-After 3", "status": 503,
                },
                {
                    "number": 2, "afterMs": 3250, "vm": vm("dev").as_str(), "path": TOKEN, "step": null,
                    "fault": null, "status": null,
                },
            ],
            "callsForgotten": 0,
        })
    );
}

#[test]
fn one_subscription_has_nothing_to_do_with_another() {
    let world = World::new("steps: [{status: 404}]");
    let other: SubscriptionId = "20000000-0000-4000-8000-000000000002".parse().unwrap();
    assert!(world.playbooks.running(&ResourceId::for_virtual_machine(other, "dev", "dev").unwrap()).is_none());
    assert_eq!(world.playbooks.stop(other), None);
    assert!(world.playbooks.show(subscription()).is_some());
    assert!(world.playbooks.stop(subscription()).is_some());
    assert_eq!(world.playbooks.show(subscription()), None);
    assert!(world.playbooks.running(&vm("dev")).is_none());
}

#[test]
fn another_playbook_begins_anew() {
    let world = World::new("steps: [{status: 404, count: 1}]");
    assert_eq!(world.meets(2), [Some(404), None]);
    world.playbooks.run(subscription(), parse("steps: [{status: 404, count: 1}]").unwrap());
    assert_eq!(world.meets(2), [Some(404), None]);
    assert_eq!(world.playbooks.show(subscription()).unwrap().calls.len(), 2);
}
