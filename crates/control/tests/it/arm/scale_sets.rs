//! Scale sets: the model, its extensions in both views, and the machines that follow it.

use super::*;

fn entry(name: &str, handler: &str) -> Value {
    json!({"name": name, "properties": extension(handler)})
}

/// What `az` sends: the whole scale set.
fn model(mode: &str, capacity: u32, extensions: Value) -> Value {
    json!({
        "location": "westus", "sku": {"name": "Standard_B1s", "tier": "Standard", "capacity": capacity},
        "properties": {
            "upgradePolicy": {"mode": mode},
            "virtualMachineProfile": {"extensionProfile": {"extensions": extensions}},
        },
    })
}

/// The extensions of each machine.
async fn on_machines(arm: &Arm) -> Vec<(String, Vec<String>)> {
    let list = arm.get(&format!("{}/virtualMachines", scale_set("ss"))).await.is(200).json();
    let machines = list["value"].as_array().unwrap().clone();
    let names = |machine: &Value| {
        let names =
            machine["resources"].as_array().unwrap().iter().map(|found| found["name"].as_str().unwrap().to_owned());
        names.collect()
    };
    machines.iter().map(|machine| (machine["instanceId"].as_str().unwrap().to_owned(), names(machine))).collect()
}

#[tokio::test]
async fn a_scale_set_is_shown_as_clients_read_it() {
    let arm = Arm::new().await;
    let path = format!("{}?api-version=2026-04-01", scale_set("ss9"));
    let body = json!({
        "location": "westus", "identity": {"type": "SystemAssigned"}, "sku": {"name": "Standard_B1s", "capacity": 2},
    });
    let made = arm.put(&path, body).await.is(201).json();
    let (id, principal) = (&made["properties"]["uniqueId"], &made["identity"]["principalId"]);
    assert!(Uuid::parse_str(id.as_str().unwrap()).is_ok() && Uuid::parse_str(principal.as_str().unwrap()).is_ok());
    assert_eq!(made["sku"], json!({"name": "Standard_B1s", "tier": "Standard", "capacity": 2}));
    assert_eq!(made["identity"], json!({"type": "SystemAssigned", "principalId": principal, "tenantId": TENANT}));
    assert_eq!(made["properties"]["virtualMachineProfile"]["storageProfile"], json!({}), "an older az needs it");
    assert_eq!(made["properties"]["provisioningState"], "Succeeded");
    assert_eq!(arm.get(&path).await.is(200).json(), made);
    for list in [G, SUB] {
        let list = format!("{list}/providers/Microsoft.Compute/virtualMachineScaleSets");
        assert_eq!(arm.get(&list).await.is(200).json()["value"], json!([made]));
    }
    let view = arm.get(&format!("{}/instanceView", scale_set("ss9"))).await.is(200).json();
    assert_eq!(view["virtualMachine"]["statusesSummary"], json!([{"code": "ProvisioningState/succeeded", "count": 2}]));
    arm.head(&path).await.is(204);
    let deleted = arm.delete(&path).await.is(202);
    assert_eq!(arm.poll(&deleted).await.json()["status"], "Succeeded");
    arm.get(&path).await.refuses(404, "ResourceNotFound");
    arm.delete(&path).await.is(204);
}

