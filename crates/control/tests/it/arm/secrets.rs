//! What only a guest may read is nowhere else: in no answer, and in no file.

use super::*;

const SECRET: &str = "Pr0tected-value-of-the-test";

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

/// Whether the store keeps protected settings for an extension.
async fn kept(arm: &Arm, id: &str) -> Option<Vec<u8>> {
    let id = ResourceId::parse(id).unwrap();
    let found = arm.world.store.read(move |tx| tx.vm_extension(&id)).await.unwrap().expect("an extension");
    found.spec.protected_settings.map(|sealed| sealed.bytes)
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
    let body = json!({
        "location": "westus", "sku": {"name": "Standard_B1s", "capacity": 1},
        "properties": {"VirtualMachineProfile": {
            "OsProfile": {"AdminPassword": SECRET},
            "ExtensionProfile": {"Extensions": [{"Name": "x", "Properties": protected(LINUX)}]},
        }},
    });
    let set = arm.put(&scale_set("ss"), body).await.is(201);
    let network = format!("{G}/providers/Microsoft.Network/networkInterfaces/nic");
    let generic = arm.put(&network, machine("properties", "osProfile", "adminPassword")).await.is(201);
    nowhere(&arm, &[&made, &cased, &outer, &patched, &set, &generic, &arm.get(&vm("a1")).await]);
}
