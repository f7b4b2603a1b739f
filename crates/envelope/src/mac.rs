//! The integrity code of a PFX without a password (RFC 7292 §4 and appendix B).
//!
//! Without a password it proves nothing about who wrote the file; it finds a damaged one, and readers want it.

use aws_lc_rs::digest::{self, Context, SHA1_FOR_LEGACY_USE_ONLY};
use aws_lc_rs::hmac::{self, HMAC_SHA1_FOR_LEGACY_USE_ONLY, HMAC_SHA256, HMAC_SHA384, HMAC_SHA512};
use aws_lc_rs::rand;
use der::asn1::{Any, ObjectIdentifier, OctetString};
use pkcs12::digest_info::DigestInfo;
use pkcs12::mac_data::MacData;
use x509_cert::spki::AlgorithmIdentifierOwned;
use zeroize::Zeroizing;

use crate::EnvelopeError;
use crate::pbes2::{ITERATIONS, MAX_ITERATIONS, SALT};

const SHA_1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA_384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA_512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");

/// The two ways in which programs write "no password": the end of a string of 16-bit characters, and nothing at all.
const NO_PASSWORD: [&[u8]; 2] = [&[0, 0], &[]];

/// The purpose of a key that is derived for a MAC.
const PURPOSE: u8 = 3;

/// Makes the code, with SHA-256.
pub(crate) fn make(data: &[u8]) -> Result<MacData, EnvelopeError> {
    let mut salt = [0; SALT];
    rand::fill(&mut salt)?;
    let key = derive(&digest::SHA256, NO_PASSWORD[0], &salt, ITERATIONS);
    let tag = hmac::sign(&hmac::Key::new(HMAC_SHA256, &key), data);
    let octets = |bytes: &[u8]| OctetString::new(bytes).map_err(|_| EnvelopeError::Crypto);
    Ok(MacData {
        mac: DigestInfo {
            algorithm: AlgorithmIdentifierOwned { oid: SHA_256, parameters: Some(Any::null()) },
            digest: octets(tag.as_ref())?,
        },
        mac_salt: octets(&salt)?,
        iterations: ITERATIONS.try_into().map_err(|_| EnvelopeError::Crypto)?,
    })
}

/// Checks a code.
pub(crate) fn verify(mac: &MacData, data: &[u8]) -> Result<(), EnvelopeError> {
    let (digest, algorithm) = match mac.mac.algorithm.oid {
        SHA_1 => (&SHA1_FOR_LEGACY_USE_ONLY, HMAC_SHA1_FOR_LEGACY_USE_ONLY),
        SHA_256 => (&digest::SHA256, HMAC_SHA256),
        SHA_384 => (&digest::SHA384, HMAC_SHA384),
        SHA_512 => (&digest::SHA512, HMAC_SHA512),
        _ => return Err(EnvelopeError::Unsupported),
    };
    let iterations = u32::try_from(mac.iterations).ok().filter(|count| (1..=MAX_ITERATIONS).contains(count));
    let iterations = iterations.ok_or(EnvelopeError::Unsupported)?;
    let holds = |password: &&[u8]| {
        let key = derive(digest, password, mac.mac_salt.as_bytes(), iterations);
        hmac::verify(&hmac::Key::new(algorithm, &key), data, mac.mac.digest.as_bytes()).is_ok()
    };
    if NO_PASSWORD.iter().any(holds) { Ok(()) } else { Err(EnvelopeError::Closed) }
}

/// RFC 7292 appendix B.2 for a key that is as long as the digest, which is one round of it.
fn derive(digest: &'static digest::Algorithm, password: &[u8], salt: &[u8], iterations: u32) -> Zeroizing<Vec<u8>> {
    let block = digest.block_len();
    let fill = |bytes: &[u8]| -> Vec<u8> {
        bytes.iter().copied().cycle().take(bytes.len().div_ceil(block).saturating_mul(block)).collect()
    };
    let mut context = Context::new(digest);
    context.update(&vec![PURPOSE; block]);
    context.update(&fill(salt));
    context.update(&fill(password));
    let mut key = context.finish();
    for _ in 1..iterations {
        key = digest::digest(digest, key.as_ref());
    }
    Zeroizing::new(key.as_ref().to_vec())
}
