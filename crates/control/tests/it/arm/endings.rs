//! How deployments and operations end, and how many of them there may be.

use super::deployments::{MACHINE, raw, strict, template};
use super::*;

/// A deployment `inner` of these resources in the same group, as a resource of a template.
fn nested(resources: Value) -> Value {
    json!({
        "type": "Microsoft.Resources/deployments", "apiVersion": "2021-04-01", "name": "inner",
        "properties": {"mode": "Incremental", "template": template(resources)},
    })
}

async fn states(arm: &Arm, of: &str) -> Vec<Value> {
    let list = arm.get(&format!("{}/operations", deployment(of))).await.is(200).json();
    list["value"].as_array().unwrap().iter().map(|step| step["properties"]["provisioningState"].clone()).collect()
}

#[tokio::test]
async fn the_steps_of_a_cancelled_deployment_end_and_nested_ones_too() {
    let arm = Arm::new().await;
    let inside = json!([
        {"type": "Microsoft.Compute/virtualMachines", "apiVersion": "2024-07-01", "name": "vm1", "location": "westus",
         "identity": {"type": "SystemAssigned"}},
        {"type": "Microsoft.Compute/virtualMachines/extensions", "apiVersion": "2024-07-01",
         "name": format!("vm1/{LINUX}"), "location": "westus", "dependsOn": ["vm1"], "properties": extension(LINUX)},
    ]);
    let outer = strict(&template(json!([nested(inside)])));
    arm.put(&deployment("outer"), outer).await.is(201);
    arm.settle(&Guest::busy()).await;
    assert_eq!(
        (states(&arm, "outer").await, states(&arm, "inner").await.last()),
        (vec![json!("Running")], Some(&json!("Running")))
    );
    arm.post(&format!("{}/cancel", deployment("outer")), Value::Null).await.is(204);
    assert_eq!(states(&arm, "outer").await, ["Canceled"]);
    assert_eq!(states(&arm, "inner").await, ["Succeeded", "Canceled"]);
    for name in ["outer", "inner"] {
        let found = arm.get(&deployment(name)).await.is(200).json();
        assert_eq!(found["properties"]["provisioningState"], "Canceled", "{name}");
    }
}

#[tokio::test]
async fn complete_mode_keeps_what_a_nested_deployment_has_made() {
    let arm = Arm::new().await;
    arm.identities("old", 1).await;
    let inside = json!([{
        "type": "Microsoft.ManagedIdentity/userAssignedIdentities", "apiVersion": "2023-01-31", "name": "made",
        "location": "westus",
    }]);
    let mut body = strict(&template(json!([nested(inside)])));
    body["properties"]["mode"] = "Complete".into();
    assert_eq!(arm.deploy("outer", body.to_string(), &Guest::SOUND).await["status"], "Succeeded");
    arm.get(&identity("made")).await.is(200);
    arm.get(&identity("old0")).await.refuses(404, "ResourceNotFound");
}

#[tokio::test]
async fn a_group_has_so_many_deployments_and_the_oldest_makes_room() {
    let arm = Arm::new().await;
    arm.deploy("d0", strict(&template(json!([]))).to_string(), &Guest::SOUND).await;
    arm.put(&deployment("d1"), json!({"properties": {"mode": "Incremental", "template": template(json!([]))}}))
        .await
        .is(201);
    let act = Act::new("test", "deployments", "", Timestamp::from_unix(NOW));
    let id = |name: &str| ResourceId::parse(&deployment(name)).unwrap();
    let (first, second) = (id("d0"), id("d1"));
    let copies: Vec<_> = (2..800).map(|number| id(&format!("d{number}"))).collect();
    let filled = arm.world.store.write(act, move |tx| {
        let ended = tx.deployment(&first)?.expect("it is there");
        let running = tx.deployment(&second)?.expect("it is there");
        assert!(running.state.is_under_way() && !ended.state.is_under_way());
        for id in copies {
            tx.put_deployment(&domain::Deployment { id, ..running.clone() })?;
        }
        Ok::<_, store::Error>(())
    });
    filled.await.unwrap();
    let one = strict(&template(json!([])));
    arm.put(&deployment("one"), one.clone()).await.is(201);
    arm.get(&deployment("d0")).await.refuses(404, "DeploymentNotFound");
    let more = arm.put(&deployment("two"), one).await.refuses(409, "DeploymentQuotaExceeded");
    assert!(more.message().contains("quota of '800'"), "{}", more.message());
}

#[tokio::test]
async fn an_operation_is_forgotten_a_week_after_its_end_and_not_before() {
    let arm = Arm::new().await;
    let path = arm.vm("vm1").await;
    let deleted = arm.delete(&path).await.is(202);
    for (days, status) in [(6, 200), (2, 404)] {
        arm.world.clock.advance(Duration::from_secs(days * 24 * 3600));
        let token = token_of(&arm.world, CLIENT, BASE).await;
        let mut saved = arm.world.store.saved();
        let running = tokio::spawn(control::arm::keep_deploying(arm.world.app.clone()));
        tokio::time::timeout(Duration::from_secs(30), saved.changed()).await.expect("it looks at once").unwrap();
        running.abort();
        let uri = local(&deleted, "azure-asyncoperation");
        arm.send(&token, "GET", &uri, "").await.is(status);
    }
}

#[tokio::test]
async fn changes_are_forgotten_a_week_after_they_were_made() {
    let arm = Arm::new().await;
    let start = arm.world.store.read(|tx| tx.cursor()).await.unwrap();
    arm.vm("vm1").await;
    for (days, gone) in [(6, false), (2, true)] {
        arm.world.clock.advance(Duration::from_secs(days * 24 * 3600));
        let mut saved = arm.world.store.saved();
        let running = tokio::spawn(control::arm::keep_deploying(arm.world.app.clone()));
        tokio::time::timeout(Duration::from_secs(30), saved.changed()).await.expect("it looks at once").unwrap();
        running.abort();
        let found = arm.world.store.read(move |tx| tx.changes(&start, 100)).await;
        assert_eq!(matches!(found, Err(store::Error::Cursor(_))), gone, "{found:?}");
    }
}

#[tokio::test]
async fn another_operation_is_not_told_by_way_of_a_deployment() {
    let arm = Arm::new().await;
    let deleted = arm.delete(&arm.vm("vm1").await).await.is(202);
    let url = local(&deleted, "azure-asyncoperation");
    let operation = url.split('?').next().unwrap().rsplit('/').next().unwrap();
    arm.send(&arm.token, "PUT", &deployment("d1"), raw(MACHINE, &json!({}))).await.is(201);
    let asked = arm.get(&format!("{}/operationStatuses/{operation}", deployment("d1"))).await;
    asked.refuses(404, "NotFound");
}
