//! Scheduled events: who makes them, when they begin, what they do, and when they are over.

use control::arm::scheduled_event::{NotApproved, approve, happen};
use domain::{PowerState, VirtualMachine};
use store::Act;

use super::*;

impl Arm {
    async fn fire(&self, path: &str, body: Value) -> Value {
        self.post(&format!("{path}/fireScheduledEvent"), body).await.is(200).json()
    }

    /// The statuses of a machine's events, and how often they changed.
    async fn events(&self, path: &str) -> (Vec<String>, u64) {
        let list = self.get(&format!("{path}/scheduledEvents")).await.is(200).json();
        let events = list["value"].as_array().expect("a list").iter();
        let words = events.map(|event| event["eventStatus"].as_str().expect("a status").to_owned());
        (words.collect(), list["documentIncarnation"].as_u64().expect("a number"))
    }

    async fn machine(&self, path: &str) -> Option<VirtualMachine> {
        let id = ResourceId::parse(path).expect("an id");
        self.world.store.read(move |tx| tx.virtual_machine(&id)).await.expect("the store")
    }

    async fn store_machine(&self, vm: VirtualMachine) {
        let act = Act::new("test", "test", vm.id.to_string(), Timestamp::from_unix(NOW));
        let stored = self.world.store.write(act, move |tx| tx.put_virtual_machine(&vm).map(drop));
        stored.await.expect("the store");
    }

    async fn approve(&self, path: &str, events: &[&str]) -> Result<(), NotApproved> {
        let events: Vec<String> = events.iter().map(|event| (*event).to_owned()).collect();
        approve(&self.world.app, &ResourceId::parse(path).expect("an id"), &events).await
    }

    async fn pass(&self, seconds: u64) {
        self.world.clock.advance(Duration::from_secs(seconds));
        happen(&self.world.app).await.expect("what is due");
    }
}

fn spot(policy: &str) -> Value {
    json!({"location": "westus", "properties": {"priority": "Spot", "evictionPolicy": policy}})
}

#[tokio::test]
async fn an_event_begins_when_its_time_has_come_and_vanishes_when_it_is_over() {
    let arm = Arm::new().await;
    let path = arm.vm("vm1").await;
    assert_eq!(arm.events(&path).await, (vec![], 0));
    let body = json!({"eventType": "reboot", "noticeInSeconds": 60, "durationInSeconds": 9, "description": "why"});
    let event = arm.fire(&path, body).await;
    assert_eq!(
        (&event["eventType"], &event["notBefore"]),
        (&json!("Reboot"), &json!("2027-01-15T08:01:00.0000000+00:00"))
    );
    assert_eq!((&event["description"], &event["eventSource"]), (&json!("why"), &json!("Platform")));
    assert_eq!(arm.events(&path).await, (vec!["Scheduled".to_owned()], 1));
    arm.pass(59).await;
    assert_eq!(arm.machine(&path).await.unwrap().generation, 0, "not yet");
    arm.pass(1).await;
    assert_eq!(arm.events(&path).await, (vec!["Started".to_owned()], 2));
    assert_eq!(arm.machine(&path).await.unwrap().generation, 1, "it restarts");
    arm.pass(8).await;
    assert_eq!(arm.events(&path).await.1, 2, "it is not over");
    arm.pass(1).await;
    assert_eq!(arm.events(&path).await, (vec![], 3));
    assert_eq!(arm.machine(&path).await.unwrap().generation, 1, "once");
}

#[tokio::test]
async fn a_machine_lets_its_own_events_happen_and_no_others() {
    let arm = Arm::new().await;
    let (path, other) = (arm.vm("vm1").await, arm.vm("vm2").await);
    let event = arm.fire(&path, json!({"eventType": "Redeploy"})).await;
    let id = event["eventId"].as_str().unwrap();
    assert_eq!(id, id.to_ascii_uppercase());
    for (vm, events) in
        [(&other, [id].as_slice()), (&path, &["nonsense"]), (&path, &[id, "00000000-0000-4000-8000-000000000009"])]
    {
        let refused = arm.approve(vm, events).await.unwrap_err();
        assert!(matches!(refused, NotApproved::NoEvent(_)), "{refused}");
        assert_eq!(arm.events(&path).await, (vec!["Scheduled".to_owned()], 1), "nothing has begun");
    }
    for _ in 0..2 {
        arm.approve(&path, &[id]).await.unwrap();
        assert_eq!(arm.events(&path).await, (vec!["Started".to_owned()], 2));
    }
    assert_eq!(arm.machine(&path).await.unwrap().generation, 1);
    let told = arm.audit().await;
    assert!(
        told.iter()
            .any(|(actor, action, target)| actor == "guest" && action == "guest.approveEvent" && *target == path)
    );
    arm.pass(5).await;
    assert!(arm.approve(&path, &[id]).await.is_err(), "it is over");
}

