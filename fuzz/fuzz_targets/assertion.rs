//! Client assertions: whole JWTs, headers and claims that are put together into one, and genuine ones with some bytes
//! changed. What is believed was made with the key that is registered.
#![no_main]

use std::sync::OnceLock;

use authority::assertion::verify;
use authority::certificate::Certificate;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use contract::assertion::UnverifiedAssertion;
use contract::jose;
use domain::{CertificateCredential, Timestamp};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// Assertions that another library made with a key that it threw away: nothing else verifies under its certificate.
const GENUINE: &str = include_str!("../../crates/authority/tests/vectors/pyjwt.json");

struct World {
    genuine: Vec<String>,
    client_id: String,
    audiences: Vec<String>,
    registered: Vec<CertificateCredential>,
    now: Timestamp,
}

impl World {
    fn of_vector() -> Self {
        let vector: Value = serde_json::from_str(GENUINE).expect("JSON");
        let text = |name: &str| vector[name].as_str().expect("text").to_owned();
        let der = STANDARD.decode(text("certificate")).expect("base64");
        let certificate = Certificate::from_der(&der).expect("a certificate");
        let assertions = vector["assertions"].as_array().expect("a list");
        Self {
            genuine: assertions.iter().map(|jwt| jwt.as_str().expect("text").to_owned()).collect(),
            client_id: text("clientId"),
            audiences: vec![text("audience")],
            registered: vec![CertificateCredential {
                holder: "40000000-0000-4000-8000-000000000001".parse().expect("a GUID"),
                tenant: "10000000-0000-4000-8000-000000000001".parse().expect("a GUID"),
                client_id: text("clientId").parse().expect("a GUID"),
                vm: None,
                extension: None,
                thumbprint_sha1: certificate.thumbprint_sha1,
                thumbprint_sha256: certificate.thumbprint_sha256,
                certificate_der: certificate.der,
                not_before: certificate.not_before,
                not_after: certificate.not_after,
                revoked_at: None,
            }],
            now: Timestamp::from_unix(vector["now"].as_i64().expect("a time")),
        }
    }

    /// Whether it is believed; only what was made with the key may be, byte for byte.
    fn believes(&self, jwt: &str) -> bool {
        let Ok(read) = UnverifiedAssertion::parse(jwt) else { return false };
        let believed = verify(&read, &self.client_id, &self.registered, &self.audiences, self.now).is_ok();
        assert!(!believed || self.genuine.iter().any(|genuine| genuine == jwt), "believed: {jwt}");
        believed
    }
}

fuzz_target!(|input: (&str, &str, &str, u8, Vec<(u16, u8)>)| {
    static WORLD: OnceLock<World> = OnceLock::new();
    let world = WORLD.get_or_init(World::of_vector);
    let (jwt, header, claims, which, changes) = input;
    world.believes(jwt);

    // A genuine assertion, changed here and there; unchanged it is believed, so the oracle sees both.
    let genuine = &world.genuine[usize::from(which) % world.genuine.len()];
    let mut bytes = genuine.clone().into_bytes();
    for (at, byte) in changes {
        let at = usize::from(at) % bytes.len();
        bytes[at] = byte;
    }
    if let Ok(changed) = String::from_utf8(bytes) {
        let believed = world.believes(&changed);
        assert_eq!(believed, changed == *genuine);
        if believed {
            symbolon_fuzz::accepted();
        }
    }

    // Other words under a genuine signature, and what the parser lets through at all.
    let (_, signature) = genuine.rsplit_once('.').expect("three parts");
    let whole = format!("{}.{}.{signature}", jose::encode(header), jose::encode(claims));
    world.believes(&whole);
    let Ok(read) = UnverifiedAssertion::parse(&whole) else { return };
    symbolon_fuzz::accepted();
    let header = jose::object(header.as_bytes()).expect("it was read");
    for forbidden in ["jwk", "jku", "x5u", "crit"] {
        assert!(!header.contains_key(forbidden));
    }
    assert!(matches!(header["alg"].as_str(), Some("RS256" | "PS256")));
    assert!(whole.starts_with(read.signed));
});
