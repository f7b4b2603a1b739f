//! What only a guest may read is nowhere else: in no answer, and in no file.

use super::*;

/// Base64, as some must be.
const SECRET: &str = "Pr0tectedValueOfThisTest";

#[track_caller]
fn nowhere(arm: &Arm, answers: &[&Answer]) {
    for answer in answers {
        assert!(!answer.body.contains(SECRET) && !answer.body.contains("protectedSettings"), "{}", answer.body);
    }
    let found = arm.disk().windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
    assert!(!found, "the secret is on the disk");
}

fn protected(handler: &str) -> Value {
    let mut properties = extension(handler);
    properties["protectedSettings"] = json!({"k": SECRET});
    properties
}

/// The protected settings that the store keeps for an extension, sealed.
async fn kept(arm: &Arm, id: &str) -> Option<Vec<u8>> {
    stored(arm, id).await.spec.protected_settings.map(|sealed| sealed.bytes)
}

async fn stored(arm: &Arm, id: &str) -> VmExtension {
    let id = ResourceId::parse(id).unwrap();
    arm.world.store.read(move |tx| tx.vm_extension(&id)).await.unwrap().expect("an extension")
}

/// What the guest of an extension reads.
async fn opened(arm: &Arm, id: &str) -> Value {
    let opened = control::arm::guest::protected_settings(&arm.world.kek, &stored(arm, id).await);
    serde_json::from_slice(&opened.expect("they open").expect("settings")).expect("JSON")
}

#[tokio::test]
async fn the_same_protected_settings_again_are_no_change() {
    let arm = Arm::new().await;
    let machine = arm.vm("vm1").await;
    let set = scale_set("ss");
    let body = json!({
        "location": "westus", "sku": {"name": "Standard_B1s", "capacity": 1},
        "properties": {"upgradePolicy": {"mode": "Automatic"}},
    });
    arm.put(&set, body).await.is(201);
    for (path, guest) in [
        (format!("{machine}/extensions/x"), format!("{machine}/extensions/x")),
        (format!("{set}/extensions/x"), format!("{set}/virtualMachines/0/extensions/x")),
    ] {
        let body = |value: &str| {
            let mut properties = extension(LINUX);
            properties["protectedSettings"] = json!({"k": value, "n": [1]});
            json!({"location": "westus", "properties": properties})
        };
        arm.put(&path, body("a")).await.is(201);
        arm.settle(&Guest::SOUND).await;
        assert_eq!(opened(&arm, &guest).await, json!({"k": "a", "n": [1]}), "{path}");
        let again = arm.put(&path, body("a")).await.is(200);
        assert!(again.header("azure-asyncoperation").is_none(), "{path}: {}", again.body);
        let patch = json!({"properties": {"protectedSettings": {"n": [1], "k": "a"}}});
        let again = arm.patch(&path, patch).await.is(200);
        assert!(again.header("azure-asyncoperation").is_none(), "{path}: {}", again.body);
        let other = arm.put(&path, body("b")).await.is(200);
        assert!(other.header("azure-asyncoperation").is_some(), "{path}: {}", other.body);
        arm.settle(&Guest::SOUND).await;
        assert_eq!(opened(&arm, &guest).await["k"], "b", "{path}");
    }
}

#[tokio::test]
async fn protected_settings_of_a_machine() {
    let arm = Arm::new().await;
    let machine = arm.vm("vm1").await;
    let path = format!("{machine}/extensions/{LINUX}");
    let made = arm.put(&path, json!({"location": "westus", "properties": protected(LINUX)})).await.is(201);
    arm.settle(&Guest::SOUND).await;
    let sealed = kept(&arm, &path).await.expect("sealed");
    let tagged = arm.patch(&path, json!({"properties": {"forceUpdateTag": "1"}})).await.is(200);
    assert_eq!(kept(&arm, &path).await, Some(sealed), "a PATCH keeps them");
    let expanded = arm.get(&format!("{path}?$expand=instanceView")).await.is(200);
    let (shown, of_machine) = (arm.get(&path).await.is(200), arm.get(&machine).await.is(200));
    let list = arm.get(&format!("{machine}/extensions")).await.is(200);
    let exported = arm.post(&format!("{G}/exportTemplate"), json!({"resources": ["*"]})).await.is(200);
    nowhere(&arm, &[&made, &tagged, &expanded, &shown, &of_machine, &list, &exported]);
}

#[tokio::test]
async fn protected_settings_of_a_scale_set_outlive_a_put_without_them() {
    let arm = Arm::new().await;
    let path = scale_set("ss");
    let model = |properties: Value| {
        json!({
            "location": "westus", "sku": {"name": "Standard_B1s", "capacity": 1},
            "properties": {"virtualMachineProfile": {"extensionProfile": {"extensions": [
                {"name": "x", "properties": properties},
            ]}}},
        })
    };
    let made = arm.put(&path, model(protected(LINUX))).await.is(201);
    arm.settle(&Guest::SOUND).await;
    let on_machine = format!("{path}/virtualMachines/0/extensions/x");
    let sealed = kept(&arm, &on_machine).await.expect("sealed");
    let again = arm.put(&path, model(extension(LINUX))).await.is(200);
    assert_eq!(again.json()["properties"]["provisioningState"], "Succeeded", "nothing is different");
    let child = arm.put(&format!("{path}/extensions/x"), json!({"properties": extension(LINUX)})).await.is(200);
    assert_eq!(kept(&arm, &on_machine).await, Some(sealed));
    let list = arm.get(&format!("{path}/virtualMachines")).await.is(200);
    let exported = arm.post(&format!("{G}/exportTemplate"), json!({"resources": ["*"]})).await.is(200);
    nowhere(&arm, &[&made, &again, &child, &list, &exported]);
}

