//! User-assigned identities and their federated credentials.

use super::*;

#[tokio::test]
async fn are_made_changed_and_deleted() {
    let arm = Arm::new().await;
    let path = format!("{}?api-version=2025-05-31-preview", identity("id1"));
    let made = arm.put(&path, json!({"location": "westus", "tags": {"a": "b"}})).await.is(201).json();
    let (principal, client) = (&made["properties"]["principalId"], &made["properties"]["clientId"]);
    assert!(principal != client && Uuid::parse_str(principal.as_str().unwrap()).is_ok());
    assert_eq!(
        made,
        json!({
            "id": identity("id1"), "name": "id1", "type": "Microsoft.ManagedIdentity/userAssignedIdentities",
            "location": "westus", "tags": {"a": "b"},
            "properties": {
                "tenantId": TENANT, "principalId": principal, "clientId": client, "isolationScope": "None",
            },
        })
    );
    assert_eq!(arm.put(&path, json!({"location": "westus", "tags": {"a": "b"}})).await.is(200).json(), made);
    assert_eq!(arm.get(&path.replace("/id1", "/ID1")).await.is(200).json(), made);
    arm.head(&path).await.is(204);
    assert_eq!(arm.patch(&path, json!({"tags": {}})).await.is(200).json()["tags"], json!({}));
    for list in [G.to_owned(), SUB.to_owned()] {
        let list = format!("{list}/providers/Microsoft.ManagedIdentity/userAssignedIdentities");
        assert!(arm.get(&list).await.is(200).names().contains(&"id1".to_owned()));
    }
    arm.delete(&path).await.is(200);
    arm.delete(&path).await.is(204);
    arm.head(&path).await.is(404);
    let gone = arm.get(&path).await.refuses(404, "ResourceNotFound");
    let text = "The Resource 'Microsoft.ManagedIdentity/userAssignedIdentities/id1' under resource group 'rg1' was \
                not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix";
    assert_eq!(gone.message(), text);
    // A new one of the same name is somebody else.
    let again = arm.put(&path, json!({"location": "westus"})).await.is(201).json();
    assert!(again["properties"]["principalId"] != *principal && again["properties"]["clientId"] != *client);
}

#[tokio::test]
async fn names_groups_and_places_are_checked() {
    let arm = Arm::new().await;
    let body = json!({"location": "westus"});
    for good in ["u0", "x"] {
        arm.put(&identity(good), body.clone()).await.is(201);
    }
    for bad in ["a b", "_abc", "a.b", &"x".repeat(129)] {
        arm.put(&identity(bad), body.clone()).await.refuses(400, "InvalidResourceName");
    }
    arm.put(&identity("id1"), json!({})).await.refuses(400, "LocationRequired");
    arm.put(&identity("id1"), body.clone()).await.is(201);
    arm.put(&identity("id1"), json!({"location": "eastus"})).await.refuses(409, "InvalidResourceLocation");
    let nowhere = identity("id1").replace("rg1", "nope");
    arm.put(&nowhere, body).await.refuses(404, "ResourceGroupNotFound");
    arm.get(&nowhere).await.refuses(404, "ResourceGroupNotFound");
    arm.delete(&nowhere).await.refuses(404, "ResourceGroupNotFound");
}

#[tokio::test]
async fn tell_what_acts_as_them() {
    let arm = Arm::new().await;
    let id = arm.identities("id", 1).await.remove(0);
    let list = format!("{id}/listAssociatedResources?api-version=2022-01-31-preview");
    assert_eq!(arm.post(&list, Value::Null).await.is(200).json(), json!({"totalCount": 0, "value": []}));
    let path = arm.vm("vm1").await;
    let assigned = json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": {id.as_str(): {}}}});
    arm.patch(&path, assigned).await.is(200);
    let found = arm.post(&list, Value::Null).await.is(200).json();
    assert_eq!(
        found["value"],
        json!([{
            "id": path, "name": "vm1", "type": "Microsoft.Compute/virtualMachines", "resourceGroup": "rg1",
            "subscriptionId": "20000000-0000-4000-8000-000000000001", "subscriptionDisplayName": "dev",
        }])
    );
}

fn credential(name: &str) -> String {
    format!("{}/federatedIdentityCredentials/{name}?api-version=2025-01-31-preview", identity("id0"))
}

fn trust(subject: &str) -> Value {
    json!({"properties": {
        "audiences": ["api://AzureADTokenExchange"], "issuer": "https://issuer.example", "subject": subject,
    }})
}

#[tokio::test]
async fn have_federated_credentials() {
    let arm = Arm::new().await;
    arm.put(&credential("fic1"), trust("system:sa:a")).await.refuses(404, "ParentResourceNotFound");
    arm.identities("id", 1).await;
    let made = arm.put(&credential("fic1"), trust("system:sa:a")).await.is(201).json();
    assert_eq!(
        made,
        json!({
            "id": format!("{}/federatedIdentityCredentials/fic1", identity("id0")), "name": "fic1",
            "type": "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
            "properties": trust("system:sa:a")["properties"],
        })
    );
    let changed = arm.put(&credential("FIC1"), trust("system:sa:b")).await.is(200).json();
    assert_eq!(changed["properties"]["subject"], "system:sa:b");
    let list = format!("{}/federatedIdentityCredentials", identity("id0"));
    assert_eq!(arm.get(&list).await.is(200).json()["value"].as_array().unwrap().len(), 1);
    assert_eq!(arm.get(&credential("fic1")).await.is(200).json()["properties"]["subject"], "system:sa:b");
    arm.delete(&credential("fic1")).await.is(200);
    arm.delete(&credential("fic1")).await.is(204);
    arm.get(&credential("fic1")).await.refuses(404, "ResourceNotFound");
}

#[tokio::test]
async fn federated_credentials_are_bounded_and_unique() {
    let arm = Arm::new().await;
    arm.identities("id", 1).await;
    arm.put(&credential("f"), trust("f")).await.is(201);
    arm.delete(&credential("f")).await.is(200);
    for bad in ["-abc", "a.b.c", &"x".repeat(121)] {
        arm.put(&credential(bad), trust("a")).await.refuses(400, "InvalidResourceName");
    }
    let without = |name: &str, value: Value| {
        let mut body = trust("a");
        body["properties"][name] = value;
        body
    };
    for bad in [
        without("audiences", json!(["a", "b"])),
        without("audiences", json!([])),
        without("audiences", json!("a")),
        without("issuer", json!("")),
        without("subject", Value::Null),
        without("subject", json!("x".repeat(601))),
        json!({}),
    ] {
        arm.put(&credential("fic"), bad).await.refuses(400, "InvalidParameter");
    }
    for number in 0..20 {
        arm.put(&credential(&format!("fic{number}")), trust(&format!("s{number}"))).await.is(201);
    }
    let many = arm.put(&credential("fic20"), trust("s20")).await.refuses(400, "BadRequest");
    assert!(many.message().contains("20"), "{}", many.body);
    arm.put(&credential("fic0"), trust("other")).await.is(200);
    arm.put(&credential("fic0"), trust("s1")).await.refuses(409, "Conflict");
}
