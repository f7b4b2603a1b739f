//! Machines on their way from the extension to the metadata service.

use control::arm::guest::Report;
use control::vm_credential::{self, IssueError};
use domain::Step;

use super::extensions::{body, path};
use super::guest::say;
use super::*;

fn cutover() -> String {
    format!("{}/providers/Symbolon.Migration/cutovers/default", vm("vm1"))
}

async fn want(arm: &Arm, step: &str, quiet: u64) -> Answer {
    arm.put(&cutover(), json!({"properties": {"step": step, "quietSeconds": quiet}})).await
}

async fn reach(arm: &Arm, step: Step) {
    let vm = ResourceId::parse(&vm("vm1")).unwrap();
    say(&arm.world, Report::Cutover { vm, wanted: step, reached: step, failed: None }).await;
}

/// With the extension on `vm1`.
async fn with_extension() -> Arm {
    let arm = Arm::new().await;
    arm.vm("vm1").await;
    arm.patch(&vm("vm1"), json!({"identity": {"type": "SystemAssigned"}})).await.is(200);
    arm.put(&path(LINUX), body(LINUX)).await.is(201);
    arm.settle(&Guest::SOUND).await;
    arm
}

#[tokio::test]
async fn one_step_at_a_time_and_only_behind_the_guest() {
    let arm = with_extension().await;
    assert_eq!(
        arm.get(&cutover()).await.is(200).json()["properties"],
        json!({"step": "serving", "reached": "serving"})
    );
    want(&arm, "revoked", 0).await.refuses(409, "OperationNotAllowed");
    want(&arm, "forwarding", 0).await.is(201);
    want(&arm, "forwarding", 0).await.is(200);
    let refused = want(&arm, "revoked", 0).await.refuses(409, "OperationNotAllowed").message();
    assert!(refused.contains("the guest has not come to 'forwarding' yet; it is at 'serving'"), "{refused}");
    reach(&arm, Step::Forwarding).await;
    want(&arm, "revoked", 0).await.is(200);
    reach(&arm, Step::Revoked).await;
    let refused = want(&arm, "closed", 3_600).await.refuses(409, "OperationNotAllowed").message();
    assert!(refused.contains("not before 2027-01-15T09:00:00"), "{refused}");
    want(&arm, "closed", 0).await.is(200);
    want(&arm, "serving", 0).await.is(200);
    let write = ("PUT", "Symbolon.Migration/cutovers/write");
    assert!(arm.audit().await.iter().any(|(_, action, target)| action == write.1 && target == &vm("vm1")));

    // The extension that comes anew serves.
    arm.delete(&path(LINUX)).await.is(202);
    arm.settle(&Guest::SOUND).await;
    assert_eq!(arm.get(&cutover()).await.is(200).json()["properties"]["step"], "serving");
    want(&arm, "forwarding", 0).await.refuses(409, "OperationNotAllowed");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let arm = with_extension().await;
    for wrong in [
        json!({}),
        json!({"properties": {}}),
        json!({"properties": {"step": "removed"}}),
        json!({"properties": {"step": 1}}),
        json!({"properties": {"step": "forwarding", "quietSeconds": -1}}),
        json!({"properties": {"step": "forwarding", "quietSeconds": "7d"}}),
    ] {
        arm.put(&cutover(), wrong.clone()).await.is(400);
    }
    arm.put(&cutover().replace("default", "other"), json!({"properties": {"step": "forwarding"}})).await.is(400);
    arm.put(&cutover().replace("vm1", "none"), json!({"properties": {"step": "forwarding"}})).await.is(404);
    arm.delete(&cutover()).await.is(405);
    arm.patch(&cutover(), json!({"properties": {"step": "forwarding"}})).await.is(405);
    let machines = format!("{G}/providers/Symbolon.Migration/machines");
    for days in ["0", "91", "x", "-1"] {
        arm.get(&format!("{machines}?days={days}")).await.is(400);
    }
    assert_eq!(arm.get(&machines).await.is(200).names(), ["vm1"]);
    arm.post(&format!("{}/deallocate", vm("vm1")), Value::Null).await.is(202);
    want(&arm, "forwarding", 0).await.refuses(409, "OperationNotAllowed");
}

