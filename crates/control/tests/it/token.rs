use broker::credential::{Credential, NewCredential};
use control::vm_credential;

use super::*;

#[tokio::test]
async fn a_secret_in_the_form_or_as_basic() {
    let world = World::new().await;
    let answer = world.token(&format!("client_secret={}", SECRET.replace(' ', "+"))).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let body = answer.json();
    let members: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["token_type", "expires_in", "ext_expires_in", "access_token"]);
    assert_eq!((&body["expires_in"], &body["token_type"]), (&3_599.into(), &"Bearer".into()));
    assert_eq!((answer.token(1)["appid"].as_str(), answer.token(1)["appidacr"].as_str()), (Some(CLIENT), Some("1")));
    assert_eq!(answer.token(1)["exp"].as_i64(), Some(NOW + 3_600));
    assert_eq!(answer.token(1)["xms_tcdt"].as_i64(), Some(NOW), "when the tenant was created");
    assert_eq!(answer.headers["cache-control"], "no-store");

    let basic = STANDARD.encode(format!("{CLIENT}:{}", SECRET.replace(' ', "%20")));
    let request = Request::post(format!("/{TENANT}/oauth2/token"))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", format!("Basic {basic}"))
        .body(Body::from("grant_type=client_credentials&resource=https%3A%2F%2Fr%2F"))
        .unwrap();
    let answer = world.send(request).await;
    let body = answer.json();
    assert_eq!((&body["expires_in"], &body["resource"]), (&"3599".into(), &"https://r/".into()));
    assert_eq!((&body["expires_on"], &body["not_before"]), (&"1800003600".into(), &"1799999700".into()));
    assert_eq!(answer.token(1)["aud"], "https://r/");
}

#[tokio::test]
async fn a_registered_certificate_with_either_algorithm() {
    let world = World::new().await;
    for audience in [
        format!("{BASE}/{TENANT}/oauth2/v2.0/token"),
        format!("{BASE}/{TENANT}/oauth2/token"),
        format!("{BASE}/dev/oauth2/v2.0/token"),
        format!("https://127.0.0.1:16926/{TENANT}/oauth2/v2.0/token"),
        "https://[::1]:16926/dev/oauth2/token".to_owned(),
        format!("https://sts.windows.net/{TENANT}/"),
        format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
    ] {
        let mut claims = World::own_claims();
        claims["aud"] = audience.clone().into();
        let answer = world.assert(&sign(&world.own, &world.own_header(), &claims)).await;
        assert_eq!(answer.status, StatusCode::OK, "{audience}: {}", answer.body);
        assert_eq!(answer.token(1)["appidacr"], "2");
    }
    // PS256 and x5t#S256, as the guest signs.
    let credential = Credential::open(&NewCredential {
        identity: ManagedIdentity {
            kind: IdentityKind::UserAssigned,
            id: ResourceId::parse("/subscriptions/20000000-0000-4000-8000-000000000001").unwrap(),
            tenant: TENANT.parse().unwrap(),
            principal_id: "40000000-0000-4000-8000-0000000000c1".parse().unwrap(),
            client_id: CLIENT.parse().unwrap(),
        },
        vm: ResourceId::parse("/subscriptions/20000000-0000-4000-8000-000000000001").unwrap(),
        certificate: world.own.certificate.der.clone(),
        key: world.own.pkcs8.clone(),
        not_after: Timestamp::from_unix(NOW + 600),
    })
    .unwrap();
    let audience = format!("{BASE}/{TENANT}/oauth2/v2.0/token");
    let jwt = credential.assertion(&audience, Timestamp::from_unix(NOW), Uuid::nil()).unwrap();
    assert_eq!(world.assert(&jwt).await.status, StatusCode::OK);
    // The same assertion again, as MSAL for Python sends it.
    assert_eq!(world.assert(&jwt).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_external_issuers_word() {
    let world = World::new().await;
    let header = serde_json::json!({"alg": "RS256", "kid": "ext"});
    let answer = world.assert(&sign(&world.external, &header, &World::external_claims())).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    for (member, value, code) in [
        ("iss", "https://issuer.example", 700_211),
        ("sub", "repo:y", 700_213),
        ("aud", "api://other", 700_212),
        ("sub", "REPO:X", 7_002_138),
    ] {
        let mut claims = World::external_claims();
        claims[member] = value.into();
        let answer = world.assert(&sign(&world.external, &header, &claims)).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::UNAUTHORIZED, code), "{member}");
    }
    let forged = world.assert(&sign(&world.own, &header, &World::external_claims())).await;
    assert_eq!(forged.code(), 50_012);
    let unknown = serde_json::json!({"alg": "RS256", "kid": "other"});
    assert_eq!(world.assert(&sign(&world.external, &unknown, &World::external_claims())).await.code(), 50_012);
    let mut claims = World::external_claims();
    claims["exp"] = (NOW - 600).into();
    assert_eq!(world.assert(&sign(&world.external, &header, &claims)).await.code(), 700_024);
}

