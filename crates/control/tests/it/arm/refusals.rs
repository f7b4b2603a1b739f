//! What is refused before anything is done, and that nothing is half done.

use super::*;

#[tokio::test]
async fn without_a_sound_token() {
    let arm = Arm::new().await;
    let uri = versioned("/subscriptions");
    let ask = async |value: Option<String>| {
        let request =
            value.into_iter().fold(Request::get(&uri), |request, value| request.header("authorization", value));
        arm.world.send(request.body(Body::empty()).unwrap()).await
    };
    let missing = ask(None).await.refuses(401, "AuthenticationFailed");
    assert_eq!(missing.message(), "Authentication failed. The 'Authorization' header is missing.");
    let challenge = missing.header("www-authenticate").unwrap();
    assert!(challenge.starts_with(&format!("Bearer authorization_uri=\"{BASE}/")), "{challenge}");
    assert!(challenge.contains("error=\"invalid_token\", error_description=\"Authentication failed."), "{challenge}");
    for other in ["Basic eDp5", "Bearer", "x"] {
        ask(Some(other.to_owned())).await.refuses(401, "AuthenticationFailed");
    }
    let [head, claims, signature]: [&str; 3] = arm.token.split('.').collect::<Vec<_>>().try_into().unwrap();
    for bad in [
        "x.y.z".to_owned(),
        "a".to_owned(),
        String::new(),
        format!("{head}.{claims}."),
        format!("{head}.{claims}.{}", signature.replace(|c: char| c.is_ascii_digit(), "a")),
    ] {
        let refused = ask(Some(format!("Bearer {bad}"))).await;
        assert_eq!(refused.status.as_u16(), 401, "{bad}");
        assert!(refused.headers.contains_key("www-authenticate") && !refused.body.contains("eyJ"));
    }
    for (resource, sound) in [
        (BASE.to_owned(), true),
        (format!("{BASE}/"), true),
        ("https://management.azure.com".to_owned(), true),
        ("https://management.azure.com/".to_owned(), true),
        ("https://management.core.windows.net/".to_owned(), true),
        ("https://vault.azure.net".to_owned(), false),
        (format!("{BASE}/x"), false),
    ] {
        let answer = ask(Some(format!("bearer {}", token_of(&arm.world, CLIENT, &resource).await))).await;
        if sound {
            answer.is(200);
        } else {
            answer.refuses(401, "InvalidAuthenticationToken");
        }
    }
    arm.world.clock.advance(Duration::from_secs(3_600 + 301));
    let late = ask(Some(format!("Bearer {}", arm.token))).await.refuses(401, "ExpiredAuthenticationToken");
    assert_eq!(late.message(), "The access token expiry UTC time is earlier than current UTC time.");
}

#[tokio::test]
async fn a_token_is_worth_nothing_without_its_principal() {
    let arm = Arm::new().await;
    let path = arm.vm("vm1").await;
    arm.patch(&path, json!({"identity": {"type": "SystemAssigned"}})).await.is(200);
    let shown = arm.get(&path).await.json();
    let principal = shown["identity"]["principalId"].as_str().unwrap().to_owned();
    let role = format!("{SUB}/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7");
    let assignment = format!("{G}/providers/Microsoft.Authorization/roleAssignments/{}", Uuid::from_u128(7));
    let body = json!({"properties": {"roleDefinitionId": role, "principalId": principal}});
    arm.put(&assignment, body.clone()).await.is(201);
    let id = domain::PrincipalId::from_uuid(Uuid::parse_str(&principal).unwrap());
    let found = arm.world.store.read(move |tx| tx.service_principal(id)).await.unwrap().unwrap();
    let spec = authority::TokenSpec {
        tenant: found.tenant,
        principal_id: found.principal_id,
        client_id: found.client_id,
        subject: authority::Subject::ManagedIdentity { resource_id: path.clone(), used_by: None },
        audience: BASE.into(),
        lifetime: Duration::from_secs(3_600),
        capabilities: Vec::new(),
        tenant_created_at: None,
        evidence: authority::Evidence::Machine,
    };
    let token = arm.world.app.authority.mint(&spec).await.expect("a token").into_jwt();
    arm.send(&token, "GET", &path, "").await.is(200);
    arm.patch(&path, json!({"identity": {"type": "None"}})).await.is(200);
    arm.send(&token, "GET", &path, "").await.refuses(401, "InvalidAuthenticationToken");
    arm.put(&assignment.replace("007", "008"), body).await.refuses(400, "PrincipalNotFound");
}

