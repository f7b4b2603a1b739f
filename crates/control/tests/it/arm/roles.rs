//! Role assignments and definitions.

use super::*;

const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

fn assignment(scope: &str, number: u128) -> String {
    format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{}", Uuid::from_u128(number))
}

fn body(role: &str, principal: &str) -> Value {
    let role = format!("{SUB}/providers/Microsoft.Authorization/roleDefinitions/{role}");
    json!({"properties": {"roleDefinitionId": role, "principalId": principal, "principalType": "ServicePrincipal"}})
}

#[tokio::test]
async fn definitions_by_name_and_id() {
    let arm = Arm::new().await;
    let list = format!("{G}/providers/Microsoft.Authorization/roleDefinitions");
    let named =
        arm.get(&format!("{list}?$filter=roleName eq 'Reader'&api-version=2022-05-01-preview")).await.is(200).json();
    let id = format!("{SUB}/providers/Microsoft.Authorization/roleDefinitions/{READER}");
    let found = &named["value"][0];
    assert_eq!((&found["id"], &found["name"]), (&json!(id), &json!(READER)));
    assert_eq!(found["properties"]["permissions"][0]["actions"], json!(["*/read"]));
    assert_eq!(
        (&found["properties"]["type"], &found["properties"]["assignableScopes"]),
        (&json!("BuiltInRole"), &json!(["/"]))
    );
    assert_eq!(
        arm.get(&list).await.is(200).json()["value"].as_array().unwrap().len(),
        domain::role_definition::BUILT_IN.len()
    );
    assert_eq!(arm.get(&format!("{list}?$filter=roleName eq 'Nobody'")).await.is(200).json()["value"], json!([]));
    assert_eq!(arm.get(&id).await.is(200).json()["properties"]["roleName"], "Reader");
    arm.get(&id.replace("acdd", "0000")).await.refuses(400, "RoleDefinitionDoesNotExist");
    arm.put(&id, json!({})).await.refuses(405, "MethodNotAllowed");
}

#[tokio::test]
async fn an_assignment_grants_at_once_and_until_it_goes() {
    let arm = Arm::new().await;
    let token = arm.client(1, &[]).await;
    arm.send(&token, "GET", G, "").await.refuses(403, "AuthorizationFailed");
    let path = assignment(G, 1);
    let made = arm.put(&format!("{path}?api-version=2022-04-01"), body(READER, &principal_id(1))).await.is(201).json();
    assert_eq!((&made["id"], &made["type"]), (&json!(path), &json!("Microsoft.Authorization/roleAssignments")));
    let properties = &made["properties"];
    assert_eq!((&properties["principalId"], &properties["scope"]), (&json!(principal_id(1)), &json!(G)));
    assert!(properties["roleDefinitionId"].as_str().unwrap().ends_with(READER));
    let giver = "40000000-0000-4000-8000-0000000000c1";
    let at = |by: Value| json!({"createdOn": TIME, "updatedOn": TIME, "createdBy": by, "updatedBy": giver});
    let history = |found: &Value| {
        let members = ["createdOn", "updatedOn", "createdBy", "updatedBy"];
        members.iter().map(|name| ((*name).to_owned(), found["properties"][name].clone())).collect::<Value>()
    };
    assert_eq!(history(&made), at(Value::Null), "as it answers whoever gives it");
    arm.world.clock.advance(Duration::from_secs(60));
    let made = arm.get(&path).await.is(200).json();
    assert_eq!(history(&made), at(giver.into()));
    arm.send(&token, "GET", G, "").await.is(200);
    arm.send(&token, "PUT", G, "{}").await.refuses(403, "AuthorizationFailed");
    assert_eq!(arm.put(&path, body(READER, &principal_id(1))).await.is(200).json(), made);
    assert_eq!(arm.get(&path).await.is(200).json(), made);
    arm.put(&assignment(G, 2), body(READER, &principal_id(1))).await.refuses(409, "RoleAssignmentExists");
    let owner = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
    arm.put(&path, body(owner, &principal_id(1))).await.refuses(409, "Conflict");
    let deleted = arm.delete(&path).await.is(200);
    assert_eq!(deleted.json(), made);
    arm.delete(&path).await.is(204);
    let gone = arm.get(&path).await.refuses(404, "RoleAssignmentNotFound");
    assert_eq!(gone.message(), format!("The role assignment '{}' is not found.", Uuid::from_u128(1)));
    arm.send(&token, "GET", G, "").await.refuses(403, "AuthorizationFailed");
}