#[tokio::test]
async fn profile_and_child_are_one_list() {
    let arm = Arm::new().await;
    let path = scale_set("ss");
    arm.put(&path, model("Automatic", 2, json!([entry("Old", WINDOWS)]))).await.is(201);
    let child = format!("{path}/extensions/{LINUX}");
    let made = arm.put(&child, json!({"properties": extension(LINUX)})).await.is(201);
    assert_eq!(made.json()["type"], "Microsoft.Compute/virtualMachineScaleSets/extensions");
    assert_eq!(made.json().get("location"), None);
    arm.settle(&Guest::SOUND).await;
    assert_eq!(arm.poll(&made).await.json()["status"], "Succeeded");
    let shown = arm.get(&path).await.json();
    let list = &shown["properties"]["virtualMachineProfile"]["extensionProfile"]["extensions"];
    assert_eq!(*list, json!([entry("Old", WINDOWS), entry(LINUX, LINUX)]));
    assert_eq!(arm.get(&format!("{path}/extensions")).await.is(200).names(), ["Old", LINUX]);
    assert_eq!(on_machines(&arm).await[1].1, [LINUX, "Old"]);

    let second = arm.put(&format!("{path}/extensions/x"), json!({"properties": extension(LINUX)})).await;
    second.refuses(400, "BadRequest");
    let twice = json!([entry("a", LINUX), entry("A", WINDOWS)]);
    arm.put(&path, model("Automatic", 2, twice)).await.refuses(400, "BadRequest");

    let tag = json!({"properties": {"forceUpdateTag": "1"}});
    let patched = arm.patch(&child, tag).await.is(200);
    assert_eq!(patched.json()["properties"]["settings"], json!({"port": 50342}));
    assert!(patched.header("azure-asyncoperation").is_some());
    arm.settle(&Guest::SOUND).await;
    // What is missing from a PUT goes.
    let put = arm.put(&path, model("Automatic", 2, json!([entry(LINUX, LINUX)]))).await.is(200);
    assert_eq!(put.json()["properties"]["provisioningState"], "Updating");
    arm.settle(&Guest::SOUND).await;
    assert_eq!(arm.poll(&put).await.json()["status"], "Succeeded");
    arm.get(&format!("{path}/extensions/Old")).await.refuses(404, "ResourceNotFound");
    arm.delete(&child).await.is(202);
    arm.settle(&Guest::SOUND).await;
    assert_eq!(on_machines(&arm).await, [("0".to_owned(), vec![]), ("1".to_owned(), vec![])]);
    arm.delete(&child).await.is(204);
}

#[tokio::test]
async fn an_extension_that_comes_back_while_it_goes_stays() {
    let arm = Arm::new().await;
    let path = scale_set("ss");
    let with = model("Automatic", 1, json!([entry(LINUX, LINUX)]));
    arm.put(&path, with.clone()).await.is(201);
    arm.settle(&Guest::SOUND).await;
    let without = arm.put(&path, model("Automatic", 1, json!([]))).await.is(200);
    let back = arm.put(&path, with).await.is(200);
    arm.settle(&Guest::SOUND).await;
    assert_eq!(on_machines(&arm).await, [("0".to_owned(), vec![LINUX.to_owned()])]);
    let shown = arm.get(&format!("{path}/virtualMachines/0/extensions/{LINUX}")).await.is(200).json();
    assert_eq!(shown["properties"]["provisioningState"], "Succeeded");
    for change in [&without, &back] {
        assert_eq!(arm.poll(change).await.json()["status"], "Succeeded");
    }
}

#[tokio::test]
async fn machines_of_a_manual_scale_set_follow_when_told() {
    let arm = Arm::new().await;
    let path = scale_set("ss");
    arm.put(&path, model("Manual", 2, json!([]))).await.is(201);
    let put = arm.put(&path, model("Manual", 2, json!([entry(LINUX, LINUX)]))).await.is(200);
    assert!(put.header("azure-asyncoperation").is_none(), "nothing is done yet");
    assert!(on_machines(&arm).await.iter().all(|(_, extensions)| extensions.is_empty()));
    let upgrade = format!("{path}/manualupgrade");
    let one = arm.post(&upgrade, json!({"instanceIds": ["0"]})).await.is(202);
    arm.settle(&Guest::SOUND).await;
    assert_eq!(arm.poll(&one).await.json()["status"], "Succeeded");
    let list = arm.get(&format!("{path}/virtualMachines?$expand=instanceView")).await.json();
    let latest = |at: usize| list["value"][at]["properties"]["latestModelApplied"].clone();
    assert_eq!((latest(0), latest(1)), (json!(true), json!(false)));
    assert!(list["value"][0]["properties"]["instanceView"].is_object());
    arm.post(&upgrade, json!({"instanceIds": ["*"]})).await.is(202);
    arm.settle(&Guest::SOUND).await;
    assert!(on_machines(&arm).await.iter().all(|(_, extensions)| extensions == &[LINUX]));
    arm.post(&upgrade, json!({"instanceIds": ["*"]})).await.is(200);
    arm.post(&upgrade, json!({"instanceIds": ["7"]})).await.refuses(400, "InvalidParameter");
    arm.post(&upgrade, json!({})).await.refuses(400, "InvalidParameter");
    // New machines are made as the model says.
    arm.put(&path, model("Manual", 3, json!([entry(LINUX, LINUX)]))).await.is(200);
    arm.settle(&Guest::SOUND).await;
    assert_eq!(on_machines(&arm).await[2], ("2".to_owned(), vec![LINUX.to_owned()]));
}

