//! What a client asks of the cloud itself: metadata, directory, providers, locations, extensions that exist.

use super::*;

#[tokio::test]
async fn the_clouds_metadata_needs_no_token_and_has_three_shapes() {
    let arm = Arm::new().await;
    let ask = async |query: &str| arm.world.get(&format!("/metadata/endpoints{query}")).await;
    let newest = ask("?api-version=2022-09-01").await.is(200).json();
    assert_eq!(
        newest,
        json!({
            "name": "symbolon", "portal": BASE,
            "authentication": {
                "loginEndpoint": BASE, "audiences": [format!("{BASE}/")], "tenant": "common", "identityProvider": "AAD",
            },
            "graphAudience": format!("{BASE}/graph/"), "graph": format!("{BASE}/graph/"),
            "microsoftGraphResourceId": format!("{BASE}/msgraph/"), "resourceManager": format!("{BASE}/"),
            "suffixes": {"storage": "symbolon.test", "keyVaultDns": ".vault.symbolon.test"},
        })
    );
    assert_eq!(ask("?api-version=2019-05-01").await.is(200).json(), json!([newest]));
    let oldest = ask("?api-version=2015-01-01").await.is(200).json();
    assert_eq!(oldest["authentication"]["audiences"], json!([format!("{BASE}/")]));
    ask("").await.refuses(400, "MissingApiVersionParameter");
}

#[tokio::test]
async fn the_directory_knows_principals() {
    let arm = Arm::new().await;
    let id = arm.identities("id", 1).await.remove(0);
    let shown = arm.get(&id).await.json();
    let (principal, client) = (&shown["properties"]["principalId"], &shown["properties"]["clientId"]);
    let body =
        json!({"ids": [principal, Uuid::from_u128(9).to_string()], "types": ["user", "group", "servicePrincipal"]});
    // It is a resource of its own, for which az gets a token of its own.
    let by_ids = "/msgraph/v1.0/directoryObjects/getByIds";
    let graph = token_of(&arm.world, CLIENT, &format!("{BASE}/msgraph/")).await;
    let found = arm.send(&graph, "POST", by_ids, body.to_string()).await.is(200).json();
    let expected = json!([{
        "@odata.type": "#microsoft.graph.servicePrincipal", "id": principal, "appId": client, "displayName": "id0",
        "servicePrincipalNames": [client], "servicePrincipalType": "ManagedIdentity",
    }]);
    assert_eq!(found["value"], expected);
    let filter = format!("servicePrincipalNames/any(c:c eq '{}')", client.as_str().unwrap());
    let path = format!("/msgraph/v1.0/servicePrincipals?$filter={filter}");
    let other = token_of(&arm.world, CLIENT, &format!("{BASE}/msgraph")).await;
    assert_eq!(arm.send(&other, "GET", &path, "").await.is(200).json()["value"], expected);
    let request = Request::post(by_ids).body(Body::from("{}")).unwrap();
    arm.world.send(request).await.refuses(401, "AuthenticationFailed");
    for (token, path) in [(&arm.token, path.as_str()), (&graph, SUB)] {
        arm.send(token, "GET", path, "").await.refuses(401, "InvalidAuthenticationToken");
    }
}

#[tokio::test]
async fn tenants_subscriptions_and_locations() {
    let arm = Arm::new().await;
    let tenants = arm.get("/tenants?api-version=2022-12-01").await.is(200).json();
    assert_eq!(
        (&tenants["value"][0]["id"], &tenants["value"][0]["tenantId"]),
        (&json!(format!("/tenants/{TENANT}")), &json!(TENANT))
    );
    let all = arm.get("/subscriptions?api-version=2022-12-01").await.is(200).json();
    assert_eq!(all["count"], json!({"type": "Total", "value": 1}));
    let subscription = &all["value"][0];
    assert_eq!((&subscription["id"], &subscription["tenantId"]), (&json!(SUB), &json!(TENANT)));
    assert_eq!((&subscription["state"], &subscription["managedByTenants"]), (&json!("Enabled"), &json!([])));
    assert_eq!(arm.get(SUB).await.is(200).json(), *subscription);
    let locations = arm.get(&format!("{SUB}/locations?api-version=2022-12-01")).await.is(200).json();
    let west = locations["value"].as_array().unwrap().iter().find(|found| found["name"] == "westus").unwrap();
    assert_eq!((&west["displayName"], &west["type"]), (&json!("West US"), &json!("Region")));
    assert!(west["metadata"]["regionType"].is_string());
}

