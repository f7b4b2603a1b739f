//! What a template would change, of resources that are there.

use super::deployments::{strict, template};
use super::*;

#[tokio::test]
async fn what_an_identity_says_of_itself_is_compared_of_everything_else() {
    let arm = Arm::new().await;
    let vault = format!("{G}/providers/Microsoft.KeyVault/vaults/v");
    let is = |tenant: &str| json!({"location": "westus", "properties": {"tenantId": tenant, "clientId": "c"}});
    arm.put(&vault, is("one")).await.is(201);
    arm.put(&identity("id1"), json!({"location": "westus"})).await.is(201);
    let vault_of = |tenant: &str| {
        let mut vault = is(tenant);
        vault["type"] = json!("Microsoft.KeyVault/vaults");
        vault["apiVersion"] = json!("2023-07-01");
        vault["name"] = json!("v");
        vault
    };
    let id1 = json!({"type": "Microsoft.ManagedIdentity/userAssignedIdentities", "apiVersion": "2024-11-30",
        "name": "id1", "location": "westus"});
    for (tenant, kind) in [("one", "NoChange"), ("two", "Modify")] {
        let body = strict(&template(json!([vault_of(tenant), id1])));
        let answer = arm.post(&format!("{}/whatIf", deployment("d1")), body).await.is(200).json();
        let changes = &answer["properties"]["changes"];
        assert_eq!(changes[0]["changeType"], kind, "{changes}");
        // An identity has its own members, which no template says.
        assert_eq!(changes[1]["changeType"], "NoChange", "{changes}");
        if kind == "Modify" {
            let delta = json!([{"path": "properties.tenantId", "propertyChangeType": "Modify", "before": "one", "after": "two"}]);
            assert_eq!(changes[0]["delta"], delta);
        }
    }
}