#[tokio::test]
async fn events_let_happen_together_all_happen_and_what_removes_the_machine_last() {
    let arm = Arm::new().await;
    let path = arm.vm("vm1").await;
    let mut ids = Vec::new();
    for kind in ["Terminate", "Freeze", "Terminate"] {
        ids.push(arm.fire(&path, json!({"eventType": kind})).await["eventId"].as_str().unwrap().to_owned());
    }
    let [first, freeze, second] = [0, 1, 2].map(|number| ids[number].as_str());
    arm.approve(&path, &[first, freeze, second, freeze]).await.unwrap();
    assert!(arm.machine(&path).await.is_none());

    let path = arm.vm("vm2").await;
    let event = arm.fire(&path, json!({"eventType": "Reboot"})).await;
    let id = event["eventId"].as_str().unwrap();
    arm.approve(&path, &[id, &id.to_ascii_lowercase()]).await.unwrap();
    assert_eq!(arm.machine(&path).await.unwrap().generation, 1, "once");
}

#[tokio::test]
async fn an_event_that_cannot_begin_keeps_no_other_back() {
    let arm = Arm::new().await;
    let (broken, sound) = (arm.vm("broken").await, arm.vm("sound").await);
    arm.fire(&broken, json!({"eventType": "Preempt", "noticeInSeconds": 1})).await;
    arm.fire(&sound, json!({"eventType": "Reboot", "noticeInSeconds": 2})).await;
    let before = arm.machine(&broken).await.unwrap();
    arm.store_machine(VirtualMachine { document: "nonsense".to_owned(), ..before.clone() }).await;
    arm.pass(2).await;
    assert_eq!(arm.machine(&sound).await.unwrap().generation, 1);
    assert_eq!(arm.events(&broken).await.0, ["Scheduled"]);
    arm.store_machine(before).await;
    arm.pass(1).await;
    assert_eq!(arm.machine(&broken).await.unwrap().power, PowerState::Deallocated, "it is tried again");
}

#[tokio::test]
async fn events_do_what_they_say() {
    let arm = Arm::new().await;
    for (kind, power, generation) in [
        ("Freeze", Some(PowerState::Running), 0),
        ("Reboot", Some(PowerState::Running), 1),
        ("Redeploy", Some(PowerState::Running), 1),
        ("Preempt", Some(PowerState::Deallocated), 1),
        ("Terminate", None, 0),
    ] {
        let path = arm.vm(kind).await;
        arm.fire(&path, json!({"eventType": kind, "noticeInSeconds": 0})).await;
        arm.pass(0).await;
        let vm = arm.machine(&path).await;
        assert_eq!(vm.as_ref().map(|vm| vm.power), power, "{kind}");
        assert_eq!(vm.map_or(0, |vm| vm.generation), generation, "{kind}");
    }
    let off = arm.vm("off").await;
    arm.post(&format!("{off}/deallocate"), Value::Null).await.is(202);
    arm.fire(&off, json!({"eventType": "Reboot", "noticeInSeconds": 0})).await;
    arm.pass(0).await;
    assert_eq!(arm.machine(&off).await.unwrap().power, PowerState::Deallocated, "what is off stays off");
}

