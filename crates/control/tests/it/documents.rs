use super::*;

#[tokio::test]
async fn discovery_says_the_configured_issuer_whoever_asks() {
    let world = World::new().await;
    for (path, issuer, jwks) in [
        (
            format!("/{TENANT}/.well-known/openid-configuration"),
            format!("https://sts.windows.net/{TENANT}/"),
            format!("{BASE}/{TENANT}/discovery/keys"),
        ),
        (
            format!("/{TENANT}/v2.0/.well-known/openid-configuration"),
            format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
            format!("{BASE}/{TENANT}/discovery/v2.0/keys"),
        ),
        (
            "/dev/v2.0/.well-known/openid-configuration".to_owned(),
            format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
            format!("{BASE}/{TENANT}/discovery/v2.0/keys"),
        ),
        (
            "/common/v2.0/.well-known/openid-configuration".to_owned(),
            "https://login.microsoftonline.com/{tenantid}/v2.0".to_owned(),
            format!("{BASE}/common/discovery/v2.0/keys"),
        ),
        (
            "/adfs/.well-known/openid-configuration".to_owned(),
            format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
            format!("{BASE}/adfs/discovery/v2.0/keys"),
        ),
        (
            "/organizations/.well-known/openid-configuration".to_owned(),
            "https://sts.windows.net/{tenantid}/".to_owned(),
            format!("{BASE}/organizations/discovery/keys"),
        ),
    ] {
        let request = Request::get(&path).header("host", "evil.example").body(Body::empty()).unwrap();
        let answer = world.send(request).await;
        assert_eq!(
            (answer.status, answer.json()["issuer"].as_str()),
            (StatusCode::OK, Some(issuer.as_str())),
            "{path}"
        );
        assert_eq!(answer.json()["jwks_uri"], jwks.as_str());
        assert!(!answer.body.contains("evil"));
        assert_eq!(answer.headers["cache-control"], "max-age=3600, public");
    }
}

#[tokio::test]
async fn the_key_set_has_public_members_only() {
    let world = World::new().await;
    world.keys.rotate().await.unwrap();
    for (path, members) in [
        (format!("/{TENANT}/discovery/keys"), "kty use alg kid x5t n e x5c"),
        ("/common/discovery/v2.0/keys".to_owned(), "kty use alg kid x5t n e x5c issuer"),
    ] {
        let answer = world.get(&path).await.json();
        let keys = answer["keys"].as_array().unwrap();
        assert_eq!(keys.len(), 2, "the key that signs and the one that waits");
        for key in keys {
            let found: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(found.join(" "), members);
        }
    }
}

#[tokio::test]
async fn instance_discovery_knows_its_own_hosts_alone() {
    let world = World::new().await;
    let ask = |endpoint: &str| format!("/common/discovery/instance?api-version=1.1&authorization_endpoint={endpoint}");
    let own = world.get(&ask("https%3A%2F%2Flocalhost%3A16926%2Fcommon%2Foauth2%2Fv2.0%2Fauthorize")).await;
    assert_eq!(own.status, StatusCode::OK);
    assert_eq!(own.json()["metadata"][0]["aliases"][0], "localhost:16926");
    for alias in ["127.0.0.1:16926", "[::1]:16926", "LOCALHOST:16926"] {
        let answer = world.get(&ask(&format!("https://{alias}/common/oauth2/v2.0/authorize"))).await;
        assert_eq!(answer.status, StatusCode::OK, "{alias}");
        let aliases = answer.json()["metadata"][0]["aliases"].clone();
        assert_eq!(aliases, serde_json::json!(["localhost:16926", "127.0.0.1:16926", "[::1]:16926"]));
    }
    for other in [
        "https://evil/common/oauth2/v2.0/authorize",
        "https://localhost:1/common/oauth2/v2.0/authorize",
        "x",
        "https://localhost:16926",
    ] {
        let answer = world.get(&ask(other)).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, 50_049), "{other}");
    }
}

#[tokio::test]
async fn a_tenant_is_found_by_its_whole_name_and_by_its_domain() {
    let world = World::with(|seed| {
        let id = "10000000-0000-4000-8000-000000000002".parse().unwrap();
        seed.tenants.push(Tenant { id, name: "contoso.onmicrosoft.com".to_owned(), created_at: None });
    })
    .await;
    for (name, tenant) in [
        ("contoso.onmicrosoft.com", "10000000-0000-4000-8000-000000000002"),
        ("dev.onmicrosoft.com", TENANT),
        ("dev", TENANT),
    ] {
        let answer = world.get(&format!("/{name}/.well-known/openid-configuration")).await;
        assert_eq!(answer.status, StatusCode::OK, "{name}: {}", answer.body);
        assert_eq!(answer.json()["issuer"], format!("https://sts.windows.net/{tenant}/").as_str(), "{name}");
    }
    assert_eq!(world.get("/contoso/.well-known/openid-configuration").await.code(), 90_002);
}

#[tokio::test]
async fn the_clouds_document_is_found_behind_two_slashes() {
    let world = World::new().await;
    for path in ["/metadata/endpoints?api-version=2022-09-01", "//metadata/endpoints?api-version=2022-09-01"] {
        let answer = world.get(path).await;
        assert_eq!((answer.status, answer.json()["name"].is_string()), (StatusCode::OK, true), "{path}");
    }
}
