//! Resource groups.

use super::*;

#[tokio::test]
async fn are_made_seen_and_deleted_with_everything_in_them() {
    let arm = Arm::new().await;
    let path = format!("{SUB}/resourcegroups/rg2?api-version=2024-11-01");
    assert_eq!(arm.head(&path).await.is(404).body, "");
    let made = arm.put(&path, json!({"location": "West US", "tags": {"a": "b"}})).await.is(201);
    let group = json!({
        "id": format!("{SUB}/resourceGroups/rg2"), "name": "rg2", "type": "Microsoft.Resources/resourceGroups",
        "location": "westus", "tags": {"a": "b"}, "properties": {"provisioningState": "Succeeded"},
    });
    assert_eq!(made.json(), group);
    assert_eq!(arm.put(&path, json!({"location": "WESTUS", "tags": {"a": "b"}})).await.is(200).json(), group);
    assert_eq!(arm.get(&path.replace("rg2", "RG2")).await.is(200).json(), group, "the first spelling stays");
    let head = arm.head(&path).await.is(204);
    assert!(head.body.is_empty() && !head.headers.contains_key("content-type"));
    let patched = arm.patch(&path, json!({"tags": {"c": "d"}})).await.is(200);
    assert_eq!(patched.json()["tags"], json!({"c": "d"}));

    let inside = format!("{SUB}/resourceGroups/rg2/providers");
    let vm = format!("{inside}/Microsoft.Compute/virtualMachines/vm");
    let identity = format!("{inside}/Microsoft.ManagedIdentity/userAssignedIdentities/id1");
    let network = format!("{inside}/Microsoft.Network/virtualNetworks/net");
    for path in [&vm, &identity, &network] {
        arm.put(path, json!({"location": "westus"})).await.is(201);
    }
    let outside = arm.vm("outside").await;
    let assigned = json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": {identity.as_str(): {}}}});
    arm.patch(&outside, assigned).await.is(200);
    let deleted = arm.delete(&path).await.is(202);
    assert!(deleted.body.is_empty() && !deleted.headers.contains_key("azure-asyncoperation"));
    let result = local(&deleted, "location");
    assert!(result.starts_with(&format!("{SUB}/operationresults/")), "{result}");
    arm.get(&result).await.is(200);
    arm.get(&path).await.refuses(404, "ResourceGroupNotFound");
    for path in [&vm, &identity, &network] {
        let gone = arm.get(path).await.refuses(404, "ResourceGroupNotFound");
        assert_eq!(gone.message(), "Resource group 'rg2' could not be found.");
    }
    arm.delete(&path).await.refuses(404, "ResourceGroupNotFound");
    arm.put(&path, json!({"location": "eastus"})).await.is(201);
    arm.get(&vm).await.refuses(404, "ResourceNotFound");
    // What acted as an identity of the group doesn't any more.
    assert_eq!(arm.get(&outside).await.json()["identity"], Value::Null);
}

#[tokio::test]
async fn are_listed_and_filtered_by_tags() {
    let arm = Arm::new().await;
    for (name, tags) in [("a", json!({"a": "b"})), ("b", json!({"A": "c"})), ("c", json!({}))] {
        arm.put(&format!("{SUB}/resourceGroups/{name}"), json!({"location": "westus", "tags": tags})).await.is(201);
    }
    let list = format!("{SUB}/resourcegroups");
    assert_eq!(arm.get(&list).await.names(), ["a", "b", "c", "dev", "rg1"]);
    for (filter, found) in [
        ("tagname eq 'a' and tagvalue eq 'b'", vec!["a"]),
        ("tagName eq 'a'", vec!["a", "b"]),
        ("name eq 'C'", vec!["c"]),
        ("tagname eq 'none'", vec![]),
    ] {
        assert_eq!(arm.get(&format!("{list}?$filter={filter}")).await.is(200).names(), found, "{filter}");
    }
    arm.get(&format!("{list}?$filter=owner eq 'x'")).await.refuses(400, "BadRequest");
}

#[tokio::test]
async fn bodies_and_names_are_checked() {
    let arm = Arm::new().await;
    let path = |name: &str| format!("{SUB}/resourceGroups/{name}");
    arm.put(&path("x"), json!({})).await.refuses(400, "LocationRequired");
    arm.put(&path("x"), json!({"location": 1})).await.refuses(400, "InvalidParameter");
    arm.put(&path("x."), json!({"location": "westus"})).await.refuses(400, "InvalidResourceName");
    arm.put(&path(&"x".repeat(91)), json!({"location": "westus"})).await.refuses(400, "InvalidResourceName");
    arm.put(&path("rg1"), json!({"location": "eastus"})).await.refuses(409, "InvalidResourceLocation");
    arm.put(&path("x"), json!({"location": "westus", "tags": {"a": 1}})).await.refuses(400, "InvalidParameter");
    arm.patch(&path("x"), json!({})).await.refuses(404, "ResourceGroupNotFound");
}

#[tokio::test]
async fn addresses_that_clients_follow_are_ascii_whatever_the_names() {
    let arm = Arm::new().await;
    let group = format!("{SUB}/resourceGroups/%E3%82%B0%C3%A9(1)");
    let made = arm.put(&group, json!({"location": "westus"})).await.is(201);
    assert_eq!(made.json()["name"], "グé(1)");
    let body = deployments::strict(&deployments::template(json!([])));
    let path = format!("{group}/providers/Microsoft.Resources/deployments/%C3%A4");
    let begun = arm.put(&path, body).await.is(201);
    let status = local(&begun, "azure-asyncoperation");
    assert!(status.starts_with(&path), "{status}");
    arm.get(&status).await.is(200);
    for name in ["one", "two"] {
        let network = format!("{group}/providers/Microsoft.Network/virtualNetworks/{name}");
        arm.put(&network, json!({"location": "westus"})).await.is(201);
    }
    let first = arm.get(&format!("{group}/providers/Microsoft.Network/virtualNetworks?$top=1")).await.is(200);
    let next = first.json()["nextLink"].as_str().unwrap().to_owned();
    assert!(next.is_ascii(), "{next}");
    assert_eq!(arm.get(next.strip_prefix(BASE).unwrap()).await.is(200).names(), ["two"]);
}
