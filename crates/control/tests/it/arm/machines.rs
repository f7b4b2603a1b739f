//! Virtual machines: what is shown of them, and what a request leaves as it is.

use super::deployments::{strict, template};
use super::*;

const VM_VERSION: &str = "?api-version=2026-04-01";

#[tokio::test]
async fn a_machine_is_shown_as_clients_read_it() {
    let arm = Arm::new().await;
    let path = format!("{}{VM_VERSION}", vm("vm9"));
    let body = json!({
        "location": "West US", "identity": {"type": "SystemAssigned"},
        "properties": {"hardwareProfile": {"vmSize": "Standard_B1s"}},
    });
    let made = arm.put(&path, body.clone()).await.is(201).json();
    let (vm_id, principal) = (&made["properties"]["vmId"], &made["identity"]["principalId"]);
    assert!(Uuid::parse_str(vm_id.as_str().unwrap()).is_ok() && Uuid::parse_str(principal.as_str().unwrap()).is_ok());
    let expected = json!({
        "id": vm("vm9"), "name": "vm9", "type": "Microsoft.Compute/virtualMachines", "location": "westus",
        "identity": {"type": "SystemAssigned", "principalId": principal, "tenantId": TENANT},
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_B1s"},
            "storageProfile": {"osDisk": os_disk("vm9", vm_id), "dataDisks": []},
            "provisioningState": "Succeeded", "vmId": vm_id, "timeCreated": TIME,
        },
    });
    let without = |mut shown: Value| {
        let shown = shown.as_object_mut().unwrap();
        shown.remove("etag");
        shown.remove("resources");
        Value::Object(shown.clone())
    };
    assert_eq!(without(made.clone()), expected);
    assert_eq!(without(arm.put(&path, body).await.is(200).json()), expected);
    assert_eq!(
        without(arm.get(&path.to_ascii_uppercase().replace("API-VERSION", "api-version")).await.json()),
        expected
    );
    arm.head(&path).await.is(204);
    arm.head(&vm("other")).await.is(404);
    let gone = arm.get(&vm("other")).await.refuses(404, "ResourceNotFound");
    assert!(gone.message().contains("'Microsoft.Compute/virtualMachines/other' under resource group 'rg1'"));
}

#[tokio::test]
async fn what_runs_on_it_is_whole_in_get_and_an_id_in_lists() {
    let arm = Arm::new().await;
    let path = arm.vm("vm1").await;
    let child = format!("{path}/extensions/{WINDOWS}");
    arm.put(&child, json!({"location": "westus", "properties": extension(WINDOWS)})).await.is(201);
    arm.settle(&Guest::SOUND).await;
    let shown = arm.get(&format!("{path}?$expand=instanceView")).await.is(200).json();
    assert_eq!(shown["resources"][0]["properties"]["settings"], json!({"port": 50342}));
    assert_eq!(shown["resources"][0], arm.get(&child).await.json());
    let view = &shown["properties"]["instanceView"];
    assert_eq!(view["extensions"][0]["type"], format!("Microsoft.ManagedIdentity.{WINDOWS}"));
    assert_eq!(view["extensions"][0]["statuses"][0]["code"], "ProvisioningState/succeeded");
    assert_eq!(view["vmAgent"]["statuses"][0]["displayStatus"], "Ready");
    let codes: Vec<_> = view["statuses"].as_array().unwrap().iter().map(|status| status["code"].clone()).collect();
    assert_eq!(codes, ["ProvisioningState/succeeded", "PowerState/running"]);
    assert_eq!(view["statuses"][1]["displayStatus"], "VM running");
    assert_eq!(arm.get(&format!("{path}/instanceView")).await.is(200).json(), *view);
    assert_eq!(arm.get(&path).await.json()["properties"]["instanceView"], Value::Null);

    for list in [G, SUB] {
        let list = arm.get(&format!("{list}/providers/Microsoft.Compute/virtualMachines")).await.is(200).json();
        let found = list["value"].as_array().unwrap().iter().find(|found| found["name"] == "vm1").unwrap();
        assert_eq!(found["resources"], json!([{"id": child}]), "az fails on more");
        assert_eq!(found["properties"]["instanceView"], Value::Null);
    }
}

