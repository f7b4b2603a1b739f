use authority::key_ring::Ring;
use authority::verify::{TokenRefusal, VerifiedToken, verify};
use aws_lc_rs::hmac;

use super::*;

const AUDIENCES: [&str; 2] = ["https://management.azure.com/", "https://management.azure.com"];

fn check(world: &World, token: &str) -> Result<VerifiedToken, TokenRefusal> {
    use domain::Clock;
    let (ring, issuers) = (world.authority.ring().load(), Issuers::default());
    verify(token, &ring, &issuers, tenant(), &AUDIENCES, world.clock.now())
}

/// A token with this header and these claims, signed with the active key as if the authority had meant it.
fn forged(world: &World, header: &str, claims: &Map<String, Value>) -> String {
    let signed = format!("{}.{}", jose::encode(header), jose::encode(serde_json::to_vec(claims).unwrap()));
    let signature = world.authority.ring().load().active.sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", jose::encode(signature))
}

fn good_header(world: &World) -> String {
    format!(r#"{{"typ":"JWT","alg":"RS256","kid":"{}"}}"#, world.records[0].kid)
}

#[tokio::test]
async fn our_own_tokens_are_believed() {
    let world = World::new();
    let verified = check(&world, &world.token().await).unwrap();
    assert_eq!(verified.principal_id.to_string(), "40000000-0000-4000-8000-000000000001");
    assert_eq!(verified.expires_on.unix(), NOW + 86_400);
}

#[tokio::test]
async fn any_changed_byte_is_noticed() {
    let world = World::new();
    let token = world.token().await;
    // That it was good once makes nothing else good.
    check(&world, &token).unwrap();
    for at in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        if changed != token.as_bytes() {
            check(&world, &String::from_utf8(changed).unwrap()).unwrap_err();
        }
    }
}

#[tokio::test]
async fn a_token_that_was_believed_is_looked_at_again() {
    let world = World::new();
    let token = world.token().await;
    let (ring, issuers) = (world.authority.ring().load(), Issuers::default());
    let check =
        |audience: &str, now: i64| verify(&token, &ring, &issuers, tenant(), &[audience], Timestamp::from_unix(now));
    for _ in 0..2 {
        check(AUDIENCES[0], NOW).unwrap();
        assert_eq!(check("https://vault.azure.net", NOW), Err(TokenRefusal::Audience));
        assert_eq!(check(AUDIENCES[0], NOW + 86_700), Err(TokenRefusal::Time));
    }
}

#[tokio::test]
async fn the_key_decides_the_algorithm() {
    let world = World::new();
    let token = world.token().await;
    let claims = part(&token, 1);
    let kid = &world.records[0].kid;
    for header in [
        r#"{"alg":"none"}"#.to_owned(),
        format!(r#"{{"alg":"none","kid":"{kid}"}}"#),
        format!(r#"{{"alg":"RS512","kid":"{kid}"}}"#),
        format!(r#"{{"alg":"RS256","kid":"{kid}","jwk":{{}}}}"#),
        format!(r#"{{"alg":"RS256","kid":"{kid}","jku":"https://evil"}}"#),
        format!(r#"{{"alg":"RS256","kid":"{kid}","x5u":"https://evil"}}"#),
        format!(r#"{{"alg":"RS256","kid":"{kid}","crit":["exp"]}}"#),
    ] {
        assert_eq!(check(&world, &forged(&world, &header, &claims)), Err(TokenRefusal::Header), "{header}");
    }
    for kid in ["../../dev/null", "", "unknown", &"k".repeat(65)] {
        let header = format!(r#"{{"alg":"RS256","kid":"{kid}"}}"#);
        assert_eq!(check(&world, &forged(&world, &header, &claims)), Err(TokenRefusal::UnknownKey), "{kid}");
    }
    // The public key as the secret of an HMAC.
    let ring = world.authority.ring().load();
    let signed = format!(
        "{}.{}",
        jose::encode(format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#)),
        jose::encode(serde_json::to_vec(&claims).unwrap())
    );
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &ring.published[0].n), signed.as_bytes());
    assert_eq!(check(&world, &format!("{signed}.{}", jose::encode(tag))), Err(TokenRefusal::Header));
    let (signed, _) = token.rsplit_once('.').unwrap();
    assert_eq!(check(&world, &format!("{signed}.")), Err(TokenRefusal::Signature));
    assert_eq!(check(&world, signed), Err(TokenRefusal::Malformed));
}

#[tokio::test]
async fn wrong_claims_are_refused_even_when_signed() {
    let world = World::new();
    let claims = part(&world.token().await, 1);
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims.insert(name.to_owned(), value);
        check(&world, &forged(&world, &good_header(&world), &claims))
    };
    assert!(with("email", "admin@example.com".into()).is_ok(), "no other claim decides anything");
    for value in [Value::from("1700000000"), Value::Null, Value::from(1.8e9), serde_json::json!({})] {
        for name in ["exp", "nbf", "iat"] {
            assert_eq!(with(name, value.clone()), Err(TokenRefusal::Claim(name)), "{name}: {value}");
        }
    }
    assert_eq!(with("aud", serde_json::json!([AUDIENCES[0]])), Err(TokenRefusal::Claim("aud")));
    assert_eq!(with("aud", "https://management.azure.com//".into()), Err(TokenRefusal::Audience));
    assert_eq!(with("tid", "10000000-0000-4000-8000-000000000002".into()), Err(TokenRefusal::Tenant));
    let other = "https://sts.windows.net/10000000-0000-4000-8000-000000000002/";
    assert_eq!(with("iss", other.into()), Err(TokenRefusal::Issuer));
    assert_eq!(with("exp", (NOW - 300).into()), Err(TokenRefusal::Time));
    assert!(with("exp", (NOW - 299).into()).is_ok(), "within the leeway");
    assert_eq!(with("nbf", (NOW + 301).into()), Err(TokenRefusal::Time));
}

#[tokio::test]
async fn a_token_of_another_installation_is_refused() {
    let (ours, theirs) = (World::new(), World::new());
    assert_eq!(check(&ours, &theirs.token().await), Err(TokenRefusal::UnknownKey));
}

#[tokio::test]
async fn a_key_bound_to_another_issuer_verifies_nothing_here() {
    let world = World::new();
    let token = world.token().await;
    let mut records = world.records.clone();
    for record in &mut records {
        let private = world.kek.unwrap(&record.kek_id, &aad(record), &record.wrapped).unwrap();
        record.issuer = "https://other/{tenant}/".to_owned();
        record.wrapped = world.kek.wrap(&aad(record), &private).unwrap();
    }
    world.authority.ring().swap(Ring::open(&records, &world.kek, "i").unwrap());
    assert_eq!(check(&world, &token), Err(TokenRefusal::UnknownKey));
}