#[tokio::test]
async fn passwords_however_they_are_spelt() {
    let arm = Arm::new().await;
    let os = |profile: &str, password: &str| json!({profile: {"adminUsername": "u", password: SECRET}});
    let machine = |properties: &str, profile: &str, password: &str| json!({"location": "westus", properties: os(profile, password)});
    let made = arm.put(&vm("a1"), machine("properties", "osProfile", "adminPassword")).await.is(201);
    let cased = arm.put(&vm("a2"), machine("properties", "OsProfile", "AdminPassword")).await.is(201);
    let outer = arm.put(&vm("a3"), machine("Properties", "osProfile", "ADMINPASSWORD")).await.is(201);
    let patched = arm.patch(&vm("a1"), json!({"properties": os("OSPROFILE", "customData")})).await.is(200);
    let beside =
        json!({"plan": {"promotionPassword": SECRET}, "properties": {"diagnosticsProfile": {"password": SECRET}}});
    let beside = arm.patch(&vm("a1"), beside).await.is(200);
    let body = json!({
        "location": "westus", "sku": {"name": "Standard_B1s", "capacity": 1}, "plan": {"promotionPassword": SECRET},
        "properties": {"VirtualMachineProfile": {
            "OsProfile": {"AdminPassword": SECRET},
            "ExtensionProfile": {"Extensions": [{"Name": "x", "Properties": protected(LINUX)}]},
        }},
    });
    let set = arm.put(&scale_set("ss"), body).await.is(201);
    let network = format!("{G}/providers/Microsoft.Network/networkInterfaces/nic");
    let generic = arm.put(&network, machine("properties", "osProfile", "adminPassword")).await.is(201);
    nowhere(&arm, &[&made, &cased, &outer, &patched, &beside, &set, &generic, &arm.get(&vm("a1")).await]);
}

#[tokio::test]
async fn secrets_of_types_without_a_behaviour_at_any_depth() {
    let arm = Arm::new().await;
    let machine = arm.vm("vm1").await;
    let of = |provider: &str, path: &str| format!("{G}/providers/{provider}/{path}");
    let mut answers = Vec::new();
    for (path, properties) in [
        (
            format!("{machine}/runCommands/run"),
            json!({
                "source": {"script": "echo"}, "parameters": [{"name": "a", "value": "b"}], "runAsPassword": SECRET,
                "protectedParameters": [{"name": "p", "value": SECRET}],
            }),
        ),
        (
            of("Microsoft.Resources", "deploymentScripts/script"),
            json!({
                "environmentVariables": [{"name": "a", "value": "b"}, {"name": "s", "secureValue": SECRET}],
                "storageAccountSettings": {"storageAccountName": "x", "storageAccountKey": SECRET},
            }),
        ),
        (
            of("Microsoft.Network", "virtualNetworkGateways/gateway"),
            json!({
                "deep": [[{"PROTECTEDSETTINGS": {"k": SECRET}}], {"sharedKey": SECRET, "clientSecret": SECRET}],
                "connections": [{"connectionString": SECRET, "passwordRules": {"first": SECRET}}],
            }),
        ),
        (
            of("Microsoft.App", "containerApps/app"),
            json!({"configuration": {"secrets": [{"name": "s", "value": SECRET}]}}),
        ),
    ] {
        answers.push(arm.put(&path, json!({"location": "westus", "properties": properties})).await.is(201));
        answers.push(arm.patch(&path, json!({"properties": {"more": {"adminPassword": SECRET}}})).await.is(200));
        answers.push(arm.get(&path).await.is(200));
    }
    arm.put(&of("Microsoft.KeyVault", "vaults/v"), json!({"location": "westus", "properties": {}})).await.is(201);
    let value = json!({"properties": {"value": SECRET, "contentType": "text"}});
    answers.push(arm.put(&of("Microsoft.KeyVault", "vaults/v/secrets/s"), value).await.is(201));
    let beside = json!({"location": "westus", "properties": {}, "plan": {"promotionPassword": SECRET}});
    answers.push(arm.put(&of("Microsoft.Network", "networkInterfaces/nic"), beside).await.is(201));
    answers.push(arm.post(&format!("{G}/exportTemplate"), json!({"resources": ["*"]})).await.is(200));
    nowhere(&arm, &answers.iter().collect::<Vec<_>>());
}

#[tokio::test]
async fn what_only_sounds_like_a_secret_stays() {
    let arm = Arm::new().await;
    let path = format!("{G}/providers/Microsoft.KeyVault/vaults/v");
    let properties = json!({
        "accessPolicies": [{"permissions": {"secrets": ["get", "list"]}}], "disablePasswordAuthentication": true,
        "passwordless": "False", "secretUri": "https://v.example/secrets/s",
    });
    let made = arm.put(&path, json!({"location": "westus", "properties": properties})).await.is(201).json();
    let mut expected = properties;
    expected["provisioningState"] = "Succeeded".into();
    assert_eq!(made["properties"], expected);
}
