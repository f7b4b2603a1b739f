//! The refusal table of the authority: no route without a row, no refusal with a token in it.

use aws_lc_rs::{hmac, signature};

use super::*;

/// Each route with a request that it refuses: method, path, status, `AADSTS` number; 0 is none.
const TABLE: [(&str, &str, &str, u16, u64); 18] = [
    ("/{tenant}/.well-known/openid-configuration", "GET", "/nobody/.well-known/openid-configuration", 400, 90_002),
    ("/{tenant}/.well-known/openid-configuration", "GET", "/a%20b/.well-known/openid-configuration", 400, 900_023),
    (
        "/{tenant}/v2.0/.well-known/openid-configuration",
        "GET",
        "/nobody/v2.0/.well-known/openid-configuration",
        400,
        90_002,
    ),
    ("/{tenant}/discovery/keys", "GET", "/nobody/discovery/keys", 400, 90_002),
    ("/{tenant}/discovery/v2.0/keys", "GET", "/nobody/discovery/v2.0/keys", 400, 90_002),
    ("/{tenant}/discovery/instance", "GET", "/common/discovery/instance", 400, 900_144),
    ("/{tenant}/discovery/instance", "GET", "/common/discovery/instance?authorization_endpoint=%ff", 400, 50_049),
    ("/{tenant}/oauth2/token", "POST", "/nobody/oauth2/token", 400, 90_002),
    ("/{tenant}/oauth2/token", "POST", "/dev/oauth2/token", 400, 900_144),
    ("/{tenant}/oauth2/v2.0/token", "POST", "/nobody/oauth2/v2.0/token", 400, 90_002),
    ("/{tenant}/oauth2/v2.0/token", "POST", "/dev/oauth2/v2.0/token", 400, 900_144),
    ("/{tenant}/oauth2/v2.0/devicecode", "POST", "/nobody/oauth2/v2.0/devicecode", 400, 90_002),
    ("/{tenant}/oauth2/v2.0/devicecode", "POST", "/dev/oauth2/v2.0/devicecode", 400, 900_144),
    ("/devicelogin", "POST", "/devicelogin", 400, 900_144),
    ("/healthz", "POST", "/healthz", 405, 0),
    ("/metadata/endpoints", "GET", "/metadata/endpoints", 400, 0),
    ("/msgraph/v1.0/directoryObjects/getByIds", "POST", "/msgraph/v1.0/directoryObjects/getByIds", 401, 0),
    ("/msgraph/v1.0/servicePrincipals", "GET", "/msgraph/v1.0/servicePrincipals", 401, 0),
];

#[tokio::test]
async fn every_route_has_its_row() {
    for control::router::Route { path: route, .. } in control::router::ROUTES {
        assert!(TABLE.iter().any(|(known, ..)| *known == route), "{route} has no row in the table");
    }
    let world = World::new().await;
    for (_, method, path, status, code) in &TABLE {
        let answer = if *method == "GET" { world.get(path).await } else { world.post(path, "").await };
        let found = answer.json()["error_codes"][0].as_u64().unwrap_or(0);
        assert_eq!((answer.status.as_u16(), found), (*status, *code), "{method} {path}: {}", answer.body);
        let error = &answer.json()["error"];
        assert!(error.is_string() || error["code"].is_string(), "{method} {path}: {}", answer.body);
    }
}

#[tokio::test]
async fn other_paths_and_methods_are_json_too() {
    let world = World::new().await;
    let answer = world.get("/x").await;
    assert_eq!((answer.status.as_u16(), answer.json()["error"].as_str()), (404, Some("not_found")));
    for control::router::Route { method, path: route, .. } in control::router::ROUTES {
        let path = route.replace("{tenant}", "dev");
        let request = Request::builder().method("PUT").uri(&path).body(Body::empty()).unwrap();
        let answer = world.send(request).await;
        assert_eq!((answer.status.as_u16(), answer.json()["error"].as_str()), (405, Some("method_not_allowed")));
        assert_eq!(answer.headers["content-type"], "application/json; charset=utf-8");
        assert!(answer.headers["allow"].to_str().unwrap().contains(method), "{path}");
    }
}