#[tokio::test]
async fn a_put_without_identity_keeps_identity_and_extensions() {
    let arm = Arm::new().await;
    let id = arm.identities("id", 1).await.remove(0);
    let path = arm.vm("vm1").await;
    let both = json!({"type": "SystemAssigned,UserAssigned", "userAssignedIdentities": {id: {}}});
    arm.patch(&path, json!({"identity": both, "tags": {"x": "y"}})).await.is(200);
    let child = format!("{path}/extensions/{LINUX}");
    arm.put(&child, json!({"location": "westus", "properties": extension(LINUX)})).await.is(201);
    arm.settle(&Guest::SOUND).await;
    let before = arm.get(&path).await.json();
    let body = json!({
        "location": "westus", "tags": {"a": "b"}, "properties": {"hardwareProfile": {"vmSize": "Standard_B1s"}},
    });
    let after = arm.put(&format!("{path}{VM_VERSION}"), body).await.is(200).json();
    assert_eq!((&after["identity"], &after["resources"]), (&before["identity"], &before["resources"]));
    assert_eq!((&after["tags"], &after["properties"]["vmId"]), (&json!({"a": "b"}), &before["properties"]["vmId"]));
}

#[tokio::test]
async fn a_patch_changes_what_it_names() {
    let arm = Arm::new().await;
    let path = arm.vm("vm1").await;
    let patch = json!({"properties": {"osProfile": {"computerName": "c"}}, "tags": {"a": "b"}});
    arm.patch(&path, patch).await.is(200);
    let patch = json!({"properties": {"hardwareProfile": {"vmSize": "Standard_B2s"}}});
    let shown = arm.patch(&path, patch).await.is(200).json();
    assert_eq!(shown["properties"]["hardwareProfile"]["vmSize"], "Standard_B2s");
    assert_eq!(
        (&shown["properties"]["osProfile"], &shown["tags"]),
        (&json!({"computerName": "c"}), &json!({"a": "b"}))
    );
    let shown = arm.patch(&path, json!({"properties": {"osProfile": null}})).await.is(200).json();
    assert_eq!(shown["properties"]["osProfile"], Value::Null);
    arm.patch(&vm("nope"), json!({})).await.refuses(404, "ResourceNotFound");
}

#[tokio::test]
async fn bodies_are_checked() {
    let arm = Arm::new().await;
    let size = json!({"location": "westus", "properties": {"hardwareProfile": {"vmSize": 1}}});
    arm.put(&vm("vm1"), size).await.refuses(400, "InvalidParameter");
    let slip = json!({"location": "westus", "properties": {"hardwareprofiles": {}}});
    let slip = arm.put(&vm("vm1"), slip).await.refuses(400, "BadRequest");
    let text = "Could not find member 'hardwareprofiles' on object of type 'VirtualMachineProperties'. Path \
                'properties.hardwareprofiles'.";
    assert_eq!(slip.message(), text);
    arm.put(&vm("vm1"), json!({"location": "westus", "properties": []})).await.refuses(400, "InvalidParameter");
    arm.put(&vm("-"), json!({"location": "westus"})).await.refuses(400, "InvalidResourceName");
    arm.put(&vm("vm1"), json!({"properties": {}})).await.refuses(400, "LocationRequired");
}

#[tokio::test]
async fn is_deleted_with_what_is_on_it() {
    let arm = Arm::new().await;
    let path = arm.vm("vm1").await;
    let child = format!("{path}/extensions/{LINUX}");
    let begun = arm.put(&child, json!({"location": "westus", "properties": extension(LINUX)})).await.is(201);
    arm.patch(&path, json!({"identity": {"type": "SystemAssigned"}})).await.is(200);
    let principal = arm.get(&path).await.json()["identity"]["principalId"].clone();
    let deleted = arm.delete(&path).await.is(202);
    assert_eq!(arm.poll(&deleted).await.json()["status"], "Succeeded");
    arm.get(&local(&deleted, "location")).await.is(200);
    arm.get(&path).await.refuses(404, "ResourceNotFound");
    arm.delete(&path).await.is(204);
    // Whoever waited for the extension is told.
    let poll = arm.poll(&begun).await.json();
    assert_eq!((&poll["status"], &poll["error"]["code"]), (&json!("Failed"), &json!("OperationPreempted")));
    arm.vm("vm1").await;
    let again = arm.patch(&path, json!({"identity": {"type": "SystemAssigned"}})).await.is(200).json();
    assert_ne!(again["identity"]["principalId"], principal, "its principal is gone for good");
}

/// The disk of a machine whose owner says nothing of it.
fn os_disk(machine: &str, vm_id: &Value) -> Value {
    let name = format!("{machine}_OsDisk_1_{}", vm_id.as_str().unwrap().replace('-', ""));
    json!({
        "osType": "Linux", "name": name, "createOption": "FromImage", "caching": "ReadWrite", "deleteOption": "Detach",
        "managedDisk": {"storageAccountType": "Standard_LRS"},
    })
}

/// A machine that is made from an image and says nothing of its disk.
fn from_image(publisher: &str) -> Value {
    let image = json!({"publisher": publisher, "offer": "o", "sku": "s", "version": "latest"});
    json!({"location": "westus", "properties": {"storageProfile": {"imageReference": image}}})
}