/// Nobody is there who could forward.
#[tokio::test]
async fn an_extension_that_is_disabled_is_not_cut_over() {
    let arm = with_extension().await;
    arm.post(&format!("{}/disable", path(LINUX)), Value::Null).await.is(202);
    arm.settle(&Guest::SOUND).await;
    want(&arm, "forwarding", 0).await.refuses(409, "OperationNotAllowed");
    arm.post(&format!("{}/enable", path(LINUX)), Value::Null).await.is(202);
    arm.settle(&Guest::SOUND).await;
    want(&arm, "forwarding", 0).await.is(201);
}

/// What its guest says of a step that isn't wanted any more.
#[tokio::test]
async fn a_failure_of_another_step_counts_for_nothing() {
    let arm = with_extension().await;
    want(&arm, "forwarding", 0).await.is(201);
    let failed = async |wanted, why: &str| {
        let vm = ResourceId::parse(&vm("vm1")).unwrap();
        let failed = Some(why.to_owned());
        say(&arm.world, Report::Cutover { vm, wanted, reached: Step::Serving, failed }).await;
        arm.get(&cutover()).await.is(200).json()["properties"]["failed"].clone()
    };
    assert_eq!(failed(Step::Closed, "of before").await, Value::Null);
    assert_eq!(failed(Step::Forwarding, "nobody answers").await, "nobody answers");
    want(&arm, "serving", 0).await.is(200);
    assert_eq!(failed(Step::Forwarding, "nobody answers").await, Value::Null);
}

/// Somebody who may look at one machine sees that one.
#[tokio::test]
async fn who_may_see_one_machine_sees_one() {
    let arm = with_extension().await;
    arm.vm("vm2").await;
    let other = format!("{}/extensions/{LINUX}", vm("vm2"));
    arm.put(&other, body(LINUX)).await.is(201);
    let token = arm.client(7, &[("Reader", &vm("vm2"))]).await;
    let machines = format!("{G}/providers/Symbolon.Migration/machines");
    let seen = arm.send(&token, "GET", &machines, "").await.is(200);
    assert_eq!(seen.names(), ["vm2"]);
    let step = json!({"properties": {"step": "forwarding"}}).to_string();
    arm.send(&token, "PUT", &cutover().replace("vm1", "vm2"), step).await.refuses(403, "AuthorizationFailed");
}

/// A machine that a scale set gets in the middle of it begins where the last of the others is.
#[tokio::test]
async fn a_new_machine_of_a_scale_set_joins_the_others() {
    let arm = Arm::new().await;
    let set = scale_set("ss");
    let extensions = json!([{"name": LINUX, "properties": extension(LINUX)}]);
    let sized = |capacity: u32| {
        json!({
            "location": "westus", "identity": {"type": "SystemAssigned"},
            "sku": {"name": "Standard_B1s", "capacity": capacity},
            "properties": {"upgradePolicy": {"mode": "Automatic"},
                           "virtualMachineProfile": {"extensionProfile": {"extensions": extensions}}},
        })
    };
    let cutover = |number: u32| format!("{set}/virtualMachines/{number}/providers/Symbolon.Migration/cutovers/default");
    let grown = async |capacity: u32| {
        arm.put(&set, sized(capacity)).await;
        arm.settle(&Guest::SOUND).await;
        arm.get(&cutover(capacity - 1)).await.is(200).json()["properties"].clone()
    };
    let step = async |number: u32, name: &str| {
        let wanted = json!({"properties": {"step": name, "quietSeconds": 0}});
        assert!(arm.put(&cutover(number), wanted).await.status.is_success(), "{number} to {name}");
        let (vm, step) = (format!("{set}/virtualMachines/{number}"), Step::of(name).unwrap());
        let vm = ResourceId::parse(&vm).unwrap();
        say(&arm.world, Report::Cutover { vm, wanted: step, reached: step, failed: None }).await;
    };
    assert_eq!(grown(2).await["step"], "serving");
    step(0, "forwarding").await;
    assert_eq!(grown(3).await["step"], "serving", "one of them serves");
    for number in 1..3 {
        step(number, "forwarding").await;
    }
    step(0, "revoked").await;
    let joined = grown(4).await;
    assert_eq!((&joined["step"], &joined["reached"]), (&json!("forwarding"), &json!("serving")));
    step(3, "forwarding").await;
    for number in 1..4 {
        step(number, "revoked").await;
    }
    assert_eq!(grown(5).await["step"], "revoked");
    let vm = ResourceId::parse(&format!("{set}/virtualMachines/4")).unwrap();
    let of = vm.clone();
    let snapshot = arm.world.store.read(move |tx| tx.vm_snapshot(&of)).await.unwrap().unwrap();
    let identity = snapshot.identities.iter().next().unwrap();
    let extension = vm.child("extensions", LINUX).unwrap();
    let issued = vm_credential::issue(
        &arm.world.store,
        &arm.world.app.key_maker,
        identity,
        &vm,
        Some(&extension),
        Timestamp::from_unix(NOW),
    );
    let issued = issued.await;
    assert!(matches!(issued, Err(IssueError::CutOver)), "nothing is put on its disk");

    // Where nobody is left to join, it begins anew.
    arm.put(&set, sized(0)).await.is(200);
    arm.settle(&Guest::SOUND).await;
    arm.put(&set, sized(1)).await.is(200);
    arm.settle(&Guest::SOUND).await;
    assert_eq!(arm.get(&cutover(5)).await.is(200).json()["properties"]["step"], "serving");
}

