//! What a request makes of the identities of a machine and of a scale set: the table of the wire contract.

use super::*;

/// A machine with a system-assigned identity and `id0` and `id1`.
async fn machine(arm: &Arm) -> String {
    let path = arm.vm("vm1").await;
    let both = json!({
        "type": "SystemAssigned, UserAssigned",
        "userAssignedIdentities": {identity("id0"): {}, identity("id1"): {}},
    });
    arm.patch(&path, json!({"identity": both})).await.is(200);
    path
}

/// The type and the names of the identities in an answer.
fn found(answer: &Answer) -> (String, Vec<String>) {
    let identity = &answer.json()["identity"];
    let users = identity["userAssignedIdentities"].as_object().cloned().unwrap_or_default();
    for (id, principal) in &users {
        assert!(id.starts_with(&format!("{G}/providers/Microsoft.ManagedIdentity/")), "not canonical: {id}");
        assert!(principal["principalId"].is_string() && principal["clientId"].is_string());
    }
    let system = identity["type"].as_str().is_some_and(|text| text.contains("SystemAssigned"));
    assert_eq!((identity["principalId"].is_string(), identity["tenantId"].is_string()), (system, system));
    let names = users.keys().map(|id| id.rsplit('/').next().unwrap().to_owned()).collect();
    (identity["type"].as_str().unwrap_or("-").to_owned(), names)
}