#[tokio::test]
async fn an_image_comes_with_a_disk() {
    let arm = Arm::new().await;
    arm.put(&vm("vm1"), from_image("Canonical")).await.is(201);
    let shown = arm.get(&vm("vm1")).await.is(200).json();
    let disk = os_disk("vm1", &shown["properties"]["vmId"]);
    let storage = json!({
        "imageReference":
            {"publisher": "Canonical", "offer": "o", "sku": "s", "version": "latest", "exactVersion": "1.0.0"},
        "osDisk": disk,
        "dataDisks": [],
    });
    assert_eq!(shown["properties"]["storageProfile"], storage);
    // The machine is told the same.
    let told = arm.metadata(&vm("vm1")).await.instance.compute.storage_profile;
    let (name, version) = (told.os_disk.name, told.image_reference.exact_version);
    assert_eq!((json!(name), version.as_str()), (disk["name"].clone(), "1.0.0"));
    // The same again is the same.
    let body = strict(&template(json!([{
        "type": "Microsoft.Compute/virtualMachines", "apiVersion": "2024-07-01", "name": "vm1", "location": "westus",
        "properties": {"hardwareProfile": {"vmSize": "Standard_DS1_v2"},
                       "storageProfile": {"imageReference": from_image("Canonical")["properties"]["storageProfile"]["imageReference"]}},
    }])));
    let changes = arm.post(&format!("{}/whatIf", deployment("d")), body).await.is(200).json();
    assert_eq!(changes["properties"]["changes"][0]["changeType"], "NoChange", "{changes}");
    arm.put(&vm("vm1"), from_image("Canonical")).await.is(200);
    arm.patch(&vm("vm1"), json!({"tags": {"a": "b"}})).await.is(200);
    assert_eq!(arm.get(&vm("vm1")).await.json()["properties"]["storageProfile"], storage);
}

#[tokio::test]
async fn what_is_said_of_a_disk_stays() {
    let arm = Arm::new().await;
    let mut wanted = from_image("MicrosoftWindowsServer");
    wanted["properties"]["storageProfile"]["osDisk"] = json!({
        "name": "mine", "caching": "None", "diffDiskSettings": {"option": "Local"},
        "managedDisk": {"storageAccountType": "Premium_LRS"},
    });
    arm.put(&vm("vm1"), wanted).await.is(201);
    let disk = json!({
        "name": "mine", "caching": "None", "diffDiskSettings": {"option": "Local"},
        "managedDisk": {"storageAccountType": "Premium_LRS"},
        "osType": "Windows", "createOption": "FromImage", "deleteOption": "Delete",
    });
    let shown = async || arm.get(&vm("vm1")).await.json()["properties"]["storageProfile"]["osDisk"].clone();
    assert_eq!(shown().await, disk);
    // Whoever doesn't say it again doesn't take it back.
    arm.put(&vm("vm1"), from_image("MicrosoftWindowsServer")).await.is(200);
    assert_eq!(shown().await, disk);
    let mut bigger = from_image("MicrosoftWindowsServer");
    bigger["properties"]["storageProfile"]["OSDisk"] = json!({"DiskSizeGB": 64, "managedDisk": {}});
    arm.put(&vm("vm1"), bigger).await.is(200);
    let disk = json!({
        "diskSizeGB": 64, "managedDisk": {"storageAccountType": "Premium_LRS"},
        "name": "mine", "caching": "None", "diffDiskSettings": {"option": "Local"},
        "osType": "Windows", "createOption": "FromImage", "deleteOption": "Delete",
    });
    assert_eq!(shown().await, disk);
    // But a patch takes away what it says is null.
    arm.patch(&vm("vm1"), json!({"properties": {"storageProfile": {"osDisk": {"diskSizeGB": null}}}})).await.is(200);
    let mut smaller = disk;
    smaller.as_object_mut().unwrap().remove("diskSizeGB");
    assert_eq!(shown().await, smaller);
    // What is null isn't said.
    let mut linux = from_image("canonical");
    linux["properties"]["osProfile"] = json!({"windowsConfiguration": null});
    arm.put(&vm("vm3"), linux).await.is(201);
    let shown = arm.get(&vm("vm3")).await.json();
    assert_eq!(shown["properties"]["storageProfile"]["osDisk"]["osType"], "Linux");
    // What isn't as it should be is kept as it was given.
    let odd = json!({"location": "westus", "properties": {"storageProfile": {"imageReference": {}, "osDisk": "x"}}});
    arm.put(&vm("vm2"), odd).await.is(201);
    assert_eq!(arm.get(&vm("vm2")).await.json()["properties"]["storageProfile"]["osDisk"], "x");
}
