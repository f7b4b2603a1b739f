//! Tenants know nothing of each other, and a template reads and writes no more than whoever deploys it may.

use super::deployments::{strict, template};
use super::*;

const OTHER_TENANT: &str = "10000000-0000-4000-8000-000000000002";
const OTHER_GROUP: &str = "/subscriptions/20000000-0000-4000-8000-000000000002/resourceGroups/theirs";

/// Beside ours, a tenant with a subscription, a group, and a client that owns all of it; its token.
async fn neighbours(arm: &Arm) -> String {
    let tenant = OTHER_TENANT.parse().unwrap();
    let subscription = "20000000-0000-4000-8000-000000000002".parse().unwrap();
    let mut client = seed(&arm.world.own, &arm.world.external).applications.remove(0);
    client.application.tenant = tenant;
    client.application.client_id = client_id(99).parse().unwrap();
    client.application.principal_id = principal_id(99).parse().unwrap();
    client.application.name = "theirs".to_owned();
    client.application.federated = Vec::new();
    client.certificates = Vec::new();
    let world = Seed {
        tenants: vec![Tenant { id: tenant, name: "other".to_owned(), created_at: None }],
        subscriptions: vec![Subscription { id: subscription, name: "other".to_owned(), tenant }],
        applications: vec![client],
        ..Seed::default()
    };
    apply(&arm.world.store, world, &arm.world.kek).await.expect("the neighbours");
    let scope = format!("{BASE}/.default").replace(':', "%3A").replace('/', "%2F");
    let (client, secret) = (client_id(99), SECRET.replace(' ', "+"));
    let form = format!("client_id={client}&scope={scope}&grant_type=client_credentials&client_secret={secret}");
    let answer = arm.world.post(&format!("/{OTHER_TENANT}/oauth2/v2.0/token"), &form).await;
    let token = answer.json()["access_token"].as_str().expect("a token").to_owned();
    arm.send(&token, "PUT", OTHER_GROUP, json!({"location": "westus"}).to_string()).await.is(201);
    token
}

#[tokio::test]
async fn a_subscription_of_another_tenant_is_out_of_reach() {
    let arm = Arm::new().await;
    let theirs = neighbours(&arm).await;
    assert_eq!(arm.get("/subscriptions").await.is(200).json()["count"]["value"], 1);
    for method in ["GET", "PUT", "DELETE"] {
        let answer = arm.send(&arm.token, method, OTHER_GROUP, "{}").await;
        let answer = answer.refuses(401, "InvalidAuthenticationTokenTenant");
        assert!(answer.header("www-authenticate").is_some());
    }
    arm.send(&theirs, "GET", G, "").await.refuses(401, "InvalidAuthenticationTokenTenant");
    // No identity of theirs comes to a machine of ours.
    let id = format!("{OTHER_GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/their-id");
    arm.send(&theirs, "PUT", &id, json!({"location": "westus"}).to_string()).await.is(201);
    let path = arm.vm("vm1").await;
    let body = json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": {id: {}}}});
    arm.patch(&path, body).await.refuses(400, "FailedIdentityOperation");
}

#[tokio::test]
async fn a_machine_is_told_nothing_of_what_another_tenant_has() {
    let arm = Arm::new().await;
    let theirs = neighbours(&arm).await;
    let addressed = |address: &str| {
        let properties = json!({"ipConfigurations": [{"properties": {"privateIPAddress": address}}]});
        json!({"location": "westus", "properties": properties}).to_string()
    };
    let there = |group: &str| format!("{group}/providers/Microsoft.Network/networkInterfaces/nic");
    arm.send(&arm.token, "PUT", &there(G), addressed("10.1.1.1")).await.is(201);
    arm.send(&theirs, "PUT", &there(OTHER_GROUP), addressed("10.9.9.9")).await.is(201);
    for (group, known) in [(G, true), (OTHER_GROUP, false)] {
        let path = arm.vm(if known { "ours" } else { "curious" }).await;
        let interfaces = json!({"networkInterfaces": [{"id": there(group)}]});
        arm.patch(&path, json!({"properties": {"networkProfile": interfaces}})).await.is(200);
        let told = format!("{:?}", arm.metadata(&path).await.instance.interfaces);
        assert_eq!((told.contains("10.1.1.1"), told.contains("10.9.9.9")), (known, false), "{told}");
    }
}

#[tokio::test]
async fn a_template_writes_nothing_into_another_tenant() {
    let arm = Arm::new().await;
    let theirs = neighbours(&arm).await;
    let inner = template(json!([
        {"type": "Microsoft.ManagedIdentity/userAssignedIdentities", "apiVersion": "2023-01-31", "name": "intruder",
         "location": "westus"},
    ]));
    let outer = template(json!([
        {"type": "Microsoft.Resources/deployments", "apiVersion": "2021-04-01", "name": "inner",
         "subscriptionId": "20000000-0000-4000-8000-000000000002", "resourceGroup": "theirs",
         "properties": {"mode": "Incremental", "template": inner}},
    ]));
    let answer = arm.put(&deployment("d1"), strict(&outer)).await;
    if answer.status.is_success() {
        arm.settle(&Guest::SOUND).await;
        assert_eq!(arm.poll(&answer).await.json()["status"], "Failed");
    }
    let found = arm.send(&theirs, "GET", &format!("{OTHER_GROUP}/resources"), "").await.is(200);
    assert_eq!(found.json()["value"], json!([]));
}