#[tokio::test]
async fn each_row_of_the_table() {
    const BOTH: &str = "SystemAssigned, UserAssigned";
    let (id0, id2) = (identity("id0"), identity("id2"));
    let rows: [(&str, Value, &str, &[&str]); 22] = [
        ("PUT", json!({}), BOTH, &["id0", "id1"]),
        ("PUT", json!({"identity": null}), "-", &[]),
        ("PUT", json!({"identity": {"type": "SystemAssigned"}}), "SystemAssigned", &[]),
        (
            "PUT",
            json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": {&id2: {}}}}),
            "UserAssigned",
            &["id2"],
        ),
        (
            "PUT",
            json!({"identity": {"type": BOTH, "userAssignedIdentities": {&id0: {}, &id2: {}}}}),
            BOTH,
            &["id0", "id2"],
        ),
        ("PUT", json!({"identity": {"type": "None"}}), "-", &[]),
        ("PATCH", json!({}), BOTH, &["id0", "id1"]),
        (
            "PATCH",
            json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": {&id2: {}}}}),
            "UserAssigned",
            &["id0", "id1", "id2"],
        ),
        (
            "PATCH",
            json!({"identity": {"type": "SystemAssigned,UserAssigned", "userAssignedIdentities": {&id0: {}}}}),
            BOTH,
            &["id0", "id1"],
        ),
        ("PATCH", json!({"identity": {"type": BOTH, "userAssignedIdentities": {&id0: null}}}), BOTH, &["id1"]),
        (
            "PATCH",
            json!({"identity": {"type": BOTH, "userAssignedIdentities": {&id0: null, identity("id1"): null}}}),
            "SystemAssigned",
            &[],
        ),
        (
            "PATCH",
            json!({"identity": {"type": BOTH, "userAssignedIdentities": {&id0: null, &id2: {}}}}),
            BOTH,
            &["id1", "id2"],
        ),
        ("PATCH", json!({"identity": {"type": BOTH}}), BOTH, &["id0", "id1"]),
        ("PATCH", json!({"identity": {"type": BOTH, "userAssignedIdentities": null}}), BOTH, &["id0", "id1"]),
        ("PATCH", json!({"identity": {"type": BOTH, "userAssignedIdentities": {}}}), BOTH, &["id0", "id1"]),
        (
            "PATCH",
            json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": null}}),
            "UserAssigned",
            &["id0", "id1"],
        ),
        (
            "PATCH",
            json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": {}}}),
            "UserAssigned",
            &["id0", "id1"],
        ),
        ("PATCH", json!({"identity": {"type": "SystemAssigned"}}), "SystemAssigned", &[]),
        (
            "PATCH",
            json!({"identity": {"type": "SystemAssigned", "userAssignedIdentities": null}}),
            "SystemAssigned",
            &[],
        ),
        ("PATCH", json!({"identity": {"type": "None", "userAssignedIdentities": null}}), "-", &[]),
        ("PATCH", json!({"identity": {"type": "none"}}), "-", &[]),
        ("PATCH", json!({"identity": {"type": "userassigned , systemassigned"}}), BOTH, &["id0", "id1"]),
    ];
    let arm = Arm::new().await;
    arm.identities("id", 3).await;
    for (method, change, kind, names) in rows {
        let path = machine(&arm).await;
        let mut body = change.clone();
        if method == "PUT" {
            body["location"] = "westus".into();
        }
        let answer = arm.send(&arm.token, method, &path, body.to_string()).await.is(200);
        let expected = (kind.to_owned(), names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(found(&answer), expected, "{method} {change}");
        assert_eq!(found(&arm.get(&path).await), expected, "{method} {change}");
        arm.delete(&path).await.is(202);
    }
}

#[tokio::test]
async fn ids_in_any_case_are_one_identity() {
    let arm = Arm::new().await;
    arm.identities("id", 2).await;
    let path = machine(&arm).await;
    let lower = identity("id0").replace("resourceGroups", "resourcegroups").replace("/id0", "/ID0");
    let map = json!({identity("id0"): {}, lower.as_str(): {}, identity("id1").to_ascii_uppercase(): {}});
    let body = json!({"identity": {"type": "SystemAssigned,UserAssigned", "userAssignedIdentities": map}});
    let answer = arm.patch(&path, body).await.is(200);
    assert_eq!(found(&answer).1, ["id0", "id1"]);
    let body = json!({"identity": {"type": "SystemAssigned,UserAssigned", "userAssignedIdentities": {lower: null}}});
    assert_eq!(found(&arm.patch(&path, body).await.is(200)).1, ["id1"]);
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_changes_nothing() {
    let arm = Arm::new().await;
    arm.identities("id", 2).await;
    let path = machine(&arm).await;
    let before = arm.get(&path).await.json();
    let unknown = identity("nope");
    let body = json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": {&unknown: {}}}});
    let answer = arm.patch(&path, body).await.refuses(400, "FailedIdentityOperation");
    assert!(answer.message().starts_with("Failed to perform resource identity operation. Status: 'BadRequest'."));
    assert!(answer.message().contains(&unknown), "{}", answer.message());
    for identity in [
        json!("SystemAssigned"),
        json!({"type": "Some"}),
        json!({"type": "None,SystemAssigned"}),
        json!({"type": 1}),
        json!({"type": "UserAssigned", "userAssignedIdentities": 1}),
        json!({"type": "UserAssigned", "userAssignedIdentities": {identity("id0"): 1}}),
        json!({"type": "SystemAssigned", "userAssignedIdentities": {identity("id0"): {}}}),
    ] {
        arm.patch(&path, json!({"identity": identity})).await.refuses(400, "InvalidParameter");
    }
    assert_eq!(arm.get(&path).await.json(), before);
    // An id that isn't one is an unknown identity.
    let body = json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": {"x": {}}}});
    arm.patch(&path, body).await.refuses(400, "FailedIdentityOperation");
}

/// Assigns identities in as many requests as it takes; the last answer.
async fn assign(arm: &Arm, path: &str, ids: &[String]) -> Answer {
    let mut last = None;
    for ids in ids.chunks(150) {
        let map: serde_json::Map<String, Value> = ids.iter().map(|id| (id.clone(), json!({}))).collect();
        let body = json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": map}});
        last = Some(arm.patch(path, body).await);
    }
    last.expect("ids")
}

#[tokio::test]
async fn a_request_names_150_at_most_and_a_machine_has_1000() {
    let arm = Arm::new().await;
    let ids = arm.identities("many", 1_001).await;
    let path = arm.vm("vm1").await;
    let map: serde_json::Map<String, Value> = ids.iter().take(151).map(|id| (id.clone(), json!({}))).collect();
    let body = json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": map}});
    let answer = arm.patch(&path, body).await.refuses(400, "FailedIdentityOperation");
    let text = "Failed to perform resource identity operation. Status: 'BadRequest'. Response: \
                '{\"error\":{\"code\":\"BadRequest\",\"message\":\"User Assigned Identities Number '151' Assign exceed \
                limit '150' in one request.\"}}'";
    assert_eq!(answer.message(), text);
    let (most, one) = ids.split_at(1_000);
    assert_eq!(found(&assign(&arm, &path, most).await.is(200)).1.len(), 1_000);
    let answer = assign(&arm, &path, one).await.refuses(400, "FailedIdentityOperation");
    assert!(answer.message().contains("'1001'") && answer.message().contains("'1000'"), "{}", answer.message());
    // The extension serves 32: it can't come to a machine that has more.
    let child = format!("{path}/extensions/{LINUX}");
    let body = json!({"location": "westus", "properties": extension(LINUX)});
    let answer = arm.put(&child, body).await.refuses(400, "FailedIdentityOperation");
    assert!(answer.message().contains("'32'"), "{}", answer.message());
}

#[tokio::test]
async fn with_the_extension_there_are_32_whichever_comes_first() {
    let arm = Arm::new().await;
    let ids = arm.identities("many", 33).await;
    let path = arm.vm("vm1").await;
    let child = format!("{path}/extensions/{LINUX}");
    let body = json!({"location": "westus", "properties": extension(LINUX)});
    assign(&arm, &path, &ids[..32]).await.is(200);
    arm.put(&child, body.clone()).await.is(201);
    assign(&arm, &path, &ids[32..]).await.refuses(400, "FailedIdentityOperation");
    arm.settle(&Guest::SOUND).await;
    arm.delete(&child).await.is(202);
    arm.settle(&Guest::SOUND).await;
    assign(&arm, &path, &ids[32..]).await.is(200);
    arm.put(&child, body).await.refuses(400, "FailedIdentityOperation");

    let path = scale_set("ss1");
    let body = json!({"location": "westus", "sku": {"name": "Standard_B1s", "capacity": 0}});
    arm.put(&path, body).await.is(201);
    assign(&arm, &path, &ids[..32]).await.is(200);
    let child = format!("{path}/extensions/{LINUX}");
    arm.put(&child, json!({"properties": extension(LINUX)})).await.is(201);
    assign(&arm, &path, &ids[32..]).await.refuses(400, "FailedIdentityOperation");
    arm.delete(&child).await.is(202);
    assign(&arm, &path, &ids[32..]).await.is(200);
    arm.put(&child, json!({"properties": extension(LINUX)})).await.refuses(400, "FailedIdentityOperation");
}

#[tokio::test]
async fn assigning_needs_a_right_on_the_identity() {
    let arm = Arm::new().await;
    let id = arm.identities("id", 1).await.remove(0);
    let path = arm.vm("vm1").await;
    let body = json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": {id.as_str(): {}}}});
    let without = arm.client(1, &[("Virtual Machine Contributor", G)]).await;
    let answer = arm.send(&without, "PATCH", &path, body.to_string()).await;
    let answer = answer.refuses(403, "LinkedAuthorizationFailed");
    let text = format!(
        "The client '{}' with object id '{}' has permission to perform action \
         'Microsoft.Compute/virtualMachines/write' on scope '{path}'; however, it does not have permission to perform \
         action(s) 'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action' on the linked scope(s) '{id}' or \
         the linked scope(s) are invalid.",
        client_id(1),
        principal_id(1)
    );
    assert_eq!(answer.message(), text);
    let with = arm.client(2, &[("Virtual Machine Contributor", G), ("Managed Identity Operator", &id)]).await;
    assert_eq!(found(&arm.send(&with, "PATCH", &path, body.to_string()).await.is(200)).1, ["id0"]);
    // What is assigned already isn't assigned anew, and taking away needs nothing more.
    arm.send(&without, "PATCH", &path, body.to_string()).await.is(200);
    let gone = json!({"identity": {"type": "None"}});
    arm.send(&without, "PATCH", &path, gone.to_string()).await.is(200);
}

#[tokio::test]
async fn a_scale_set_follows_the_same_table() {
    let arm = Arm::new().await;
    arm.identities("id", 2).await;
    let path = scale_set("vmss1");
    let (id0, id1) = (identity("id0"), identity("id1"));
    let both = json!({"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {&id0: {}, &id1: {}}});
    let sku = json!({"name": "Standard_B1s", "tier": "Standard", "capacity": 1});
    let answer = arm.put(&path, json!({"location": "westus", "identity": both, "sku": sku})).await.is(201);
    assert_eq!(found(&answer), ("SystemAssigned, UserAssigned".to_owned(), vec!["id0".to_owned(), "id1".to_owned()]));
    // What `az vmss identity remove` sends, one after the other.
    for (identity, kind, names) in [
        (
            json!({"userAssignedIdentities": {&id0: null}, "type": "SystemAssigned,UserAssigned"}),
            "SystemAssigned, UserAssigned",
            1,
        ),
        (json!({"userAssignedIdentities": {}, "type": "UserAssigned"}), "UserAssigned", 1),
        (json!({"type": "SystemAssigned"}), "SystemAssigned", 0),
        (json!({"userAssignedIdentities": null, "type": "None"}), "-", 0),
    ] {
        let answer = arm.patch(&path, json!({"identity": identity})).await.is(200);
        assert_eq!((found(&answer).0.as_str(), found(&answer).1.len()), (kind, names), "{identity}");
    }
}
