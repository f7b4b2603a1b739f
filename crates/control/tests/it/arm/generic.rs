//! Resources of types without a behaviour.

use super::*;

fn network(rest: &str) -> String {
    format!("{G}/providers/Microsoft.Network/{rest}")
}

#[tokio::test]
async fn are_kept_as_they_were_given() {
    let arm = Arm::new().await;
    let path = network("networkInterfaces/nic1");
    let body = json!({
        "location": "West US", "tags": {"a": "b"}, "kind": "x", "zones": ["1"], "sku": {"name": "s"},
        "identity": {"type": "SystemAssigned"}, "properties": {"ipConfigurations": [], "deep": {"a": [1, 2.5, null]}},
    });
    let made = arm.put(&format!("{path}?api-version=2022-01-01"), body.clone()).await.is(201).json();
    let mut expected = body;
    expected["id"] = path.clone().into();
    expected["name"] = "nic1".into();
    expected["type"] = "Microsoft.Network/networkInterfaces".into();
    expected["location"] = "westus".into();
    expected["properties"]["provisioningState"] = "Succeeded".into();
    assert_eq!(made, expected);
    assert_eq!(arm.get(&path).await.is(200).json(), expected);
    arm.head(&path).await.is(204);
    let patched = arm.patch(&path, json!({"tags": {}, "properties": {"deep": null, "x": 1}})).await.is(200).json();
    assert_eq!(patched["properties"], json!({"ipConfigurations": [], "x": 1, "provisioningState": "Succeeded"}));
    arm.delete(&path).await.is(200);
    arm.delete(&path).await.is(204);
    arm.get(&path).await.refuses(404, "ResourceNotFound");
}

#[tokio::test]
async fn a_patch_changes_their_identity() {
    let arm = Arm::new().await;
    let path = network("networkInterfaces/nic1");
    let identity = json!({"type": "UserAssigned", "userAssignedIdentities": {"/a": {}, "/b": {}}});
    arm.put(&path, json!({"location": "westus", "identity": identity, "properties": {"x": 1}})).await.is(201);
    let change = json!({"Identity": {"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {"/a": null}}});
    let patched = arm.patch(&path, change).await.is(200).json();
    let expected = json!({"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {"/b": {}}});
    assert_eq!((&patched["identity"], &patched["properties"]["x"]), (&expected, &json!(1)));
    assert_eq!(arm.patch(&path, json!({"tags": {}})).await.is(200).json()["identity"], expected);
    assert_eq!(arm.patch(&path, json!({"identity": null})).await.is(200).json().get("identity"), None);
}

#[tokio::test]
async fn at_any_depth_and_in_any_case() {
    let arm = Arm::new().await;
    let body = json!({"properties": {}});
    let orphan = arm.put(&network("virtualNetworks/net/subnets/s"), body.clone()).await;
    let orphan = orphan.refuses(404, "ParentResourceNotFound");
    let text = format!(
        "Failed to perform 'write' on resource(s) of type 'Microsoft.Network/virtualNetworks/subnets', because the \
         parent resource '{}' could not be found.",
        network("virtualNetworks/net")
    );
    assert_eq!(orphan.message(), text);
    let mut path = "a/x".to_owned();
    for depth in 0..5 {
        arm.put(&network(&path), body.clone()).await.is(201);
        path.push_str(&format!("/b{depth}/y"));
    }
    let last = network("a/x/b0/y/b1/y/b2/y/b3/y");
    let shown = arm.get(&last.to_ascii_uppercase()).await.is(200).json();
    assert_eq!((&shown["id"], &shown["type"]), (&json!(last), &json!("Microsoft.Network/a/b0/b1/b2/b3")));
    assert_eq!(arm.get(&network("a/x/b0")).await.is(200).names(), ["y"]);
    arm.delete(&network("A/X")).await.is(200);
    arm.get(&last).await.refuses(404, "ResourceNotFound");
}

#[tokio::test]
async fn untidy_paths_are_the_same_resource() {
    let arm = Arm::new().await;
    let untidy = format!("{G}/providers/Microsoft.Compute//virtualMachines/vm2");
    let body = json!({"location": "westus", "properties": {"hardwareProfile": {"vmSize": "Standard_B1s"}}});
    arm.put(&untidy, body.clone()).await.is(201);
    for same in [
        vm("vm2"),
        vm("VM2"),
        format!("{}/", vm("vm2")),
        vm("vm2").to_ascii_lowercase(),
        vm("vm2").replace("resourceGroups", "resourcegroups").replace("providers/", "PROVIDERS///"),
        vm("vm%32"),
    ] {
        assert_eq!(arm.get(&same).await.is(200).json()["id"], vm("vm2"), "{same}");
        arm.put(&same, body.clone()).await.is(200);
    }
}
