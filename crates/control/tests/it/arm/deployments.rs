//! Deployments, as `az deployment group` sends them.

use super::*;

/// The body that `az deployment group create` really sends: the file's own text behind a bare key.
pub(super) fn raw(template: &str, parameters: &Value) -> String {
    format!("{{\"properties\": {{\"parameters\": {parameters}, \"mode\": \"Incremental\", template:{template}\n}}}}")
}

/// The template of a machine with its extension, with comments and the line ends of another system.
pub(super) const MACHINE: &str = "{\r\n  // the machine\r\n  \"$schema\": \
    \"https://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json#\",\r\n  \"contentVersion\": \
    \"1.0.0.0\",\r\n  \"parameters\": {},\r\n  \"variables\": { \"vmName\": \"vm1\" },\r\n  \"resources\": [\r\n    {\r\n      \
    \"type\": \"Microsoft.Compute/virtualMachines\", \"name\": \"[variables('vmName')]\", \"apiVersion\": \
    \"2018-06-01\", \"location\": \"[resourceGroup().location]\",\r\n      \"identity\": { \"type\": \"SystemAssigned\" \
    },\r\n      \"properties\": { \"hardwareProfile\": { \"vmSize\": \"Standard_B1s\" } }\r\n    },\r\n    /* as it is \
    printed */\r\n    {\r\n    \"type\": \"Microsoft.Compute/virtualMachines/extensions\",\r\n    \"name\": \
    \"[concat(variables('vmName'),'/ManagedIdentityExtensionForWindows')]\",\r\n    \"apiVersion\": \
    \"2018-06-01\",\r\n    \"location\": \"[resourceGroup().location]\",\r\n    \"dependsOn\": [\r\n        \
    \"[concat('Microsoft.Compute/virtualMachines/', variables('vmName'))]\"\r\n    ],\r\n    \"properties\": {\r\n        \
    \"publisher\": \"Microsoft.ManagedIdentity\",\r\n        \"type\": \"ManagedIdentityExtensionForWindows\",\r\n        \
    \"typeHandlerVersion\": \"1.0\",\r\n        \"autoUpgradeMinorVersion\": true,\r\n        \"settings\": {\r\n            \
    \"port\": 50342\r\n        }\r\n    }\r\n    },\r\n  ],\r\n  \"outputs\": { \"pid\": { \"type\": \"string\", \
    \"value\": \"[reference(resourceId('Microsoft.Compute/virtualMachines', variables('vmName')), '2018-06-01', \
    'Full').identity.principalId]\" } }\r\n}\r\n";

/// The template of a scale set around the printed extension profile.
pub(super) fn scale_set_template(profile: &str) -> String {
    format!(
        r#"{{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "parameters": {{ "vmssName": {{ "type": "string", "defaultValue": "vmss1" }} }},
  "resources": [
    {{
      "type": "Microsoft.Compute/virtualMachineScaleSets", "name": "[parameters('vmssName')]",
      "apiVersion": "2018-06-01", "location": "[resourceGroup().location]",
      "identity": {{ "type": "SystemAssigned" }},
      "sku": {{ "name": "Standard_B1s", "tier": "Standard", "capacity": 2 }},
      "properties": {{
        "upgradePolicy": {{ "mode": "Manual" }},
        "virtualMachineProfile": {{
          {profile}
        }}
      }}
    }}
  ],
  "outputs": {{ "VMSS": {{ "type": "object", "value": "[reference(parameters('vmssName'))]" }} }}
}}"#
    )
}

/// The printed extension profile, with the brackets that the print lost.
pub(super) const PROFILE: &str = r#""extensionProfile": {
    "extensions": [
        {
            "name": "ManagedIdentityWindowsExtension",
            "properties": {
                "publisher": "Microsoft.ManagedIdentity",
                "type": "ManagedIdentityExtensionForWindows",
                "typeHandlerVersion": "1.0",
                "autoUpgradeMinorVersion": true,
                "settings": {
                    "port": 50342
                },
                "protectedSettings": {}
            }
        }
    ]
}"#;

