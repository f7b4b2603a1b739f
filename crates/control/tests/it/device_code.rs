//! A person signs in to a program: codes, the page, tokens, and what renews them.

use super::*;

const AZ: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const OTHER_TENANT: &str = "10000000-0000-4000-8000-000000000002";
const SCOPE: &str = "https%3A%2F%2Flocalhost%3A16926%2F%2F.default+offline_access+openid+profile";

/// Codes for a program that asked in a tenant: the person's and the program's.
async fn codes(world: &World, tenant: &str, scope: &str) -> (String, String) {
    let form = format!("client_id={AZ}&scope={scope}");
    let answer = world.post(&format!("/{tenant}/oauth2/v2.0/devicecode"), &form).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let body = answer.json();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    assert_eq!((text("verification_uri"), &body["expires_in"]), (format!("{BASE}/devicelogin"), &900.into()));
    assert!(text("message").contains(&text("user_code")) && body["interval"].is_u64());
    (text("user_code"), text("device_code"))
}

async fn poll(world: &World, tenant: &str, device_code: &str) -> Answer {
    let form = format!("grant_type={GRANT}&client_id={AZ}&device_code={device_code}&code={device_code}&client_info=1");
    world.post(&format!("/{tenant}/oauth2/v2.0/token"), &form).await
}

async fn approve(world: &World, user_code: &str, account: &str, secret: &str) -> Answer {
    let secret = secret.replace(' ', "+");
    let form = format!("user_code={user_code}&action=approve&account={account}&secret={secret}");
    world.post("/devicelogin", &form).await
}

/// The tokens of a sign-in as the application.
async fn signed_in(world: &World) -> Value {
    let (user, device) = codes(world, TENANT, SCOPE).await;
    assert_eq!(approve(world, &user, "ci", SECRET).await.status, StatusCode::OK);
    let answer = poll(world, TENANT, &device).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.json()
}

async fn refresh(world: &World, tenant: &str, token: &str, scope: &str) -> Answer {
    let form = format!("grant_type=refresh_token&client_id={AZ}&refresh_token={token}&scope={scope}");
    world.post(&format!("/{tenant}/oauth2/v2.0/token"), &form).await
}

fn claims(jwt: &Value) -> Value {
    let part = jwt.as_str().expect("a token").split('.').nth(1).unwrap();
    serde_json::from_slice(&jose::decode(part).unwrap()).unwrap()
}

fn refused(answer: &Answer) -> (u64, String) {
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
    (answer.code(), answer.json()["error"].as_str().unwrap().to_owned())
}

fn with_other_tenant(seed: &mut Seed) {
    seed.tenants.push(Tenant { id: OTHER_TENANT.parse().unwrap(), name: "other".to_owned(), created_at: None });
}

