use std::io::{self, Write};
use std::sync::Mutex;

use authority::kek::{KekError, KeyAad};
use authority::key_ring::RingError;
use zeroize::Zeroizing;

use super::*;

#[tokio::test]
async fn a_v1_token_says_what_the_real_service_says() {
    let world = World::new();
    let jwt = world.token().await;
    let kid = &world.records[0].kid;
    let header = jose::decode(jwt.split('.').next().unwrap()).unwrap();
    assert_eq!(
        String::from_utf8(header).unwrap(),
        format!(r#"{{"typ":"JWT","alg":"RS256","x5t":"{kid}","kid":"{kid}"}}"#)
    );
    let mut claims = part(&jwt, 1);
    let uti = claims.insert("uti".to_owned(), "-".into()).unwrap();
    assert_eq!(uti.as_str().unwrap().len(), 22);
    assert_eq!(
        serde_json::to_string(&claims).unwrap(),
        concat!(
            r#"{"aud":"https://management.azure.com/","#,
            r#""iss":"https://sts.windows.net/10000000-0000-4000-8000-000000000001/","#,
            r#""iat":1799999700,"nbf":1799999700,"exp":1800086400,"#,
            r#""appid":"30000000-0000-4000-8000-000000000001","appidacr":"2","#,
            r#""idp":"https://sts.windows.net/10000000-0000-4000-8000-000000000001/","idtyp":"app","#,
            r#""oid":"40000000-0000-4000-8000-000000000001","sub":"40000000-0000-4000-8000-000000000001","#,
            r#""tid":"10000000-0000-4000-8000-000000000001","uti":"-","ver":"1.0","xms_act_fct":"3 9","#,
            r#""xms_idrel":"7 4","#,
            r#""xms_mirid":"/subscriptions/s/resourcegroups/dev/providers/Microsoft.Compute/virtualMachines/dev","#,
            r#""xms_sub_fct":"9 3","xms_tcdt":1700000000}"#
        )
    );
}

/// The claims as they stand in the token, without the token's own id.
fn claims(jwt: &str) -> String {
    let mut claims = part(jwt, 1);
    claims.insert("uti".to_owned(), "-".into());
    serde_json::to_string(&claims).unwrap()
}

#[tokio::test]
async fn a_user_assigned_identity_names_who_used_it() {
    let world = World::new();
    let spec = TokenSpec {
        subject: Subject::ManagedIdentity { resource_id: "/i/app".to_owned(), used_by: Some("/m/vm".to_owned()) },
        capabilities: vec!["CP1".to_owned()],
        ..spec("https://vault.azure.net")
    };
    let jwt = world.authority.mint(&spec).await.unwrap().into_jwt();
    let end = r#","xms_act_fct":"3 9","xms_cc":["CP1"],"xms_idrel":"7 4","xms_mirid":"/i/app","xms_az_rid":"/m/vm","xms_sub_fct":"9 3","xms_tcdt":1700000000}"#;
    assert!(claims(&jwt).ends_with(end), "{}", claims(&jwt));
}

#[tokio::test]
async fn an_application_has_its_roles_and_no_resource() {
    let world = World::new();
    for credential in ["1", "2"] {
        let subject = Subject::Application { credential, roles: vec!["Reader".to_owned()] };
        let spec = TokenSpec { subject, ..spec("https://graph") };
        let claims = part(&world.authority.mint(&spec).await.unwrap().into_jwt(), 1);
        assert_eq!((&claims["appidacr"], &claims["roles"]), (&credential.into(), &serde_json::json!(["Reader"])));
        assert!(!claims.contains_key("xms_mirid") && !claims.contains_key("xms_az_rid"));
    }
}

#[tokio::test]
async fn the_exchange_resource_gets_a_v2_token() {
    let world = World::new();
    let jwt = world.authority.mint(&spec("api://AzureADTokenExchange")).await.unwrap().into_jwt();
    let claims = part(&jwt, 1);
    assert_eq!(claims["iss"], "https://login.microsoftonline.com/10000000-0000-4000-8000-000000000001/v2.0");
    assert_eq!((&claims["ver"], &claims["azpacr"]), (&"2.0".into(), &"2".into()));
    assert!(!claims.contains_key("appid") && !part(&jwt, 0).contains_key("x5t"));
}

#[tokio::test]
async fn the_audience_is_the_resource_byte_for_byte() {
    let world = World::new();
    for resource in ["https://a", "https://a/", "https://a//", "5d3c", "api://x/\"\\\u{e9}"] {
        let jwt = world.authority.mint(&spec(resource)).await.unwrap().into_jwt();
        assert_eq!(part(&jwt, 1)["aud"], resource);
    }
}

/// Whatever leaves: key sets and debug texts. None holds a private member, nor any part of a private key.
#[tokio::test]
async fn no_private_part_of_a_key_leaves() {
    let world = World::new();
    let ring = world.authority.ring().load();
    let members = ["alg", "e", "issuer", "kid", "kty", "n", "use", "x5c", "x5t"];
    for set in [&ring.jwks_v1, &ring.jwks_v2] {
        let set: Value = serde_json::from_slice(set).unwrap();
        let keys = set["keys"].as_array().unwrap();
        assert_eq!(keys.len(), 2, "the active key and the next");
        for key in keys {
            for (name, value) in key.as_object().unwrap() {
                assert!(members.contains(&name.as_str()), "{name}");
                assert!(!value.to_string().contains("PRIVATE"));
            }
            assert!(!jose::decode(key["n"].as_str().unwrap()).unwrap().starts_with(&[0]));
            assert_eq!(key["kid"], key["x5t"]);
        }
    }
    let private: Vec<_> = world
        .records
        .iter()
        .map(|record| world.kek.unwrap(&record.kek_id, &aad(record), &record.wrapped).unwrap())
        .collect();
    let texts = [format!("{ring:?}"), format!("{:?}", world.authority), format!("{:?}", world.kek)];
    let leaving = texts.iter().map(String::as_bytes).chain([ring.jwks_v1.as_slice(), ring.jwks_v2.as_slice()]);
    for bytes in leaving {
        for key in &private {
            // Any 24 bytes of the private exponent and the primes, in either alphabet of base64 or as they are.
            for window in key[300..].windows(24).step_by(8) {
                let text = jose::encode(window);
                assert!(!bytes.windows(24).any(|found| found == window));
                assert!(!bytes.windows(text.len()).any(|found| found == text.as_bytes()));
            }
        }
    }
}

/// A key-encryption key that binds a wrapped key to nothing.
#[derive(Debug)]
struct Unbound(FileKek);

const NOTHING: KeyAad<'_> = KeyAad { kid: "", issuer: "", purpose: "", version: 0 };

impl Kek for Unbound {
    fn id(&self) -> &str {
        self.0.id()
    }

    fn wrap(&self, _: &KeyAad<'_>, key: &[u8]) -> Result<Vec<u8>, KekError> {
        self.0.wrap(&NOTHING, key)
    }

    fn unwrap(&self, kek_id: &str, _: &KeyAad<'_>, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, KekError> {
        self.0.unwrap(kek_id, &NOTHING, wrapped)
    }

    fn derive(&self, label: &'static str) -> Result<Zeroizing<[u8; 32]>, KekError> {
        self.0.derive(label)
    }
}

/// What becomes of a wrapped key that is copied onto the record of the key that signs.
fn with_a_copied_key(kek: &dyn Kek) -> Result<KeyRing, RingError> {
    let mut records = [record(kek, KeyState::Active), record(kek, KeyState::Next)];
    KeyRing::open(&records, kek, "i").unwrap();
    records[0].wrapped = records[1].wrapped.clone();
    KeyRing::open(&records, kek, "i")
}

#[test]
fn a_wrapped_key_on_another_record_opens_nothing() {
    let refused = with_a_copied_key(&FileKek::generate().unwrap()).unwrap_err();
    assert!(matches!(refused, RingError::Kek { why: KekError::Broken, .. }), "{refused}");
    // The control: it is the binding that keeps it shut.
    with_a_copied_key(&Unbound(FileKek::generate().unwrap())).unwrap();
}

#[test]
fn without_a_key_that_signs_there_is_no_ring() {
    let mut records = World::new().records;
    records[0].state = KeyState::Retiring;
    assert!(matches!(KeyRing::open(&records, &FileKek::generate().unwrap(), "i"), Err(RingError::NoActiveKey)));
}

/// What is logged while a test runs, as lines of JSON.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn each_token_leaves_a_trace_and_no_byte() {
    let (world, log) = (World::new(), Log::default());
    let lines = log.clone();
    // Whoever is first to log a line decides for all threads whether anybody listens: that has to be over by now.
    world.authority.mint(&spec("https://r/")).await.unwrap();
    let subscriber = tracing_subscriber::fmt().json().with_writer(move || lines.clone()).finish();
    let logging = tracing::subscriber::set_default(subscriber);
    let spec = TokenSpec { evidence: Evidence::Federated, ..spec("https://r/\n{\"level\":\"x\"}") };
    let jwt = world.authority.mint(&spec).await.unwrap().into_jwt();
    drop(logging);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    let line: Value = serde_json::from_str(&text).unwrap();
    let fields = &line["fields"];
    for (field, value) in [
        ("message", "a token was issued".to_owned()),
        ("tenant", spec.tenant.to_string()),
        ("client_id", spec.client_id.to_string()),
        ("principal_id", spec.principal_id.to_string()),
        ("audience", format!("{:?}", spec.audience)),
        ("kid", part(&jwt, 0)["kid"].as_str().unwrap().to_owned()),
        ("uti", part(&jwt, 1)["uti"].as_str().unwrap().to_owned()),
        ("evidence", "federated".to_owned()),
    ] {
        assert_eq!(fields[field], value.as_str(), "{field}");
    }
    assert_eq!((&line["level"], &fields["legacy"]), (&"INFO".into(), &false.into()));
    assert!(!text.contains("eyJ") && jwt.split('.').all(|part| !text.contains(part)), "{text}");
}