#[tokio::test]
async fn an_eviction_is_simulated_as_azure_does_it() {
    let arm = Arm::new().await;
    let plain = arm.vm("plain").await;
    arm.post(&format!("{plain}/simulateEviction"), Value::Null).await.refuses(409, "OperationNotAllowed");
    for (policy, left) in [("Deallocate", Some(PowerState::Deallocated)), ("Delete", None)] {
        let path = vm(policy);
        arm.put(&path, spot(policy)).await.is(201);
        let answer = arm.post(&format!("{path}/simulateEviction"), Value::Null).await.is(204);
        assert!(answer.body.is_empty());
        arm.pass(29).await;
        assert_eq!(arm.events(&path).await.0, ["Scheduled"], "30 seconds before");
        arm.pass(1).await;
        assert_eq!(arm.machine(&path).await.map(|vm| vm.power), left, "{policy}");
    }
}

#[tokio::test]
async fn a_machine_of_a_scale_set_may_be_evicted_where_its_model_says_so() {
    let arm = Arm::new().await;
    for (name, profile, left) in [
        ("plain", json!({}), Err(())),
        ("off", json!({"priority": "Spot", "evictionPolicy": "Deallocate"}), Ok(Some(PowerState::Deallocated))),
        ("gone", json!({"priority": "Spot", "evictionPolicy": "Delete"}), Ok(None)),
    ] {
        let set = format!("{G}/providers/Microsoft.Compute/virtualMachineScaleSets/{name}");
        let model = json!({"location": "westus", "sku": {"name": "Standard_B1s", "capacity": 1},
            "properties": {"virtualMachineProfile": profile}});
        arm.put(&set, model).await.is(201);
        let machine = format!("{set}/virtualMachines/0");
        let answer = arm.post(&format!("{machine}/simulateEviction"), Value::Null).await;
        let Ok(left) = left else {
            answer.refuses(409, "OperationNotAllowed");
            continue;
        };
        answer.is(204);
        arm.pass(30).await;
        assert_eq!(arm.machine(&machine).await.map(|vm| vm.power), left, "{name}");
    }
}

#[tokio::test]
async fn a_machine_of_a_scale_set_goes_and_none_comes_for_it() {
    let arm = Arm::new().await;
    let set = format!("{G}/providers/Microsoft.Compute/virtualMachineScaleSets/web");
    arm.put(&set, json!({"location": "westus", "sku": {"name": "Standard_B1s", "capacity": 2}})).await.is(201);
    arm.fire(&format!("{set}/virtualMachines/0"), json!({"eventType": "Terminate", "noticeInSeconds": 0})).await;
    arm.pass(0).await;
    assert_eq!(arm.get(&format!("{set}/virtualMachines")).await.names(), ["web_1"]);
    assert_eq!(arm.get(&set).await.json()["sku"]["capacity"], 1);
}

#[tokio::test]
async fn events_outlive_a_restart() {
    let arm = Arm::new().await;
    let path = arm.vm("vm1").await;
    arm.fire(&path, json!({"eventType": "Freeze"})).await;
    let mut arm = arm.restart().await;
    arm.sign_in_again().await;
    assert_eq!(arm.events(&path).await, (vec!["Scheduled".to_owned()], 1));
    arm.pass(900).await;
    assert_eq!(arm.events(&path).await, (vec!["Started".to_owned()], 2));
}

#[tokio::test]
async fn what_is_wrong_with_an_event_is_told() {
    let arm = Arm::new().await;
    let path = arm.vm("vm1").await;
    for body in [
        json!({}),
        json!({"eventType": "Explode"}),
        json!({"eventType": 1}),
        json!({"eventType": "Reboot", "noticeInSeconds": -1}),
        json!({"eventType": "Reboot", "noticeInSeconds": "60"}),
        json!({"eventType": "Reboot", "durationInSeconds": 604_801}),
        json!({"eventType": "Reboot", "eventSource": "Nobody"}),
        json!({"eventType": "Reboot", "description": "x".repeat(257)}),
    ] {
        arm.post(&format!("{path}/fireScheduledEvent"), body).await.refuses(400, "InvalidParameter");
    }
    arm.post(&format!("{}/fireScheduledEvent", vm("nope")), json!({"eventType": "Reboot"}))
        .await
        .refuses(404, "ResourceNotFound");
    for _ in 0..64 {
        arm.fire(&path, json!({"eventType": "Freeze"})).await;
    }
    let more = arm.post(&format!("{path}/fireScheduledEvent"), json!({"eventType": "Freeze"})).await;
    more.refuses(409, "OperationNotAllowed");
}
