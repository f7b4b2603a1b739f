//! Whether a client assertion is what it says: signed by a registered certificate, for us, now.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use contract::assertion::{AssertionAlgorithm, UnverifiedAssertion};
use domain::clock::LEEWAY;
use domain::{CertificateCredential, Timestamp};

use crate::certificate::Certificate;
use crate::signature;

/// Why an assertion isn't believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssertionRefusal {
    /// It names no certificate that is registered and not revoked.
    #[error("no registered certificate has the thumbprint '{0}'")]
    UnknownKey(String),
    /// Its signature is wrong.
    #[error("the signature does not verify")]
    Signature,
    /// It is outside of its time, or its certificate is.
    #[error("it is outside of its time")]
    Time,
    /// It isn't by and about the client.
    #[error("its issuer and subject are not the client id")]
    Client,
    /// It is for somebody else.
    #[error("its audience is not this authority")]
    Audience,
}

/// Verifies an assertion of a client's own key. `audiences` are all the names of the token endpoint.
///
/// # Errors
/// The first thing that is wrong: key, signature, client, audience, time.
pub fn verify<'c>(
    assertion: &UnverifiedAssertion<'_>,
    client_id: &str,
    certificates: &'c [CertificateCredential],
    audiences: &[String],
    now: Timestamp,
) -> Result<&'c CertificateCredential, AssertionRefusal> {
    let certificate = certificates
        .iter()
        .find(|certificate| named(assertion, certificate) && certificate.revoked_at.is_none())
        .ok_or_else(|| AssertionRefusal::UnknownKey(assertion.thumbprint_text.clone()))?;
    let key = Certificate::from_der(&certificate.certificate_der).map_err(|_| AssertionRefusal::Signature)?;
    let message = assertion.signed.as_bytes();
    if !signature::verifies(assertion.algorithm, &key.rsa_public_key, message, &assertion.signature) {
        return Err(AssertionRefusal::Signature);
    }
    if !assertion.issuer.eq_ignore_ascii_case(client_id) || !assertion.subject.eq_ignore_ascii_case(client_id) {
        return Err(AssertionRefusal::Client);
    }
    if !assertion.audiences.iter().any(|audience| audiences.contains(audience)) {
        return Err(AssertionRefusal::Audience);
    }
    check_time(assertion, now)?;
    if !certificate.is_valid_at(now) {
        return Err(AssertionRefusal::Time);
    }
    Ok(certificate)
}

/// An assertion names its certificate by either thumbprint; where it has both, both must fit.
fn named(assertion: &UnverifiedAssertion<'_>, certificate: &CertificateCredential) -> bool {
    let sha1 = assertion.thumbprint_sha1.map(|thumbprint| thumbprint == certificate.thumbprint_sha1);
    let sha256 = assertion.thumbprint_sha256.map(|thumbprint| thumbprint == certificate.thumbprint_sha256);
    match (sha1, sha256) {
        (Some(sha1), Some(sha256)) => sha1 && sha256,
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => false,
    }
}

/// Whether an assertion is within its time, give or take the leeway.
///
/// # Errors
/// When it isn't.
pub fn check_time(assertion: &UnverifiedAssertion<'_>, now: Timestamp) -> Result<(), AssertionRefusal> {
    let over = now.minus(LEEWAY).unix() >= assertion.expires_on;
    let early = assertion.not_before.is_some_and(|not_before| now.plus(LEEWAY).unix() < not_before);
    if over || early { Err(AssertionRefusal::Time) } else { Ok(()) }
}

/// Verifies a signature of an external issuer's key: RS256 and nothing else.
///
/// # Errors
/// When it doesn't verify.
pub fn verify_external(assertion: &UnverifiedAssertion<'_>, n: &[u8], e: &[u8]) -> Result<(), AssertionRefusal> {
    if assertion.algorithm != AssertionAlgorithm::Rs256 {
        return Err(AssertionRefusal::Signature);
    }
    RsaPublicKeyComponents { n, e }
        .verify(&RSA_PKCS1_2048_8192_SHA256, assertion.signed.as_bytes(), &assertion.signature)
        .map_err(|_| AssertionRefusal::Signature)
}
