use authority::assertion::{AssertionRefusal, verify};
use authority::signer::{Signer, SoftwareSigner};
use contract::assertion::UnverifiedAssertion;
use domain::CertificateCredential;

use super::*;

const CLIENT: &str = "30000000-0000-4000-8000-000000000001";
const AUDIENCE: &str = "https://localhost:16926/t/oauth2/v2.0/token";

struct Client {
    key: NewKey,
    registered: CertificateCredential,
}

impl Client {
    fn new() -> Self {
        let now = Timestamp::from_unix(NOW);
        let key = NewKey::generate("client", now, now.plus(Duration::from_secs(86_400))).unwrap();
        let registered = CertificateCredential {
            holder: "40000000-0000-4000-8000-000000000001".parse().unwrap(),
            tenant: tenant(),
            client_id: CLIENT.parse().unwrap(),
            vm: None,
            extension: None,
            thumbprint_sha1: key.certificate.thumbprint_sha1,
            thumbprint_sha256: key.certificate.thumbprint_sha256,
            certificate_der: key.certificate.der.clone(),
            not_before: key.certificate.not_before,
            not_after: key.certificate.not_after,
            revoked_at: None,
        };
        Self { key, registered }
    }

    fn assertion(&self, changes: &[(&str, Value)]) -> String {
        let mut claims = serde_json::json!({
            "aud": AUDIENCE, "iss": CLIENT, "sub": CLIENT, "exp": NOW + 600, "nbf": NOW,
        });
        for (name, value) in changes {
            claims[*name] = value.clone();
        }
        let header = format!(r#"{{"alg":"RS256","x5t":"{}="}}"#, jose::encode(self.key.certificate.thumbprint_sha1));
        let signed = format!("{}.{}", jose::encode(header), jose::encode(claims.to_string()));
        let signer = SoftwareSigner::new("k".to_owned(), &self.key.pkcs8).unwrap();
        format!("{signed}.{}", jose::encode(signer.sign(signed.as_bytes()).unwrap()))
    }
}

fn check(client: &Client, assertion: &str, now: i64) -> Result<(), AssertionRefusal> {
    let assertion = UnverifiedAssertion::parse(assertion).unwrap();
    let registered = std::slice::from_ref(&client.registered);
    verify(&assertion, CLIENT, registered, &[AUDIENCE.to_owned()], Timestamp::from_unix(now)).map(drop)
}

#[test]
fn a_registered_key_is_believed_within_its_time() {
    let client = Client::new();
    let assertion = client.assertion(&[]);
    for now in [NOW, NOW + 600, NOW + 899] {
        assert_eq!(check(&client, &assertion, now), Ok(()));
    }
    for now in [NOW + 900, NOW - 301] {
        assert_eq!(check(&client, &assertion, now), Err(AssertionRefusal::Time));
    }
}

#[test]
fn what_is_wrong_is_told() {
    let client = Client::new();
    let with = |name, value: Value| check(&client, &client.assertion(&[(name, value)]), NOW);
    assert_eq!(with("iss", "x".into()), Err(AssertionRefusal::Client));
    assert_eq!(with("sub", "x".into()), Err(AssertionRefusal::Client));
    assert_eq!(with("aud", "https://evil".into()), Err(AssertionRefusal::Audience));
    assert_eq!(with("aud", serde_json::json!(["https://evil", AUDIENCE])), Ok(()));
    let other = Client::new();
    assert!(matches!(check(&client, &other.assertion(&[]), NOW), Err(AssertionRefusal::UnknownKey(_))));
    let assertion = client.assertion(&[]);
    let (signed, _) = assertion.rsplit_once('.').unwrap();
    let (_, foreign) = assertion.split_at(signed.len());
    let swapped = format!("{}{foreign}", client.assertion(&[("jti", "x".into())]).rsplit_once('.').unwrap().0);
    assert_eq!(check(&client, &swapped, NOW), Err(AssertionRefusal::Signature));
}

#[test]
fn a_revoked_or_expired_certificate_is_no_key() {
    let mut client = Client::new();
    let assertion = client.assertion(&[("exp", (NOW + 200_000).into())]);
    assert_eq!(check(&client, &assertion, NOW + 100_000), Err(AssertionRefusal::Time));
    client.registered.revoked_at = Some(Timestamp::from_unix(NOW));
    assert!(matches!(check(&client, &assertion, NOW), Err(AssertionRefusal::UnknownKey(_))));
}