#[tokio::test]
async fn secrets_and_forms() {
    let world = World::new().await;
    let secret = SECRET.replace(' ', "+");
    for (proof, status, code) in [
        ("client_secret=wrong".to_owned(), 401, 7_000_215),
        (format!("client_secret={secret}&client_secret={secret}"), 400, 90_015),
        (String::new(), 401, 7_000_218),
        (format!("client_secret={secret}&x=%ff"), 400, 90_015),
    ] {
        let answer = world.token(&proof).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (status, code), "{proof}");
        assert!(!answer.body.contains("wrong") && !answer.body.contains(SECRET));
    }
    let form = |client: &str, scope: &str| {
        format!("client_id={client}&scope={scope}&grant_type=client_credentials&client_secret={secret}")
    };
    let path = format!("/{TENANT}/oauth2/v2.0/token");
    for (form, code) in [
        (form("30000000-0000-4000-8000-0000000000ff", "r/.default"), 700_016),
        (form("x", "r/.default"), 700_016),
        (form(CLIENT, "r"), 70_011),
        (form(CLIENT, "a/.default+b/.default"), 70_011),
        (form(CLIENT, "r/.default").replace("client_credentials", "password"), 70_003),
    ] {
        let answer = world.post(&path, &form).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, code), "{form}");
    }
    let large = world.post(&path, &"x".repeat(64 * 1024 + 1)).await;
    assert_eq!((large.status.as_u16(), large.json()["error"].as_str()), (413, Some("request_too_large")));
    let json = Request::post(&path).header("content-type", "application/json").body(Body::from("{}")).unwrap();
    assert_eq!(world.send(json).await.code(), 90_015);
    let basic = Request::post(&path)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", "Bearer x")
        .body(Body::from("grant_type=client_credentials"))
        .unwrap();
    assert_eq!(world.send(basic).await.code(), 90_015);
}

#[tokio::test]
async fn assertions_that_lie() {
    let world = World::new().await;
    let (header, claims) = (world.own_header(), World::own_claims());
    let with_header = |name: &str, value: Value| {
        let mut header = header.clone();
        header[name] = value;
        sign(&world.own, &header, &claims)
    };
    let with_claim = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        sign(&world.own, &header, &claims)
    };
    let other = key("other");
    let unsigned = format!("{}.{}.", jose::encode(r#"{"alg":"none"}"#), jose::encode(claims.to_string()));
    // The public key as the secret of an HMAC.
    let hs256 =
        format!("{}.{}", jose::encode(header.to_string().replace("RS256", "HS256")), jose::encode(claims.to_string()));
    let secret = hmac::Key::new(hmac::HMAC_SHA256, &world.own.certificate.rsa_public_key);
    let hs256 = format!("{hs256}.{}", jose::encode(hmac::sign(&secret, hs256.as_bytes())));
    let (n, e) = other.certificate.modulus_and_exponent().unwrap();
    let jwk = serde_json::json!({"kty": "RSA", "n": jose::encode(n), "e": jose::encode(e)});
    let embedded = serde_json::json!({"alg": "RS256", "jwk": jwk});
    for (name, jwt, status, code) in [
        ("none", unsigned, 400, 50_013),
        ("HS256 with the public key", hs256, 400, 50_013),
        ("embedded jwk", sign(&other, &embedded, &claims), 400, 50_013),
        ("jku", with_header("jku", "https://evil".into()), 400, 50_013),
        ("wrong thumbprint", with_header("x5t", jose::encode([0; 20]).into()), 401, 700_027),
        (
            "kid alone",
            sign(&other, &serde_json::json!({"alg": "RS256", "kid": "../../dev/null"}), &claims),
            401,
            700_027,
        ),
        ("another's key", sign(&other, &header, &claims), 401, 50_012),
        ("expired", with_claim("exp", (NOW - 301).into()), 401, 700_024),
        ("not yet valid", with_claim("nbf", (NOW + 301).into()), 401, 700_024),
        ("mistyped exp", with_claim("exp", Value::Null), 400, 50_013),
        ("wrong audience", with_claim("aud", "https://evil/token".into()), 400, 50_013),
        (
            "another tenant's endpoint",
            with_claim("aud", format!("{BASE}/10000000-0000-4000-8000-000000000002/oauth2/token").into()),
            400,
            50_013,
        ),
        ("another subject", with_claim("sub", "x".into()), 400, 50_013),
        ("not a JWT", "x".to_owned(), 400, 50_013),
    ] {
        let answer = world.assert(&jwt).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (status, code), "{name}: {}", answer.body);
        assert!(!answer.body.contains("eyJ"), "{name}");
        assert!(!answer.headers.contains_key("location"));
    }
}

#[tokio::test]
async fn the_callers_id_comes_back_and_nothing_else_does() {
    let world = World::new().await;
    let id = "60000000-0000-4000-8000-000000000001";
    let request = Request::post("/nobody/oauth2/token").header("client-request-id", id).body(Body::empty()).unwrap();
    let answer = world.send(request).await;
    assert_eq!(answer.json()["correlation_id"], id);
    assert_eq!(answer.json()["timestamp"], "2027-01-15 08:00:00Z");
    let request = Request::post("/nobody/oauth2/token").header("client-request-id", "<script>").body(Body::empty());
    assert!(!world.send(request.unwrap()).await.body.contains("<script>"));
}

/// The tenant in which the client is not.
const OTHER_TENANT: &str = "10000000-0000-4000-8000-000000000002";

fn with_other_tenant(seed: &mut Seed) {
    let id = OTHER_TENANT.parse().unwrap();
    seed.tenants.push(Tenant { id, name: "other".to_owned(), created_at: None });
}