#[tokio::test]
async fn paths_queries_and_methods() {
    let arm = Arm::new().await;
    let text = "The api-version query parameter (?api-version=) is required for all requests.";
    for query in ["", "?x=y", "?api-version="] {
        let request = Request::get(format!("{G}{query}")).header("authorization", format!("Bearer {}", arm.token));
        let answer = arm.world.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.refuses(400, "MissingApiVersionParameter").message(), text);
    }
    for version in ["latest", "2024-11", "2024-11-01x"] {
        arm.get(&format!("{G}?api-version={version}")).await.refuses(400, "InvalidApiVersionParameter");
    }
    arm.get(&format!("{G}?API-VERSION=1999-01-01-preview")).await.is(200);
    arm.get(&format!("{}/", G.replace("/resourceGroups", "//RESOURCEGROUPS/"))).await.is(200);
    let nowhere = "/subscriptions/20000000-0000-4000-8000-0000000000ff";
    let lost = arm.get(&format!("{nowhere}/resourceGroups")).await.refuses(404, "SubscriptionNotFound");
    assert_eq!(lost.message(), "The subscription '20000000-0000-4000-8000-0000000000ff' could not be found.");
    for (path, status, code) in [
        ("/subscriptions/x".to_owned(), 400, "InvalidResourceName"),
        (format!("{G}/providers/Microsoft.Compute/nosuch/x"), 404, "InvalidResourceType"),
        (format!("{G}/providers/Microsoft.Compute/nosuch"), 404, "InvalidResourceType"),
        (format!("{G}/nosuch"), 404, "NotFound"),
        (format!("{G}/providers/A.B/c/..%2fd"), 400, "InvalidResourceName"),
        (format!("{G}/providers/A.B/c/%ff"), 400, "InvalidResourceName"),
    ] {
        let answer = arm.get(&path).await;
        let found = answer.json()["error"]["code"].as_str().unwrap_or_default().to_owned();
        assert_eq!((answer.status.as_u16(), found.as_str()), (status, code), "{path}: {}", answer.body);
    }
    for method in ["OPTIONS", "TRACE", "BREW"] {
        let answer = arm.send(&arm.token, method, G, "").await.refuses(405, "MethodNotAllowed");
        assert!(answer.headers.contains_key("allow"));
    }
    arm.post(G, Value::Null).await.refuses(405, "MethodNotAllowed");
    arm.put(&format!("{G}/resources"), json!({})).await.refuses(405, "MethodNotAllowed");
}

#[tokio::test]
async fn places_that_no_region_is_called() {
    let arm = Arm::new().await;
    let sku = json!({"name": "Standard_B1s", "capacity": 1});
    for bad in ["a/b", "../x", "west?us", "wést", "west#1", &"x".repeat(65)] {
        let body = json!({"location": bad, "sku": sku});
        for path in [vm("x"), scale_set("x"), identity("xyz"), format!("{G}/providers/Microsoft.Network/a/x")] {
            let answer = arm.put(&path, body.clone()).await.refuses(400, "LocationNotAvailableForResourceType");
            assert!(answer.message().contains("' is not available for resource type 'Microsoft."), "{}", answer.body);
        }
        let group = arm.put(&format!("{SUB}/resourceGroups/x"), body).await;
        group.refuses(400, "LocationNotAvailableForResourceGroup");
    }
    for good in ["East US 2", "global", "MyPlace"] {
        let path = format!("{SUB}/resourceGroups/{}", good.replace(' ', ""));
        arm.put(&path, json!({"location": good})).await.is(201);
    }
}

