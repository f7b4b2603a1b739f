//! RSA signatures of others: one place that verifies them.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use contract::assertion::AssertionAlgorithm;

/// Whether a signature verifies under a public key (PKCS#1 DER, 2048 to 8192 bits).
#[must_use]
pub fn verifies(algorithm: AssertionAlgorithm, public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let verified = match algorithm {
        AssertionAlgorithm::Rs256 => {
            UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public_key).verify(message, signature)
        }
        AssertionAlgorithm::Ps256 => {
            UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, public_key).verify(message, signature)
        }
    };
    verified.is_ok()
}
