//! What the functions of templates say of the world that they are deployed to.

use std::time::Duration;

use super::deployments::{strict, template};
use super::*;

#[tokio::test]
async fn what_is_new_in_a_deployment_stays_what_it_is_at_each_step() {
    let arm = Arm::new().await;
    let id = |name: &str| format!("[concat('{name}', parameters('id'))]");
    let nic = |name: String, after: Vec<String>| {
        json!({"type": "Microsoft.Network/networkInterfaces", "apiVersion": "2024-05-01", "name": name,
            "dependsOn": after, "location": "westus", "properties": {"now": "[parameters('now')]"}})
    };
    let mut template = template(json!([nic(id("a"), Vec::new()), nic(id("b"), vec![id("a")])]));
    template["parameters"] = json!({
        "id": {"type": "string", "defaultValue": "[newGuid()]"},
        "now": {"type": "string", "defaultValue": "[utcNow('o')]"}});
    template["outputs"] = json!({"id": {"type": "string", "value": "[parameters('id')]"}});
    let body = strict(&template).to_string();
    let begun = arm.send(&arm.token, "PUT", &deployment("d1"), body.clone()).await.is(201).json();
    let shown = begun["properties"]["parameters"].clone();
    let (id, now) = (shown["id"]["value"].as_str().unwrap(), &shown["now"]["value"]);
    // Each step plans it again, later than the one before.
    while control::arm::deploy_once(&arm.world.app).await.unwrap() {
        arm.world.clock.advance(Duration::from_secs(60));
    }
    let done = arm.get(&deployment("d1")).await.is(200).json();
    assert_eq!(done["properties"]["provisioningState"], "Succeeded", "{done}");
    assert_eq!(
        (&done["properties"]["parameters"], &done["properties"]["outputs"]["id"]["value"]),
        (&shown, &json!(id))
    );
    for name in ["a", "b"] {
        let path = format!("{G}/providers/Microsoft.Network/networkInterfaces/{name}{id}");
        assert_eq!(&arm.get(&path).await.is(200).json()["properties"]["now"], now);
    }
    // Another deployment, another time and another GUID.
    let again = arm.send(&arm.token, "PUT", &deployment("d1"), body).await.is(200).json();
    for name in ["id", "now"] {
        assert_ne!(again["properties"]["parameters"][name], shown[name]);
    }
}

#[tokio::test]
async fn the_cloud_is_the_one_that_clients_find() {
    let arm = Arm::new().await;
    let mut template = template(json!([]));
    template["outputs"] = json!({"cloud": {"type": "object", "value": "[environment()]"}, "vaults": {"type": "string",
        "value": "[environment().suffixes.keyvaultDns]"}});
    let poll = arm.deploy("d1", strict(&template).to_string(), &Guest::SOUND).await;
    assert_eq!(poll["status"], "Succeeded", "{poll}");
    let outputs = arm.get(&deployment("d1")).await.is(200).json()["properties"]["outputs"].clone();
    let cloud = arm.get("/metadata/endpoints?api-version=2022-09-01").await.is(200).json();
    assert_eq!(outputs["cloud"]["value"], cloud);
    assert_eq!(outputs["vaults"]["value"], cloud["suffixes"]["keyVaultDns"]);
}