#[tokio::test]
async fn a_person_signs_in_to_a_program() {
    let world = World::new().await;
    let (user, device) = codes(&world, TENANT, SCOPE).await;
    assert_eq!(refused(&poll(&world, TENANT, &device).await), (70_016, "authorization_pending".to_owned()));
    let page = world.get("/devicelogin").await;
    assert_eq!(
        (page.status, page.headers["content-type"].as_bytes()),
        (StatusCode::OK, &b"text/html; charset=utf-8"[..])
    );
    let (first, rest) = user.split_at(3);
    let typed = format!("{first}-{}", rest.to_lowercase());
    let look = world.post("/devicelogin", &format!("user_code={typed}")).await;
    assert!(look.status == StatusCode::OK && look.body.contains("Azure CLI") && look.body.contains(&user));
    assert!(look.body.contains("https://localhost:16926/"), "what for: {}", look.body);
    for (account, secret) in [("ci", "wrong"), ("nobody", SECRET), ("ci@other", SECRET), ("app", SECRET)] {
        let answer = approve(&world, &user, account, secret).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{account}");
        assert!(!answer.body.contains("wrong") && !answer.body.contains(SECRET));
    }
    assert_eq!(refused(&poll(&world, TENANT, &device).await).0, 70_016);
    let approved = approve(&world, &user, "CI%40dev", SECRET).await;
    assert!(approved.status == StatusCode::OK && approved.body.contains("ci@dev"), "{}", approved.body);

    let answer = poll(&world, TENANT, &device).await;
    assert_eq!((answer.status, &answer.headers["cache-control"]), (StatusCode::OK, &"no-store".parse().unwrap()));
    let body = answer.json();
    let access = answer.token(1);
    for (name, value) in [
        ("aud", "https://localhost:16926/"),
        ("appid", AZ),
        ("appidacr", "0"),
        ("idtyp", "user"),
        ("name", "ci"),
        ("oid", "40000000-0000-4000-8000-0000000000c1"),
        ("scp", "user_impersonation"),
        ("tid", TENANT),
        ("upn", "ci@dev"),
    ] {
        assert_eq!(access[name], value, "{name}");
    }
    assert!(access.get("preferred_username").is_none() && access.get("xms_mirid").is_none());
    let id = claims(&body["id_token"]);
    for (name, value) in [
        ("aud", AZ),
        ("iss", &format!("https://login.microsoftonline.com/{TENANT}/v2.0")),
        ("name", "ci"),
        ("oid", "40000000-0000-4000-8000-0000000000c1"),
        ("preferred_username", "ci@dev"),
        ("tid", TENANT),
        ("ver", "2.0"),
    ] {
        assert_eq!(id[name], value, "{name}");
    }
    assert_eq!(id["exp"].as_i64(), Some(NOW + 3_600));
    let scope = "https://localhost:16926//user_impersonation https://localhost:16926//.default";
    assert_eq!(body["scope"], scope);
    assert_eq!(refused(&poll(&world, TENANT, &device).await), (70_018, "bad_verification_code".to_owned()));

    let listed = Request::get("/subscriptions?api-version=2022-12-01")
        .header("authorization", format!("Bearer {}", body["access_token"].as_str().unwrap()))
        .body(Body::empty());
    let listed = world.send(listed.unwrap()).await;
    assert_eq!((listed.status, listed.json()["count"]["value"].as_i64()), (StatusCode::OK, Some(1)), "{}", listed.body);
    // An id token is for the program and opens nothing.
    let listed = Request::get("/subscriptions?api-version=2022-12-01")
        .header("authorization", format!("Bearer {}", body["id_token"].as_str().unwrap()))
        .body(Body::empty());
    assert_eq!(world.send(listed.unwrap()).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_was_not_asked_for_is_not_there() {
    let world = World::new().await;
    for (scope, id, renewed, named) in [
        ("r/.default", false, false, false),
        ("r/.default+openid", true, false, false),
        ("r/.default+openid+profile", true, false, true),
        ("r/.default+offline_access", false, true, false),
    ] {
        let (user, device) = codes(&world, TENANT, scope).await;
        approve(&world, &user, CLIENT, SECRET).await;
        let body = poll(&world, TENANT, &device).await.json();
        assert_eq!((body.get("id_token").is_some(), body.get("refresh_token").is_some()), (id, renewed), "{scope}");
        if id {
            assert_eq!(claims(&body["id_token"]).get("preferred_username").is_some(), named, "{scope}");
        }
    }
}

#[tokio::test]
async fn the_first_version_of_a_resources_tokens_names_the_account_otherwise() {
    let world = World::new().await;
    let (user, device) = codes(&world, TENANT, "api://AzureADTokenExchange/.default").await;
    approve(&world, &user, "ci", SECRET).await;
    let token = poll(&world, TENANT, &device).await.token(1);
    assert_eq!((&token["preferred_username"], &token["azp"]), (&"ci@dev".into(), &AZ.into()));
    assert!(token.get("upn").is_none() && token.get("unique_name").is_none());
}

#[tokio::test]
async fn a_no_is_heard_and_time_runs_out() {
    let world = World::new().await;
    let (user, device) = codes(&world, TENANT, SCOPE).await;
    let no = world.post("/devicelogin", &format!("user_code={user}&action=decline&account=&secret=")).await;
    assert!(no.status == StatusCode::OK && no.body.contains("not let in"));
    assert_eq!(refused(&poll(&world, TENANT, &device).await), (65_004, "authorization_declined".to_owned()));
    assert_eq!(approve(&world, &user, "ci", SECRET).await.status, StatusCode::BAD_REQUEST, "too late");
    let (user, device) = codes(&world, TENANT, SCOPE).await;
    assert_eq!(refused(&poll(&world, TENANT, &device).await).1, "authorization_pending");
    assert_eq!(refused(&poll(&world, TENANT, &device).await).1, "slow_down");
    world.clock.advance(Duration::from_secs(900));
    assert_eq!(approve(&world, &user, "ci", SECRET).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(refused(&poll(&world, TENANT, &device).await), (70_020, "expired_token".to_owned()));
    assert_eq!(refused(&poll(&world, TENANT, "x").await).0, 70_018);
}

#[tokio::test]
async fn programs_that_are_not_known_get_no_code() {
    let world = World::new().await;
    for client in [CLIENT, "x", "30000000-0000-4000-8000-0000000000ff"] {
        let form = format!("client_id={client}&scope={SCOPE}");
        let answer = world.post(&format!("/{TENANT}/oauth2/v2.0/devicecode"), &form).await;
        assert_eq!(refused(&answer), (700_016, "unauthorized_client".to_owned()), "{client}");
        let form = format!("grant_type={GRANT}&client_id={client}&device_code=x");
        assert_eq!(refused(&world.post(&format!("/{TENANT}/oauth2/v2.0/token"), &form).await).0, 700_016);
    }
}

#[tokio::test]
async fn the_form_may_go_without_its_name() {
    let world = World::new().await;
    let send = async |content_type: Option<&str>| {
        let mut request = Request::post(format!("/{TENANT}/oauth2/v2.0/devicecode"));
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        world.send(request.body(Body::from(format!("client_id={AZ}&scope={SCOPE}"))).unwrap()).await
    };
    assert_eq!(send(None).await.status, StatusCode::OK, "msal4j");
    assert_eq!(refused(&send(Some("application/json")).await).0, 90_015);
}

#[tokio::test]
async fn with_several_tenants_the_account_says_which() {
    let world = World::with(with_other_tenant).await;
    let (user, device) = codes(&world, "organizations", SCOPE).await;
    for account in ["ci", "ci@other", "nobody@dev"] {
        assert_eq!(approve(&world, &user, account, SECRET).await.status, StatusCode::UNAUTHORIZED, "{account}");
    }
    assert_eq!(approve(&world, &user, "ci@dev", SECRET).await.status, StatusCode::OK);
    assert_eq!(refused(&poll(&world, "other", &device).await).0, 70_018);
    assert_eq!(poll(&world, "organizations", &device).await.token(1)["tid"], TENANT);
    // A client id belongs to one tenant for ever.
    let (user, device) = codes(&world, "common", SCOPE).await;
    assert_eq!(approve(&world, &user, CLIENT, SECRET).await.status, StatusCode::OK);
    assert_eq!(poll(&world, "dev", &device).await.token(1)["tid"], TENANT);
    let (user, _) = codes(&world, "other", SCOPE).await;
    for account in ["ci", "ci@dev", CLIENT] {
        assert_eq!(approve(&world, &user, account, SECRET).await.status, StatusCode::UNAUTHORIZED, "{account}");
    }
}

#[tokio::test]
async fn a_sign_in_is_renewed_for_other_resources() {
    let world = World::new().await;
    let first = signed_in(&world).await;
    let mut token = first["refresh_token"].as_str().unwrap().to_owned();
    for (tenant, scope, resource) in
        [(TENANT, "a/.default+offline_access", "a"), ("organizations", "b//.default+offline_access", "b/")]
    {
        world.clock.advance(Duration::from_secs(44 * 86_400));
        let answer = refresh(&world, tenant, &token, scope).await;
        assert_eq!(
            (answer.status, answer.token(1)["aud"].as_str()),
            (StatusCode::OK, Some(resource)),
            "{}",
            answer.body
        );
        assert_eq!(answer.token(1)["upn"], "ci@dev");
        let next = answer.json()["refresh_token"].as_str().unwrap().to_owned();
        assert_ne!(next, token);
        token = next;
    }
    world.clock.advance(Duration::from_secs(2 * 86_400));
    let old = refresh(&world, TENANT, &token, SCOPE).await;
    assert_eq!(refused(&old), (700_082, "invalid_grant".to_owned()), "90 days after the sign-in, renewed or not");
}

#[tokio::test]
async fn a_refresh_token_is_good_for_what_it_was_given_for() {
    let world = World::with(with_other_tenant).await;
    let first = signed_in(&world).await;
    let token = first["refresh_token"].as_str().unwrap();
    assert_eq!(refused(&refresh(&world, "other", token, SCOPE).await).0, 70_000);
    let (kek, sealed) = token.split_once('.').unwrap();
    let mut broken = jose::decode(sealed).unwrap();
    *broken.last_mut().unwrap() ^= 1;
    let broken = format!("{kek}.{}", jose::encode(broken));
    for wrong in
        ["x", "x.y", ".", &broken, &format!("{kek}."), first["access_token"].as_str().unwrap(), &"a".repeat(9_000)]
    {
        let answer = refresh(&world, TENANT, wrong, SCOPE).await;
        assert_eq!(refused(&answer), (70_000, "invalid_grant".to_owned()));
    }
    let form = format!(
        "grant_type=refresh_token&client_id=1950a258-227b-4e31-a9cf-717495945fc2&refresh_token={token}&scope={SCOPE}"
    );
    assert_eq!(refused(&world.post(&format!("/{TENANT}/oauth2/v2.0/token"), &form).await).0, 70_000, "another program");
    let stranger = World::new().await;
    assert_eq!(refused(&refresh(&stranger, TENANT, token, SCOPE).await).0, 70_000, "another installation");
}

#[tokio::test]
async fn with_the_secret_goes_what_it_gave() {
    for end in [true, false] {
        let world = World::new().await;
        let first = signed_in(&world).await;
        let token = first["refresh_token"].as_str().unwrap();
        assert_eq!(refresh(&world, TENANT, token, SCOPE).await.status, StatusCode::OK);
        let act = Act::new("test", "application.put", "", Timestamp::from_unix(NOW));
        let write = move |tx: &mut dyn store::Tx| {
            let mut application = tx.application(TENANT.parse().unwrap(), CLIENT.parse().unwrap())?.unwrap();
            if end {
                application.secrets[0].expires_on = Some(Timestamp::from_unix(NOW));
            } else {
                application.secrets.clear();
            }
            tx.put_application(&application)
        };
        world.store.write(act, write).await.unwrap();
        let answer = refresh(&world, TENANT, token, SCOPE).await;
        assert_eq!(refused(&answer), (50_173, "invalid_grant".to_owned()));
        let (user, _) = codes(&world, TENANT, SCOPE).await;
        assert_eq!(approve(&world, &user, "ci", SECRET).await.status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn a_sign_in_outlives_the_process() {
    let world = World::new().await;
    let first = signed_in(&world).await;
    let token = first["refresh_token"].as_str().unwrap();
    let (user, device) = codes(&world, TENANT, SCOPE).await;
    let World { store, kek, own, external, .. } = world;
    let next = World::open(store, kek, own, external).await;
    assert_eq!(refresh(&next, TENANT, token, SCOPE).await.status, StatusCode::OK);
    assert_eq!(approve(&next, &user, "ci", SECRET).await.status, StatusCode::BAD_REQUEST, "codes don't");
    assert_eq!(refused(&poll(&next, TENANT, &device).await).0, 70_018);
}

#[tokio::test]
async fn another_sites_page_lets_nobody_in() {
    let world = World::new().await;
    let (user, device) = codes(&world, TENANT, SCOPE).await;
    let secret = SECRET.replace(' ', "+");
    let send = async |user: &str, name: &str, value: &str| {
        let request = Request::post("/devicelogin")
            .header("content-type", "application/x-www-form-urlencoded")
            .header(name, value)
            .body(Body::from(format!("user_code={user}&action=approve&account=ci&secret={secret}")));
        world.send(request.unwrap()).await
    };
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "http://localhost:16926"),
        ("origin", "https://localhost:16926.evil.example"),
        ("origin", "https://localhost"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let answer = send(&user, name, value).await;
        assert_eq!(
            (answer.status, answer.json()["error"].as_str()),
            (StatusCode::FORBIDDEN, Some("forbidden")),
            "{value}"
        );
    }
    assert_eq!(refused(&poll(&world, TENANT, &device).await).0, 70_016, "nobody was let in");
    for (name, value) in [("origin", "https://127.0.0.1:16926"), ("sec-fetch-site", "same-origin")] {
        let (user, device) = codes(&world, TENANT, SCOPE).await;
        assert_eq!(send(&user, name, value).await.status, StatusCode::OK, "{value}");
        assert_eq!(poll(&world, TENANT, &device).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn the_page_runs_nothing_and_stands_in_no_frame() {
    use aws_lc_rs::digest;
    use contract::device_login::{CONTENT_SECURITY_POLICY, STYLE};

    let page = World::new().await.get("/devicelogin").await;
    let hash = STANDARD.encode(digest::digest(&digest::SHA256, STYLE.as_bytes()));
    assert!(CONTENT_SECURITY_POLICY.contains(&format!("'sha256-{hash}'")), "the style's hash is {hash}");
    for (name, value) in [
        ("content-security-policy", CONTENT_SECURITY_POLICY),
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
        ("referrer-policy", "same-origin"),
    ] {
        assert_eq!(page.headers[name], value);
    }
    assert!(page.body.contains(&format!("<style>{STYLE}</style>")) && !page.headers.contains_key("set-cookie"));
    assert!(!page.body.contains("<script"));
}
