//! `exportTemplate`: what comes out deploys again, and the managed-identity extension doesn't come out.

use super::deployments::strict;
use super::*;

const MESSAGE: &str = "Export template operation completed with errors. Some resources were not exported. Please see \
                       details for more information.";

async fn export(arm: &Arm, group: &str) -> Value {
    let body = json!({"resources": ["*"], "options": "IncludeParameterDefaultValue", "outputFormat": "Json"});
    arm.post(&format!("{group}/exportTemplate"), body).await.is(200).json()
}

/// A group with something of each type.
async fn furnish(arm: &Arm) {
    let id = arm.identities("id", 1).await.remove(0);
    let trust =
        json!({"audiences": ["api://AzureADTokenExchange"], "issuer": "https://issuer.example", "subject": "s"});
    arm.put(&format!("{id}/federatedIdentityCredentials/fic"), json!({"properties": trust})).await.is(201);
    let network = format!("{G}/providers/Microsoft.Network/virtualNetworks/net");
    arm.put(&network, json!({"location": "westus", "properties": {"brackets": "[not an expression"}})).await.is(201);
    let nic = format!("{G}/providers/Microsoft.Network/networkInterfaces/nic");
    arm.put(&nic, json!({"location": "westus", "properties": {"of": {"id": network}}})).await.is(201);
    let both = json!({"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {&id: {}}});
    let machine = json!({
        "location": "westus", "tags": {"a": "b"}, "identity": both,
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_B1s"}, "networkProfile": {"networkInterfaces": [{"id": nic}]},
        },
    });
    arm.put(&vm("vm1"), machine).await.is(201);
    let set = json!({
        "location": "westus", "sku": {"name": "Standard_B1s", "capacity": 1}, "identity": both,
        "properties": {"virtualMachineProfile": {"extensionProfile": {"extensions": [
            {"name": "x", "properties": extension(LINUX)},
        ]}}},
    });
    arm.put(&scale_set("ss"), set).await.is(201);
    arm.settle(&Guest::SOUND).await;
}

/// The resources of a group, without what each new one has of its own and in which group it is.
async fn contents(arm: &Arm, group: &str) -> Vec<Value> {
    let list = arm.get(&format!("{group}/resources")).await.is(200).json();
    let mut contents = Vec::new();
    for found in list["value"].as_array().unwrap() {
        let shown = arm.get(found["id"].as_str().unwrap()).await.is(200).json();
        let text = shown.to_string().replace(group, G);
        let mut shown: Value = serde_json::from_str(&text).unwrap();
        for own in [
            "/properties/vmId",
            "/properties/uniqueId",
            "/properties/timeCreated",
            "/properties/principalId",
            "/properties/clientId",
            "/identity/principalId",
        ] {
            if let Some(own) = shown.pointer_mut(own) {
                *own = "own".into();
            }
        }
        if let Some(map) = shown.pointer_mut("/identity/userAssignedIdentities").and_then(Value::as_object_mut) {
            map.values_mut().for_each(|principal| *principal = json!({}));
        }
        contents.push(shown);
    }
    contents
}

#[tokio::test]
async fn what_is_exported_deploys_again_elsewhere_and_anew() {
    let arm = Arm::new().await;
    furnish(&arm).await;
    let before = contents(&arm, G).await;
    let exported = export(&arm, G).await;
    assert_eq!(exported.get("error"), None, "{exported}");
    let template = exported["template"].clone();
    assert_eq!(template["$schema"], "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#");

    let other = format!("{SUB}/resourceGroups/rg2");
    arm.put(&other, json!({"location": "westus"})).await.is(201);
    let path = format!("{other}/providers/Microsoft.Resources/deployments/again");
    let begun = arm.put(&path, strict(&template)).await.is(201);
    arm.settle(&Guest::SOUND).await;
    let poll = arm.poll(&begun).await;
    assert_eq!(poll.json()["status"], "Succeeded", "{}", poll.body);
    assert_eq!(contents(&arm, &other).await, before);
    let credential = format!(
        "{other}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id0/federatedIdentityCredentials/fic"
    );
    assert_eq!(arm.get(&credential).await.is(200).json()["properties"]["subject"], "s");

    arm.delete(G).await.is(202);
    arm.put(G, json!({"location": "westus"})).await.is(201);
    assert_eq!(arm.deploy("again", strict(&template).to_string(), &Guest::SOUND).await["status"], "Succeeded");
    assert_eq!(contents(&arm, G).await, before);
    assert_eq!(export(&arm, G).await["template"], template);
}

#[tokio::test]
async fn the_managed_identity_extension_does_not_come_out() {
    let arm = Arm::new().await;
    let machine = arm.vm("vm1").await;
    let child = format!("{machine}/extensions/{WINDOWS}");
    arm.put(&child, json!({"location": "westus", "properties": extension(WINDOWS)})).await.is(201);
    arm.settle(&Guest::SOUND).await;
    let exported = export(&arm, G).await;
    assert_eq!(
        exported["error"],
        json!({
            "code": "ExportTemplateCompletedWithErrors", "message": MESSAGE,
            "details": [{
                "code": "ExportTemplateProviderError", "target": "Microsoft.Compute/virtualMachines/extensions",
                "message": "Could not get resources of the type 'Microsoft.Compute/virtualMachines/extensions'. \
                            Resources of this type will not be exported.",
            }],
        })
    );
    let resources = exported["template"]["resources"].as_array().unwrap();
    let types: Vec<_> = resources.iter().map(|resource| resource["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["Microsoft.Compute/virtualMachines"]);
    // Without the extension there is nothing to say.
    arm.delete(&child).await.is(202);
    arm.settle(&Guest::SOUND).await;
    assert_eq!(export(&arm, G).await.get("error"), None);
}

#[tokio::test]
async fn options_and_a_part_of_the_group() {
    let arm = Arm::new().await;
    let ids = arm.identities("id", 2).await;
    let path = format!("{G}/exportTemplate");
    for options in ["SkipAllParameterization", "SkipResourceNameParameterization,IncludeComments"] {
        let body = json!({"resources": [ids[0].to_ascii_uppercase()], "options": options});
        let template = arm.post(&path, body).await.is(200).json()["template"].clone();
        assert_eq!(template["parameters"], json!({}), "{options}");
        let resources = template["resources"].as_array().unwrap();
        assert_eq!((resources.len(), &resources[0]["name"]), (1, &json!("id0")), "{options}");
    }
    arm.post(&path, Value::Null).await.is(200);
    arm.post(&path, json!({"resources": "*"})).await.refuses(400, "InvalidParameter");
    arm.post(&path.replace("rg1", "nope"), json!({})).await.refuses(404, "ResourceGroupNotFound");
}