/// A template of these resources.
pub(super) fn template(resources: Value) -> Value {
    json!({"contentVersion": "1.0.0.0", "resources": resources})
}

pub(super) fn strict(template: &Value) -> Value {
    json!({"properties": {"mode": "Incremental", "template": template}})
}

impl Arm {
    /// Deploys and waits; what became of it.
    pub(super) async fn deploy(&self, name: &str, body: String, guest: &Guest) -> Value {
        let begun = self.send(&self.token, "PUT", &deployment(name), body).await;
        assert!(matches!(begun.status.as_u16(), 200 | 201), "{}", begun.body);
        assert_eq!(begun.json()["properties"]["provisioningState"], "Accepted");
        self.settle(guest).await;
        self.poll(&begun).await.json()
    }
}

#[tokio::test]
async fn the_raw_body_of_az_from_validation_to_operations() {
    let arm = Arm::new().await;
    let body = raw(MACHINE, &json!({}));
    let url = deployment("d1");
    let valid = arm.send(&arm.token, "POST", &format!("{url}/validate"), body.clone()).await.is(200).json();
    assert_eq!(valid["properties"]["provisioningState"], "Succeeded");
    assert_eq!(valid["properties"].get("outputs"), None);
    let ids = json!([{"id": vm("vm1")}, {"id": format!("{}/extensions/{WINDOWS}", vm("vm1"))}]);
    assert_eq!(valid["properties"]["validatedResources"], ids);
    arm.get(&vm("vm1")).await.refuses(404, "ResourceNotFound");
    let what_if =
        body.replace("template:", "\"whatIfSettings\": {\"resultFormat\": \"FullResourcePayloads\"}, template:");
    let changes = arm.send(&arm.token, "POST", &format!("{url}/whatIf"), what_if.clone()).await.is(200).json();
    assert_eq!(changes["status"], "Succeeded");
    let first = &changes["properties"]["changes"][0];
    assert_eq!((&first["changeType"], &first["resourceId"]), (&json!("Create"), &json!(vm("vm1"))));

    let begun = arm.send(&arm.token, "PUT", &url, body.clone()).await.is(201);
    let status = local(&begun, "azure-asyncoperation");
    assert!(status.starts_with(&format!("{url}/operationStatuses/")), "{status}");
    assert_eq!(begun.json()["properties"]["provisioningState"], "Accepted");
    arm.settle(&Guest::busy()).await;
    let poll = arm.poll(&begun).await;
    assert_eq!((&poll.json()["status"], poll.header("retry-after")), (&json!("Running"), Some("1")));
    arm.settle(&Guest::SOUND).await;
    assert_eq!(arm.poll(&begun).await.json()["status"], "Succeeded");
    let done = arm.get(&url).await.is(200).json();
    let properties = &done["properties"];
    let principal = arm.get(&vm("vm1")).await.json()["identity"]["principalId"].clone();
    assert_eq!(properties["outputs"], json!({"pid": {"type": "string", "value": principal}}));
    assert_eq!((&properties["outputResources"], &properties["mode"]), (&ids, &json!("Incremental")));
    assert_eq!(properties["providers"][0]["namespace"], "Microsoft.Compute");
    assert_eq!(properties["dependencies"][0]["dependsOn"][0]["id"], vm("vm1"));
    assert_eq!((&done["name"], &done["type"]), (&json!("d1"), &json!("Microsoft.Resources/deployments")));
    for list in [format!("{G}/deployments/"), format!("{G}/providers/Microsoft.Resources/deployments/")] {
        assert_eq!(arm.get(&list).await.is(200).names(), ["d1"]);
    }
    for path in [format!("{url}/operations"), format!("{}/deployments/d1/operations", G.to_ascii_lowercase())] {
        let operations = arm.get(&path).await.is(200).json();
        let steps = operations["value"].as_array().unwrap();
        assert_eq!(steps.len(), 2);
        let target = &steps[1]["properties"]["targetResource"];
        assert_eq!(target["resourceName"], format!("vm1/{WINDOWS}"));
        assert_eq!(target["resourceType"], "Microsoft.Compute/virtualMachines/extensions");
        for step in steps {
            assert_eq!(step["properties"]["provisioningState"], "Succeeded");
            assert!(step["id"].as_str().unwrap().ends_with(step["operationId"].as_str().unwrap()));
        }
    }
    // Once more it finds everything as it is.
    let changes = arm.send(&arm.token, "POST", &format!("{url}/whatIf"), what_if).await.is(200).json();
    let kinds: Vec<_> = changes["properties"]["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["changeType"].clone())
        .collect();
    assert_eq!(kinds, ["NoChange", "NoChange"], "{changes}");
    arm.send(&arm.token, "PUT", &url, body).await.is(200);
    arm.delete(&url).await.refuses(409, "DeploymentActive");
    arm.settle(&Guest::SOUND).await;
    arm.delete(&url).await.is(204);
    let gone = arm.get(&url).await.refuses(404, "DeploymentNotFound");
    assert_eq!(gone.message(), "Deployment 'd1' could not be found.");
    arm.get(&vm("vm1")).await.is(200);
}

#[tokio::test]
async fn the_printed_scale_set_with_its_parameter_and_output() {
    let arm = Arm::new().await;
    let body = raw(&scale_set_template(PROFILE), &json!({"vmssName": {"value": "vmss2"}}));
    assert_eq!(arm.deploy("d2", body, &Guest::SOUND).await["status"], "Succeeded");
    let done = arm.get(&deployment("d2")).await.json();
    assert_eq!(done["properties"]["parameters"], json!({"vmssName": {"type": "string", "value": "vmss2"}}));
    let outputs = done["properties"]["outputs"].as_object().unwrap();
    assert_eq!(outputs.keys().collect::<Vec<_>>(), ["vmss"], "az reads it in this case");
    let shown = arm.get(&scale_set("vmss2")).await.is(200).json();
    let extensions = &shown["properties"]["virtualMachineProfile"]["extensionProfile"]["extensions"];
    assert_eq!(extensions[0]["name"], "ManagedIdentityWindowsExtension");
    assert_eq!(extensions[0]["properties"].get("protectedSettings"), None);
}

#[tokio::test]
async fn the_misprints_are_told_with_their_places() {
    let arm = Arm::new().await;
    let slip = raw(&scale_set_template(&PROFILE.replace("extensionProfile", "extensionpProfile")), &json!({}));
    let poll = arm.deploy("d1", slip, &Guest::SOUND).await;
    let error = &poll["error"];
    assert_eq!((&poll["status"], &error["code"]), (&json!("Failed"), &json!("DeploymentFailed")));
    assert_eq!(error["target"], deployment("d1"));
    let text = "Could not find member 'extensionpProfile' on object of type 'VirtualMachineScaleSetVMProfile'. Path \
                'properties.virtualMachineProfile.extensionpProfile'.";
    assert_eq!((&error["details"][0]["code"], &error["details"][0]["message"]), (&json!("BadRequest"), &json!(text)));
    let shown = arm.get(&deployment("d1")).await.json();
    assert_eq!(shown["properties"]["error"], *error);
    let steps = arm.get(&format!("{}/operations", deployment("d1"))).await.json();
    let step = &steps["value"][0]["properties"];
    assert_eq!((&step["provisioningState"], &step["statusCode"]), (&json!("Failed"), &json!("BadRequest")));
    assert_eq!(step["statusMessage"]["error"]["message"], text);
    // The print lost a bracket and a brace at the end of the profile.
    let lost = PROFILE.rsplit_once("    ]").unwrap().0;
    let lost = raw(&scale_set_template(lost), &json!({}));
    for method in ["validate", "whatIf"] {
        let answer = arm.send(&arm.token, "POST", &format!("{}/{method}", deployment("d2")), lost.clone()).await;
        let answer = answer.refuses(400, "InvalidRequestContent");
        // The brace after the machines' profile stands where the list of extensions goes on.
        let text = "The request content was invalid and could not be deserialized: 'Unexpected close brace. Line 30, \
                    position 9.'";
        assert_eq!(answer.message(), text);
        let info = json!({"lineNumber": 30, "linePosition": 9, "path": ""});
        assert_eq!(answer.json()["error"]["additionalInfo"], json!([{"type": "TemplateViolation", "info": info}]));
    }
}

#[tokio::test]
async fn a_failing_extension_fails_the_deployment() {
    let arm = Arm::new().await;
    let poll = arm.deploy("d1", raw(MACHINE, &json!({})), &Guest::failing("")).await;
    let error = &poll["error"];
    let text = "At least one resource deployment operation failed. Please list deployment operations for details. \
                Please see https://aka.ms/arm-deployment-operations for usage details.";
    assert_eq!((&error["code"], &error["message"]), (&json!("DeploymentFailed"), &json!(text)));
    assert!(poll.to_string().contains("VMExtensionProvisioningError"), "{poll}");
    arm.get(&vm("vm1")).await.is(200);
    // As the printed text says: restart, then try again.
    let restarted = arm.post(&format!("{}/restart", vm("vm1")), Value::Null).await.is(202);
    arm.settle(&Guest::SOUND).await;
    assert_eq!(arm.poll(&restarted).await.json()["status"], "Succeeded");
    assert_eq!(arm.deploy("d1", raw(MACHINE, &json!({})), &Guest::SOUND).await["status"], "Succeeded");
    assert_eq!(arm.get(&deployment("d1")).await.json()["properties"].get("error"), None);
}

#[tokio::test]
async fn secure_parameters_are_shown_and_kept_nowhere() {
    const VALUE: &str = "S3cure-value-of-the-test";
    let arm = Arm::new().await;
    let mut template = template(json!([
        {"type": "Microsoft.Compute/virtualMachines", "apiVersion": "2024-07-01", "name": "vm1", "location": "westus",
         "properties": {"osProfile": {"adminUsername": "u", "adminPassword": "[parameters('adminPassword')]"}}},
    ]));
    template["parameters"] = json!({
        "adminPassword": {"type": "securestring"}, "whole": {"type": "secureObject"}, "plain": {"type": "string"},
    });
    template["outputs"] = json!({"leak": {"type": "securestring", "value": "[parameters('adminPassword')]"}});
    let mut body = strict(&template);
    let given = json!({"adminPassword": {"value": VALUE}, "whole": {"value": {"k": VALUE}}, "plain": {"value": "p"}});
    body["properties"]["parameters"] = given;
    let begun = arm.put(&deployment("d1"), body).await.is(201);
    let on_disk = |arm: &Arm| arm.disk().windows(VALUE.len()).any(|window| window == VALUE.as_bytes());
    assert!(!on_disk(&arm), "sealed while it is under way");
    arm.settle(&Guest::SOUND).await;
    let poll = arm.poll(&begun).await;
    assert_eq!(poll.json()["status"], "Succeeded", "{}", poll.body);
    let shown = arm.get(&deployment("d1")).await;
    assert_eq!(shown.json()["properties"]["parameters"]["plain"]["value"], "p");
    let steps = arm.get(&format!("{}/operations", deployment("d1"))).await;
    for answer in [&begun, &poll, &shown, &steps, &arm.get(&vm("vm1")).await] {
        assert!(!answer.body.contains(VALUE), "{}", answer.body);
    }
    assert!(!on_disk(&arm));
}

#[tokio::test]
async fn complete_mode_deletes_what_is_not_named() {
    let arm = Arm::new().await;
    arm.vm("vm0").await;
    arm.identities("id", 1).await;
    let mut body = strict(&template(json!([
        {"type": "Microsoft.Compute/virtualMachines", "apiVersion": "2024-07-01", "name": "vm1", "location": "westus"},
    ])));
    body["properties"]["mode"] = "complete".into();
    assert_eq!(arm.deploy("d1", body.to_string(), &Guest::SOUND).await["status"], "Succeeded");
    arm.get(&vm("vm1")).await.is(200);
    arm.get(&vm("vm0")).await.refuses(404, "ResourceNotFound");
    arm.get(&identity("id0")).await.refuses(404, "ResourceNotFound");
    arm.get(&deployment("d1")).await.is(200);
}

#[tokio::test]
async fn nested_conditional_and_copied() {
    let arm = Arm::new().await;
    let nested = template(json!([
        {"type": "Microsoft.ManagedIdentity/userAssignedIdentities", "apiVersion": "2023-01-31",
         "name": "[concat('id', copyIndex())]", "location": "westus", "copy": {"name": "ids", "count": 3}},
        {"type": "Microsoft.ManagedIdentity/userAssignedIdentities", "apiVersion": "2023-01-31", "name": "never",
         "location": "westus", "condition": "[equals(1, 2)]"},
    ]));
    let outer = template(json!([
        {"type": "Microsoft.Resources/deployments", "apiVersion": "2021-04-01", "name": "inner",
         "properties": {"mode": "Incremental", "template": nested, "expressionEvaluationOptions": {"scope": "inner"}}},
        {"type": "Microsoft.Compute/virtualMachines", "apiVersion": "2024-07-01", "name": "vm1", "location": "westus",
         "dependsOn": ["inner"], "identity": {"type": "UserAssigned", "userAssignedIdentities": {
             "[resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', 'id2')]": {}}}},
    ]));
    let poll = arm.deploy("outer", strict(&outer).to_string(), &Guest::SOUND).await;
    assert_eq!(poll["status"], "Succeeded", "{poll}");
    assert_eq!(arm.get(&format!("{G}/deployments")).await.names(), ["inner", "outer"]);
    for (name, status) in [("id0", 200), ("id2", 200), ("never", 404)] {
        arm.get(&identity(name)).await.is(status);
    }
    assert_eq!(arm.get(&vm("vm1")).await.json()["identity"]["type"], "UserAssigned");
}

#[tokio::test]
async fn one_at_a_time_and_cancelled() {
    let arm = Arm::new().await;
    let begun = arm.send(&arm.token, "PUT", &deployment("d1"), raw(MACHINE, &json!({}))).await.is(201);
    arm.settle(&Guest::busy()).await;
    let second = arm.send(&arm.token, "PUT", &deployment("d1"), raw(MACHINE, &json!({}))).await;
    assert!(second.refuses(409, "DeploymentActive").message().contains("previous deployment is still active"));
    let cancel = format!("{}/cancel", deployment("d1"));
    arm.post(&cancel, Value::Null).await.is(204);
    assert_eq!(arm.poll(&begun).await.json()["status"], "Canceled");
    arm.settle(&Guest::SOUND).await;
    assert_eq!(arm.poll(&begun).await.json()["status"], "Canceled");
    arm.get(&vm("vm1")).await.is(200);
    arm.post(&cancel, Value::Null).await.refuses(409, "Conflict");
    arm.post(&format!("{}/cancel", deployment("nope")), Value::Null).await.refuses(404, "DeploymentNotFound");
}

#[tokio::test]
async fn one_whose_group_is_deleted_ends() {
    let arm = Arm::new().await;
    let begun = arm.send(&arm.token, "PUT", &deployment("d1"), raw(MACHINE, &json!({}))).await.is(201);
    arm.settle(&Guest::busy()).await;
    assert_eq!(arm.poll(&begun).await.json()["status"], "Running");
    arm.delete(G).await.is(202);
    arm.settle(&Guest::SOUND).await;
    assert_eq!(arm.world.store.read(|tx| tx.operations_under_way()).await.unwrap(), []);
    arm.get(&deployment("d1")).await.refuses(404, "ResourceGroupNotFound");
}

#[tokio::test]
async fn are_carried_out_by_the_app_itself() {
    let arm = Arm::new().await;
    let running = tokio::spawn(control::arm::keep_deploying(arm.world.app.clone()));
    let mut saved = arm.world.store.saved();
    let begun = arm.send(&arm.token, "PUT", &deployment("d1"), raw(MACHINE, &json!({}))).await.is(201);
    let ended = async {
        while arm.poll(&begun).await.json()["status"] != "Succeeded" {
            Guest::SOUND.work(&arm.world).await;
            saved.changed().await.expect("the store");
        }
    };
    tokio::time::timeout(Duration::from_secs(30), ended).await.expect("it ends");
    running.abort();
}