#[tokio::test]
async fn a_client_is_nobody_in_another_tenant() {
    let world = World::with(with_other_tenant).await;
    let kind = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    let assertion = |jwt: String| format!("client_assertion_type={kind}&client_assertion={jwt}");
    let secret = format!("client_secret={}", SECRET.replace(' ', "+"));
    let mut claims = World::own_claims();
    let at_home = assertion(sign(&world.own, &world.own_header(), &claims));
    claims["aud"] = format!("{BASE}/{OTHER_TENANT}/oauth2/v2.0/token").into();
    let abroad = assertion(sign(&world.own, &world.own_header(), &claims));
    let header = serde_json::json!({"alg": "RS256", "kid": "ext"});
    let federated = assertion(sign(&world.external, &header, &World::external_claims()));
    let ask = async |tenant: &str, version: &str, resource: &str, proof: &str| {
        let form = format!("client_id={CLIENT}&{resource}&grant_type=client_credentials&{proof}");
        world.post(&format!("/{tenant}/oauth2{version}/token"), &form).await
    };
    for (version, resource) in [("/v2.0", "scope=r/.default"), ("", "resource=r")] {
        for proof in [&secret, &at_home, &federated] {
            let answer = ask(TENANT, version, resource, proof).await;
            assert_eq!(answer.status, StatusCode::OK, "{proof}: {}", answer.body);
        }
        for proof in [&secret, &at_home, &abroad, &federated] {
            for tenant in [OTHER_TENANT, "other", "other.onmicrosoft.com"] {
                let answer = ask(tenant, version, resource, proof).await;
                assert_eq!((answer.status.as_u16(), answer.code()), (400, 700_016), "{tenant} {proof}");
                assert!(!answer.body.contains("eyJ"));
            }
            let answer = ask("10000000-0000-4000-8000-000000000003", version, resource, proof).await;
            assert_eq!((answer.status.as_u16(), answer.code()), (400, 90_002), "{proof}");
        }
        // At home, with an assertion that was made for the other tenant.
        let answer = ask(TENANT, version, resource, &abroad).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, 50_013), "{}", answer.body);
    }
}

#[tokio::test]
async fn no_tenant_in_particular_is_the_only_one_there_is() {
    let (one, two) = (World::new().await, World::with(with_other_tenant).await);
    let secret = SECRET.replace(' ', "+");
    let form = format!("client_id={CLIENT}&scope=r/.default&grant_type=client_credentials&client_secret={secret}");
    for tenant in ["common", "organizations"] {
        let path = format!("/{tenant}/oauth2/v2.0/token");
        let answer = one.post(&path, &form).await;
        assert_eq!((answer.status, answer.token(1)["tid"].as_str()), (StatusCode::OK, Some(TENANT)));
        let answer = two.post(&path, &form).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, 90_002), "{tenant}: whose would it be?");
    }
}

#[tokio::test]
async fn a_secret_has_its_end() {
    let world = World::new().await;
    let act = Act::new("test", "application.put", "", Timestamp::from_unix(NOW));
    let write = move |tx: &mut dyn store::Tx| {
        let mut application = tx.application(TENANT.parse().unwrap(), CLIENT.parse().unwrap())?.unwrap();
        application.secrets[0].expires_on = Some(Timestamp::from_unix(NOW + 60));
        tx.put_application(&application)
    };
    world.store.write(act, write).await.unwrap();
    let secret = format!("client_secret={}", SECRET.replace(' ', "+"));
    world.clock.advance(Duration::from_secs(59));
    assert_eq!(world.token(&secret).await.status, StatusCode::OK);
    world.clock.advance(Duration::from_secs(1));
    let answer = world.token(&secret).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (401, 7_000_222));
    assert_eq!(world.token("client_secret=wrong").await.code(), 7_000_215, "wrong before it is old");
}

#[tokio::test]
async fn an_external_issuer_signs_with_rs256_and_nothing_else() {
    let world = World::new().await;
    let header = serde_json::json!({"alg": "PS256", "kid": "ext"});
    let signed = format!("{}.{}", jose::encode(header.to_string()), jose::encode(World::external_claims().to_string()));
    let pair = signature::RsaKeyPair::from_pkcs8(&world.external.pkcs8).unwrap();
    let mut signature = vec![0; pair.public_modulus_len()];
    let random = aws_lc_rs::rand::SystemRandom::new();
    pair.sign(&signature::RSA_PSS_SHA256, &random, signed.as_bytes(), &mut signature).unwrap();
    let answer = world.assert(&format!("{signed}.{}", jose::encode(signature))).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (401, 50_012), "a sound signature all the same");
}

#[tokio::test]
async fn without_the_issuers_keys_there_is_no_token() {
    let world = World::with(|seed| {
        seed.external_issuers[0].jwks = JwksSource::File("/nonexistent/keys.json".into());
    })
    .await;
    let header = serde_json::json!({"alg": "RS256", "kid": "ext"});
    let jwt = sign(&world.external, &header, &World::external_claims());
    // Not at once, and not because it was tried a moment ago.
    for _ in 0..2 {
        let answer = world.assert(&jwt).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, 500_031), "{}", answer.body);
        assert!(answer.json()["error_description"].as_str().unwrap().contains(ISSUER));
        assert!(!answer.body.contains("/nonexistent"));
    }
}