#[tokio::test]
async fn an_identity_signs_in_with_the_credential_of_its_vm() {
    let world = World::new().await;
    let vm = ResourceId::parse(
        "/subscriptions/20000000-0000-4000-8000-000000000001/resourceGroups/dev/providers/Microsoft.Compute/virtualMachines/vm",
    )
    .unwrap();
    let id = vm.clone();
    let snapshot = world.store.read(move |tx| tx.vm_snapshot(&id)).await.unwrap().unwrap();
    for identity in snapshot.identities.iter() {
        let now = Timestamp::from_unix(NOW);
        let issued = vm_credential::issue(&world.store, &world.app.key_maker, identity, &vm, None, now).await.unwrap();
        let credential = Credential::open(&NewCredential {
            identity: ManagedIdentity::clone(identity),
            vm: vm.clone(),
            certificate: issued.certificate.clone(),
            key: issued.key.clone(),
            not_after: issued.not_after,
        })
        .unwrap();
        let audience = format!("{BASE}/{TENANT}/oauth2/v2.0/token");
        let jwt = credential.assertion(&audience, now, Uuid::nil()).unwrap();
        let form = format!(
            "client_id={}&scope=https://vault.azure.net/.default&grant_type=client_credentials&client_assertion={}\
             &client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            identity.client_id, *jwt
        );
        let path = format!("/{TENANT}/oauth2/v2.0/token");
        let answer = world.post(&path, &form).await;
        let claims = answer.token(1);
        let mirid = claims["xms_mirid"].as_str().unwrap();
        assert_eq!(mirid, identity.id.as_str().replace("resourceGroups", "resourcegroups"));
        let used_by = claims.get("xms_az_rid").and_then(Value::as_str).is_some_and(|id| id.ends_with("/vm"));
        assert_eq!(used_by, identity.kind == IdentityKind::UserAssigned);
        let is_good = async |extension: Option<&ResourceId>, now| {
            vm_credential::is_good(&world.store, &vm, extension, issued.certificate.clone(), now).await.unwrap()
        };
        assert!(is_good(None, now).await);
        assert!(!is_good(None, Timestamp::from_unix(NOW + 43_201)).await, "it is due");
        assert!(!is_good(Some(&vm.child("extensions", "msi").unwrap()), now).await, "it is no extension's own");

        let (id, act) = (vm.clone(), Act::new("test", "vmCredential.revoke", "", now));
        world
            .store
            .write(act, move |tx| {
                for credential in tx.certificate_credentials_of_vm(&id)? {
                    tx.revoke_certificate_credential(credential.thumbprint_sha256)?;
                }
                Ok::<_, store::Error>(())
            })
            .await
            .unwrap();
        let answer = world.post(&path, &form).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::UNAUTHORIZED, 700_027), "revoked at once");
    }
}

#[tokio::test]
async fn what_the_client_can_do_stands_in_the_token() {
    let world = World::new().await;
    let claims = "%7B%22access_token%22%3A%7B%22xms_cc%22%3A%7B%22values%22%3A%5B%22CP1%22%5D%7D%7D%7D";
    let secret = SECRET.replace(' ', "+");
    let answer = world.token(&format!("client_secret={secret}&client_info=1&claims={claims}")).await;
    assert_eq!(answer.token(1)["xms_cc"], serde_json::json!(["CP1"]));
}