#[tokio::test]
async fn bodies() {
    let arm = Arm::new().await;
    let path = vm("vm1");
    for body in ["{", "[]", "1", "\"x\"", "null", "", "{\"a\":1}}", "\u{1}", "{'location':'westus'}"] {
        let answer = arm.send(&arm.token, "PUT", &path, body).await;
        let text = answer.refuses(400, "InvalidRequestContent").message();
        assert!(text.starts_with("The request content was invalid and could not be deserialized:"), "{text}");
    }
    arm.send(&arm.token, "PUT", &path, vec![0xff, 0xfe]).await.refuses(400, "InvalidRequestContent");
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep = format!("{{\"location\":\"westus\",\"properties\":{{\"osProfile\":{deep}}}}}");
    arm.send(&arm.token, "PUT", &path, deep.clone()).await.refuses(400, "InvalidRequestContent");
    let template = format!("{{\"properties\":{{\"mode\":\"Incremental\",\"template\":{deep}}}}}");
    let answer = arm.send(&arm.token, "PUT", &deployment("d1"), template).await;
    assert_eq!(answer.status.as_u16(), 400, "{}", answer.body);
    let large = format!("{{\"location\":\"westus\",\"x\":\"{}\"}}", "x".repeat(5 * 1024 * 1024));
    for (method, path) in [
        ("PUT", path.clone()),
        ("PUT", deployment("d1")),
        ("POST", format!("{}/validate", deployment("d1"))),
        ("POST", format!("{G}/exportTemplate")),
    ] {
        let answer = arm.send(&arm.token, method, &path, large.clone()).await;
        assert!(answer.refuses(413, "RequestEntityTooLarge").message().contains("4194304"), "{path}");
    }
    let tags: serde_json::Map<String, Value> = (0..10_000).map(|number| (format!("t{number}"), "x".into())).collect();
    for path in [path, identity("id1"), G.to_owned(), scale_set("ss"), format!("{G}/providers/A.B/c/d")] {
        let body = json!({"location": "westus", "tags": tags, "sku": {"name": "x"}});
        let answer = arm.put(&path, body).await.refuses(400, "TooManyTags");
        assert!(answer.message().contains("50") && answer.message().contains("10000"), "{}", answer.body);
    }
    let bom = format!("\u{feff}{}", json!({"location": "westus"}));
    arm.send(&arm.token, "PUT", &vm("vm2"), bom).await.is(201);
}

#[tokio::test]
async fn what_is_written_at_once_is_never_mixed() {
    let arm = Arm::new().await;
    let path = vm("vm1");
    let body = |mark: usize| {
        json!({
            "location": "westus", "tags": {"mark": mark.to_string()},
            "properties": {"hardwareProfile": {"vmSize": format!("size{mark}")}, "osProfile": {"computerName": mark.to_string()}},
        })
    };
    let puts = (0..16).map(|mark| {
        let (router, body) = (arm.world.router.clone(), body(mark).to_string());
        let request = Request::put(versioned(&path)).header("authorization", format!("Bearer {}", arm.token));
        tokio::spawn(async move { router.oneshot(request.body(Body::from(body)).unwrap()).await.unwrap().status() })
    });
    let puts: Vec<_> = puts.collect();
    let mut created = 0;
    for put in puts {
        let status = put.await.unwrap();
        assert!(matches!(status.as_u16(), 200 | 201 | 409), "{status}");
        created += usize::from(status == StatusCode::CREATED);
    }
    assert_eq!(created, 1);
    let found = arm.get(&path).await.json();
    let mark = found["tags"]["mark"].as_str().unwrap();
    assert_eq!(found["properties"]["hardwareProfile"]["vmSize"], format!("size{mark}"));
    assert_eq!(found["properties"]["osProfile"]["computerName"], mark);
}

#[tokio::test]
async fn every_write_and_every_refusal_is_in_the_audit() {
    let arm = Arm::new().await;
    let path = arm.vm("vm1").await;
    let reader = arm.client(1, &[("Reader", G)]).await;
    let row = |actor: &str, action: &str, target: &str| (actor.to_owned(), action.to_owned(), target.to_owned());
    let write = "Microsoft.Compute/virtualMachines/write";
    let before = arm.audit().await;
    arm.get(&path).await.is(200);
    arm.put(&vm("vm2"), json!({"location": "westus", "properties": 1})).await.refuses(400, "InvalidParameter");
    assert_eq!(arm.audit().await, before, "reading and failing change nothing");
    arm.patch(&path, json!({"tags": {"a": "b"}})).await.is(200);
    arm.send(&reader, "PATCH", &path, "{}").await.refuses(403, "AuthorizationFailed");
    arm.send(&reader, "POST", &format!("{path}/restart"), "").await.refuses(403, "AuthorizationFailed");
    arm.delete(&path).await.is(202);
    let owner = "40000000-0000-4000-8000-0000000000c1";
    assert_eq!(
        arm.audit().await[before.len()..],
        [
            row(owner, write, &path),
            row(&principal_id(1), &format!("refused: {write}"), &path),
            row(&principal_id(1), "refused: Microsoft.Compute/virtualMachines/restart/action", &path),
            row(owner, "Microsoft.Compute/virtualMachines/delete", &path),
        ]
    );
    let id = arm.identities("id", 1).await.remove(0);
    let path = arm.vm("vm3").await;
    let operator = arm.client(2, &[("Virtual Machine Contributor", G)]).await;
    let body = json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": {id: {}}}});
    arm.send(&operator, "PATCH", &path, body.to_string()).await.refuses(403, "LinkedAuthorizationFailed");
    assert_eq!(arm.audit().await.last(), Some(&row(&principal_id(2), &format!("refused: {write}"), &path)));
}