#[tokio::test]
async fn capacity_goes_up_and_down() {
    let arm = Arm::new().await;
    let path = scale_set("ss");
    let instances = async || on_machines(&arm).await.into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    arm.put(&path, model("Automatic", 3, json!([]))).await.is(201);
    assert_eq!(instances().await, ["0", "1", "2"]);
    arm.patch(&path, json!({"sku": {"capacity": 1}})).await.is(200);
    assert_eq!(instances().await, ["0"]);
    arm.patch(&path, json!({"sku": {"name": "Standard_B1s", "capacity": 2}})).await.is(200);
    assert_eq!(instances().await, ["0", "3"], "a number is given once");
    let deleted = arm.post(&format!("{path}/delete"), json!({"instanceIds": ["0"]})).await.is(202);
    assert_eq!(arm.poll(&deleted).await.json()["status"], "Succeeded");
    assert_eq!(instances().await, ["3"]);
    assert_eq!(arm.get(&path).await.json()["sku"]["capacity"], 1);
    let machine = format!("{path}/virtualMachines/3");
    let shown = arm.get(&machine).await.is(200).json();
    assert_eq!((&shown["name"], &shown["instanceId"]), (&json!("ss_3"), &json!("3")));
    arm.get(&format!("{machine}/instanceView")).await.is(200);
    arm.put(&machine, json!({"location": "westus"})).await.refuses(409, "OperationNotAllowed");
    arm.delete(&machine).await.is(202);
    assert_eq!(instances().await, Vec::<String>::new());
    for capacity in [json!(-1), json!(1_001), json!("x"), json!(1.5)] {
        let wrong = arm.patch(&path, json!({"sku": {"capacity": capacity}})).await.refuses(400, "InvalidParameter");
        assert_eq!(wrong.json()["error"]["target"], "sku.capacity");
    }
}

#[tokio::test]
async fn an_extension_that_fails_on_one_machine_fails_the_change() {
    let arm = Arm::new().await;
    let path = scale_set("ss");
    let put = arm.put(&path, model("Automatic", 2, json!([entry(LINUX, LINUX)]))).await.is(201);
    arm.settle(&Guest::failing("virtualMachines/1/")).await;
    let poll = arm.poll(&put).await.json();
    assert_eq!((&poll["status"], &poll["error"]["code"]), (&json!("Failed"), &json!("VMExtensionProvisioningError")));
    let view = arm.get(&format!("{path}/instanceView")).await.json();
    let summary =
        json!([{"code": "ProvisioningState/succeeded", "count": 1}, {"code": "ProvisioningState/failed", "count": 1}]);
    assert_eq!(view["extensions"], json!([{"name": LINUX, "statusesSummary": summary}]));
}

#[tokio::test]
async fn a_slip_in_the_model_is_told_with_its_place() {
    let arm = Arm::new().await;
    let body = json!({
        "location": "westus", "sku": {"name": "Standard_B1s", "capacity": 1},
        "properties": {"virtualMachineProfile": {"extensionpProfile": {"extensions": []}}},
    });
    let slip = arm.put(&scale_set("ss"), body).await.refuses(400, "BadRequest");
    let text = "Could not find member 'extensionpProfile' on object of type 'VirtualMachineScaleSetVMProfile'. Path \
                'properties.virtualMachineProfile.extensionpProfile'.";
    assert_eq!(slip.message(), text);
    arm.put(&scale_set("ss"), json!({"location": "westus"})).await.refuses(400, "InvalidParameter");
    let mode = model("Sometimes", 1, json!([]));
    arm.put(&scale_set("ss"), mode).await.refuses(400, "InvalidParameter");
}
