//! A process may end between any two steps: the next one goes on.

use super::deployments::{MACHINE, PROFILE, raw, scale_set_template, strict, template};
use super::*;

/// What is left in the end, without what differs from one run to the next.
async fn state(arm: &Arm, name: &str) -> Value {
    let mut shown = arm.get(&deployment(name)).await.is(200).json();
    shown["properties"].as_object_mut().unwrap().remove("correlationId");
    let steps = arm.get(&format!("{}/operations", deployment(name))).await.is(200).json();
    let steps: Vec<_> = steps["value"].as_array().unwrap().iter().map(|step| step["properties"].clone()).collect();
    let group = arm.get(&format!("{G}/resources?$expand=provisioningState")).await.is(200).json();
    let machine = arm.get(&format!("{}?$expand=instanceView", vm("vm1"))).await.json();
    let set = arm.get(&scale_set("vmss1")).await.json();
    json!({"deployment": shown, "steps": steps, "group": group, "machine": machine, "set": set})
}

/// Carries a deployment out, with a new process after each step of it and each word of a guest.
async fn interrupted(mut arm: Arm, guest: &Guest) -> Arm {
    for _ in 0..1_000 {
        let deployed = control::arm::deploy_once(&arm.world.app).await.expect("the store");
        arm = arm.restart().await;
        let reported = guest.work(&arm.world).await;
        arm = arm.restart().await;
        if !deployed && !reported {
            return arm;
        }
    }
    panic!("it never ends");
}

#[tokio::test]
async fn a_deployment_that_is_interrupted_everywhere_ends_as_any_other() {
    let nested = template(json!([
        {"type": "Microsoft.ManagedIdentity/userAssignedIdentities", "apiVersion": "2023-01-31",
         "name": "[concat('id', copyIndex())]", "location": "westus", "copy": {"name": "ids", "count": 2}},
    ]));
    let outer = template(json!([
        {"type": "Microsoft.Resources/deployments", "apiVersion": "2021-04-01", "name": "inner",
         "properties": {"mode": "Incremental", "template": nested, "expressionEvaluationOptions": {"scope": "inner"}}},
        {"type": "Microsoft.Compute/virtualMachines", "apiVersion": "2024-07-01", "name": "vm1", "location": "westus",
         "identity": {"type": "SystemAssigned"}, "dependsOn": ["inner"]},
    ]));
    let set = scale_set_template(PROFILE);
    for (body, guest) in [
        (raw(MACHINE, &json!({})), Guest::SOUND),
        (raw(MACHINE, &json!({})), Guest::failing("")),
        (raw(&set, &json!({})), Guest::SOUND),
        (strict(&outer).to_string(), Guest::SOUND),
    ] {
        let whole = Arm::new().await;
        whole.deploy("d1", body.clone(), &guest).await;
        let arm = Arm::new().await;
        let begun = arm.send(&arm.token, "PUT", &deployment("d1"), body).await.is(201);
        let arm = interrupted(arm.restart().await, &guest).await;
        let status = arm.poll(&begun).await.json()["status"].clone();
        assert!(status == "Succeeded" || status == "Failed", "{status}");
        let (expected, found) = (state(&whole, "d1").await, state(&arm, "d1").await);
        assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn operations_go_on_and_stay_readable() {
    let arm = Arm::new().await;
    let path = arm.vm("vm1").await;
    let child = format!("{path}/extensions/{LINUX}");
    let made = arm.put(&child, json!({"location": "westus", "properties": extension(LINUX)})).await.is(201);
    let group = format!("{SUB}/resourceGroups/rg2");
    arm.put(&group, json!({"location": "westus"})).await.is(201);
    let deleted = arm.delete(&group).await.is(202);
    let arm = arm.restart().await;
    assert_eq!(arm.poll(&made).await.json()["status"], "InProgress");
    let stopped = arm.post(&format!("{path}/powerOff"), Value::Null).await.is(202);
    let arm = arm.restart().await;
    arm.settle(&Guest::SOUND).await;
    let arm = arm.restart().await;
    for answer in [&made, &stopped] {
        assert_eq!(arm.poll(answer).await.json()["status"], "Succeeded");
    }
    arm.get(&local(&deleted, "location")).await.is(200);
    arm.get(&group).await.refuses(404, "ResourceGroupNotFound");
}