#[tokio::test]
async fn a_template_reads_nothing_that_its_deployer_may_not() {
    let arm = Arm::new().await;
    let theirs = neighbours(&arm).await;
    let secret = format!("{SUB}/resourceGroups/hidden");
    arm.put(&secret, json!({"location": "westus"})).await.is(201);
    let hidden = format!("{secret}/providers/Microsoft.Network/virtualNetworks/net");
    arm.put(&hidden, json!({"location": "westus", "properties": {"mark": "hidden-mark"}})).await.is(201);
    let abroad = format!("{OTHER_GROUP}/providers/Microsoft.Network/virtualNetworks/net");
    let body = json!({"location": "westus", "properties": {"mark": "hidden-mark"}});
    arm.send(&theirs, "PUT", &abroad, body.to_string()).await.is(201);
    let local = arm.client(1, &[("Contributor", G)]).await;
    for (token, id) in [(&local, &hidden), (&arm.token, &abroad)] {
        let mut template = template(json!([]));
        template["outputs"] =
            json!({"leak": {"type": "object", "value": format!("[reference('{id}', '2022-01-01')]")}});
        let body = strict(&template).to_string();
        let begun = arm.send(token, "PUT", &deployment("d1"), body.clone()).await.one_of(&[200, 201]);
        arm.settle(&Guest::SOUND).await;
        let poll = arm.poll(&begun).await;
        assert_eq!(poll.json()["status"], "Failed", "{id}: {}", poll.body);
        let what_if = arm.send(token, "POST", &format!("{}/whatIf", deployment("d1")), body).await;
        for answer in [&poll, &what_if, &arm.get(&deployment("d1")).await] {
            assert!(!answer.body.contains("hidden-mark"), "{}", answer.body);
        }
        // Nor by way of a resource that it may write.
        let copied = self::template(json!([
            {"type": "Microsoft.Network/virtualNetworks", "apiVersion": "2022-01-01", "name": "copy", "location": "westus",
             "properties": {"mark": format!("[reference('{id}', '2022-01-01').mark]")}},
        ]));
        let what_if =
            arm.send(token, "POST", &format!("{}/whatIf", deployment("d2")), strict(&copied).to_string()).await;
        assert!(!what_if.body.contains("hidden-mark"), "{}", what_if.body);
        let begun = arm.send(token, "PUT", &deployment("d2"), strict(&copied).to_string()).await.one_of(&[200, 201]);
        arm.settle(&Guest::SOUND).await;
        assert_eq!(arm.poll(&begun).await.json()["status"], "Failed");
    }
}

#[tokio::test]
async fn role_assignments_of_another_tenant_are_neither_seen_nor_touched() {
    let arm = Arm::new().await;
    let theirs = neighbours(&arm).await;
    let all = |prefix: &str| format!("{prefix}/providers/Microsoft.Authorization/roleAssignments");
    for prefix in ["", G, SUB] {
        let list = arm.get(&all(prefix)).await.is(200);
        assert!(!list.body.contains(&principal_id(99)), "{prefix}: {}", list.body);
    }
    let list = arm.send(&theirs, "GET", &all(""), "").await.is(200).json();
    let name = list["value"][0]["name"].as_str().expect("their own").to_owned();
    let one = format!("{}/{name}", all(""));
    arm.get(&one).await.refuses(404, "RoleAssignmentNotFound");
    arm.delete(&one).await.is(204);
    arm.send(&theirs, "GET", &one, "").await.is(200);
}

#[tokio::test]
async fn an_operation_is_told_to_whoever_may_know_of_it() {
    let arm = Arm::new().await;
    let theirs = neighbours(&arm).await;
    let path = arm.vm("vm1").await;
    let begun = arm.post(&format!("{path}/restart"), Value::Null).await.is(202);
    let url = local(&begun, "azure-asyncoperation");
    let reader = arm.client(1, &[("Reader", G)]).await;
    let nobody = arm.client(2, &[]).await;
    arm.send(&reader, "GET", &url, "").await.is(200);
    arm.send(&nobody, "GET", &url, "").await.refuses(404, "NotFound");
    arm.send(&theirs, "GET", &url, "").await.refuses(404, "NotFound");
    assert_eq!(arm.send(&nobody, "GET", "/subscriptions", "").await.is(200).json()["value"], json!([]));
    assert_eq!(
        arm.send(&reader, "GET", "/subscriptions", "").await.is(200).json()["value"].as_array().unwrap().len(),
        1
    );
}

#[tokio::test]
async fn nothing_lies_beside_the_subscriptions() {
    let arm = Arm::new().await;
    for path in ["/providers/A.B/c/d", "/tenants/x/providers/A.B/c/d"] {
        for method in ["PUT", "GET", "DELETE"] {
            let answer = arm.send(&arm.token, method, path, json!({"location": "westus"}).to_string()).await;
            assert!(matches!(answer.status.as_u16(), 403 | 404), "{method} {path}: {} {}", answer.status, answer.body);
        }
    }
    let stored = arm.world.store.read(|tx| tx.resources(&Scope::Root, &Page::ALL)).await.unwrap();
    assert_eq!(stored, []);
}

#[tokio::test]
async fn what_if_names_only_what_its_caller_may_read() {
    let arm = Arm::new().await;
    arm.vm("vm1").await;
    arm.identities("id", 1).await;
    let operator = arm.client(1, &[("Managed Identity Operator", G)]).await;
    let path = format!("{}/whatIf", deployment("d1"));
    let seen = arm.send(&operator, "POST", &path, strict(&template(json!([]))).to_string()).await.is(200);
    assert!(seen.body.contains("id0") && !seen.body.contains("vm1"), "{}", seen.body);
}