/// The next machine of it will have the extension.
#[tokio::test]
async fn a_scale_set_is_listed_when_its_model_has_the_extension_and_no_machine_of_it() {
    let arm = Arm::new().await;
    let ids = arm.identities("id", 1).await;
    let sized = |capacity: usize| {
        json!({
            "location": "westus", "sku": {"name": "Standard_B1s", "capacity": capacity},
            "identity": {"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {&ids[0]: {}}},
            "properties": {"upgradePolicy": {"mode": "Manual"}, "virtualMachineProfile": {"extensionProfile": {
                "extensions": [{"name": "msi", "properties": extension(LINUX)}],
            }}},
        })
    };
    let machines = format!("{G}/providers/Symbolon.Migration/machines");
    arm.put(&scale_set("ss"), sized(0)).await.is(201);
    let shown = arm.get(&scale_set("ss")).await.json();
    let identity = arm.get(&ids[0]).await.json();
    let listed = arm.get(&machines).await.is(200).json();
    let model = &listed["value"][0];
    assert_eq!(
        (&model["id"], &model["name"], listed["value"].as_array().unwrap().len()),
        (&shown["id"], &json!("ss"), 1)
    );
    let of = &model["properties"];
    assert_eq!((&of["scaleSet"], &of["power"]), (&shown["id"], &Value::Null));
    assert_eq!(of["extension"], json!({"name": "msi", "type": LINUX, "state": "Succeeded", "port": 50342}));
    assert_eq!(of["identities"][0]["resourceId"], shown["id"]);
    assert_eq!(of["identities"][1]["clientId"], identity["properties"]["clientId"]);
    // Who may not read it doesn't learn of it.
    let other = arm.client(1, &[("Reader", &vm("vm1"))]).await;
    let seen = arm.send(&other, "GET", &machines, "").await.is(200);
    assert_eq!(seen.names(), [""; 0]);
    // Its machines stand for themselves.
    arm.put(&scale_set("ss"), sized(2)).await.is(200);
    arm.settle(&Guest::SOUND).await;
    assert_eq!(arm.get(&machines).await.names(), ["ss_0", "ss_1"]);
    arm.put(&scale_set("ss"), sized(0)).await.is(200);
    assert_eq!(arm.get(&machines).await.names(), ["ss"]);
    // And one that hasn't followed the model yet hasn't the extension.
    arm.delete(&format!("{}/extensions/msi", scale_set("ss"))).await.one_of(&[200, 202]);
    assert_eq!(arm.get(&machines).await.names(), [""; 0]);
    arm.patch(&scale_set("ss"), json!({"sku": {"capacity": 1}})).await.is(200);
    arm.put(&scale_set("ss"), sized(1)).await.is(200);
    assert_eq!(arm.get(&machines).await.names(), ["ss"]);
}
