//! The refusal table of the authority: no route without a row, no refusal with a token in it.

use aws_lc_rs::hmac;

use super::*;

/// Each route with a request that it refuses: method, path, form, status, `AADSTS` number.
const TABLE: [(&str, &str, &str, u16, u64); 15] = [
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
    ("/healthz", "GET", "", 0, 0),
    // These are the control plane's, whose refusals have another shape.
    ("/metadata/endpoints", "GET", "", 0, 0),
    ("/msgraph/v1.0/directoryObjects/getByIds", "POST", "", 0, 0),
    ("/msgraph/v1.0/servicePrincipals", "GET", "", 0, 0),
];

#[tokio::test]
async fn every_route_has_its_row() {
    for (_, route) in control::router::ROUTES {
        assert!(TABLE.iter().any(|(known, ..)| *known == route), "{route} has no row in the table");
    }
    let world = World::new().await;
    for (_, method, path, status, code) in TABLE.iter().filter(|row| row.3 != 0) {
        let answer = if *method == "GET" { world.get(path).await } else { world.post(path, "").await };
        assert_eq!((answer.status.as_u16(), answer.code()), (*status, *code), "{method} {path}: {}", answer.body);
    }
}

#[tokio::test]
async fn other_paths_and_methods_are_json_too() {
    let world = World::new().await;
    let answer = world.get("/x").await;
    assert_eq!((answer.status.as_u16(), answer.json()["error"].as_str()), (404, Some("not_found")));
    for (method, route) in control::router::ROUTES {
        let path = route.replace("{tenant}", "dev");
        let other = if method == "GET" { "POST" } else { "GET" };
        let request = Request::builder().method(other).uri(&path).body(Body::empty()).unwrap();
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