#[tokio::test]
async fn lists_show_what_is_above_and_below() {
    let arm = Arm::new().await;
    arm.client(1, &[]).await;
    let machine = arm.vm("vm1").await;
    for (number, scope) in [(1, SUB), (2, G), (3, machine.as_str())] {
        arm.put(&assignment(scope, number), body(READER, &principal_id(1))).await.is(201);
    }
    let ours = async |path: String| {
        let list = arm.get(&path).await.is(200).json();
        let mut scopes: Vec<_> = list["value"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|found| found["properties"]["principalId"] == principal_id(1))
            .map(|found| found["properties"]["scope"].as_str().unwrap().to_owned())
            .collect();
        scopes.sort_unstable();
        scopes
    };
    let list = |scope: &str, query: &str| format!("{scope}/providers/Microsoft.Authorization/roleAssignments{query}");
    assert_eq!(ours(list(G, "")).await, [SUB, G, &machine]);
    assert_eq!(ours(list(G, "?$filter=atScope()")).await, [SUB, G]);
    assert_eq!(ours(list(SUB, "")).await, [SUB, G, &machine]);
    assert_eq!(ours(list(&machine, "?$filter=atScope()")).await, [SUB, G, &machine]);
    let filter = format!("?$filter=principalId eq '{}'", principal_id(1));
    assert_eq!(ours(list(SUB, &filter)).await.len(), 3);
    // With a machine or a group go the roles on it.
    arm.delete(&machine).await.is(202);
    arm.delete(G).await.is(202);
    assert_eq!(ours(list(SUB, "")).await, [SUB]);
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    let arm = Arm::new().await;
    arm.client(1, &[]).await;
    let guid = G.to_owned() + "/providers/Microsoft.Authorization/roleAssignments/x";
    arm.put(&guid, body(READER, &principal_id(1))).await.refuses(400, "InvalidResourceName");
    let path = assignment(G, 1);
    arm.put(&path, body(READER, &principal_id(200))).await.refuses(400, "PrincipalNotFound");
    arm.put(&path, body(READER, "x")).await.refuses(400, "PrincipalNotFound");
    arm.put(&path, body("00000000-0000-4000-8000-000000000009", &principal_id(1)))
        .await
        .refuses(400, "RoleDefinitionDoesNotExist");
    arm.put(&path, json!({})).await.refuses(400, "InvalidParameter");
    arm.put(&assignment(&G.replace("rg1", "nope"), 1), body(READER, &principal_id(1)))
        .await
        .refuses(404, "ResourceGroupNotFound");
    arm.patch(&path, json!({"properties": {}})).await.refuses(405, "MethodNotAllowed");
}

#[tokio::test]
async fn a_role_on_one_child_doesn_t_show_the_others() {
    let arm = Arm::new().await;
    let machine = arm.vm("vm1").await;
    arm.patch(&machine, json!({"identity": {"type": "SystemAssigned"}})).await.is(200);
    let child = format!("{machine}/extensions/{LINUX}");
    arm.put(&child, json!({"location": "westus", "properties": extension(LINUX)})).await.is(201);
    let reader = arm.client(1, &[("Reader", &format!("{machine}/extensions/another"))]).await;
    arm.send(&reader, "GET", &format!("{machine}/extensions"), "").await.refuses(403, "AuthorizationFailed");
    let reader = arm.client(2, &[("Reader", &machine)]).await;
    assert_eq!(arm.send(&reader, "GET", &format!("{machine}/extensions"), "").await.is(200).names(), [LINUX]);
}