#[tokio::test]
async fn providers_with_their_types() {
    let arm = Arm::new().await;
    let one = arm.get(&format!("{SUB}/providers/microsoft.managedidentity")).await.is(200).json();
    assert_eq!(
        (&one["namespace"], &one["registrationState"]),
        (&json!("Microsoft.ManagedIdentity"), &json!("Registered"))
    );
    let types: Vec<_> =
        one["resourceTypes"].as_array().unwrap().iter().map(|found| found["resourceType"].as_str().unwrap()).collect();
    for name in ["userAssignedIdentities", "userAssignedIdentities/federatedIdentityCredentials", "identities"] {
        assert!(types.contains(&name), "{types:?}");
    }
    let first = &one["resourceTypes"][0];
    assert!(first["apiVersions"][0].is_string() && first["locations"][0].is_string());
    let list = arm.get(&format!("{SUB}/providers")).await.is(200).json();
    assert!(list["value"].as_array().unwrap().iter().any(|found| found["namespace"] == "Microsoft.Compute"));
    let other = arm.get(&format!("{SUB}/providers/Microsoft.Network")).await.is(200).json();
    assert_eq!(other["registrationState"], "Registered");
    for version in ["2024-11-01", "2016-02-01"] {
        let path = format!("{SUB}/providers/Microsoft.ManagedIdentity/register?api-version={version}");
        assert_eq!(arm.post(&path, Value::Null).await.is(200).json()["registrationState"], "Registered");
    }
}

#[tokio::test]
async fn extensions_and_images_are_bare_arrays() {
    let arm = Arm::new().await;
    let publishers = format!("{SUB}/providers/Microsoft.Compute/locations/westus/publishers");
    let names = |answer: Answer| {
        let list = answer.json();
        let list = list.as_array().unwrap_or_else(|| panic!("no array: {}", answer.body)).clone();
        list.iter().map(|found| found["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(arm.get(&publishers).await.is(200)), ["Microsoft.ManagedIdentity"]);
    let types = format!("{publishers}/Microsoft.ManagedIdentity/artifacttypes/vmextension/types");
    assert_eq!(names(arm.get(&types).await.is(200)), [LINUX, WINDOWS]);
    let versions = format!("{types}/{LINUX}/versions");
    assert_eq!(names(arm.get(&versions).await.is(200)), ["1.0"]);
    let version = arm.get(&format!("{versions}/1.0?api-version=2026-04-01")).await.is(200).json();
    assert_eq!(
        version,
        json!({
            "id": format!("{versions}/1.0"), "name": "1.0", "location": "westus",
            "properties": {
                "operatingSystem": "Linux", "computeRole": "IaaS", "handlerSchema": "", "vmScaleSetEnabled": true,
                "supportsMultipleExtensions": false,
            },
        })
    );
    arm.get(&format!("{versions}/9.9")).await.refuses(404, "ArtifactNotFound");
    arm.get(&format!("{types}/Nothing/versions")).await.refuses(404, "ArtifactNotFound");
    let images = format!("{publishers}/Canonical/artifacttypes/vmimage/offers/ubuntu/skus/server/versions");
    let newest = names(arm.get(&format!("{images}?$top=1&$orderby=name desc")).await.is(200)).remove(0);
    let image = arm.get(&format!("{images}/{newest}")).await.is(200).json();
    assert_eq!(image["properties"]["osDiskImage"]["operatingSystem"], "Linux");
}
