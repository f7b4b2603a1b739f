//! Client secrets: stored as what checks them, never as themselves.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use domain::{SecretId, SecretVerifier};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::kek::{Kek, KekError};

/// How many characters of a secret its owner is shown, to tell one from another.
const HINT: usize = 3;
/// With fewer characters than this a secret has no hint: it would tell too much of it.
const SHORTEST_WITH_HINT: usize = 12;

/// What makes and checks verifiers. Without it a stolen store tells nothing about a secret, however short.
pub struct SecretKey(hmac::Key);

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKey(redacted)")
    }
}

impl SecretKey {
    /// The key of an installation, derived from its key-encryption key.
    ///
    /// # Errors
    /// When derivation fails.
    pub fn derive(kek: &dyn Kek) -> Result<Self, KekError> {
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &*kek.derive("client-secret")?)))
    }

    /// The verifier of a secret.
    ///
    /// # Errors
    /// When the random generator fails.
    pub fn verifier(&self, secret: &SecretString) -> Result<SecretVerifier, KekError> {
        let (mut id, mut salt) = ([0; 16], [0; 16]);
        let random = SystemRandom::new();
        random.fill(&mut id).and_then(|()| random.fill(&mut salt)).map_err(|_| KekError::Random)?;
        Ok(SecretVerifier {
            id: SecretId::from_uuid(uuid::Builder::from_random_bytes(id).into_uuid()),
            tag: self.tag(&salt, secret).as_ref().to_vec(),
            salt: salt.to_vec(),
            hint: hint(secret.expose_secret()),
            expires_on: None,
        })
    }

    /// Whether a secret is the one of a verifier, in constant time.
    #[must_use]
    pub fn matches(&self, verifier: &SecretVerifier, secret: &SecretString) -> bool {
        let mut message = Zeroizing::new(verifier.salt.clone());
        message.extend_from_slice(secret.expose_secret().as_bytes());
        hmac::verify(&self.0, &message, &verifier.tag).is_ok()
    }

    fn tag(&self, salt: &[u8], secret: &SecretString) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(salt);
        context.update(secret.expose_secret().as_bytes());
        context.sign()
    }
}

fn hint(secret: &str) -> String {
    if secret.chars().count() < SHORTEST_WITH_HINT { String::new() } else { secret.chars().take(HINT).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kek::FileKek;

    #[test]
    fn a_verifier_knows_its_secret_and_tells_nothing_of_it() {
        let key = SecretKey::derive(&FileKek::generate().unwrap()).unwrap();
        let secret = SecretString::from("correct horse".to_owned());
        let verifier = key.verifier(&secret).unwrap();
        assert!(key.matches(&verifier, &secret));
        for wrong in ["", "correct", "correct horse ", "Correct horse"] {
            assert!(!key.matches(&verifier, &SecretString::from(wrong.to_owned())), "{wrong}");
        }
        assert_ne!(key.verifier(&secret).unwrap().tag, verifier.tag, "salted");
        let other = SecretKey::derive(&FileKek::generate().unwrap()).unwrap();
        assert!(!other.matches(&verifier, &secret));
        assert_eq!(verifier.hint, "cor");
        let short = key.verifier(&SecretString::from("abc".to_owned())).unwrap();
        assert!(!format!("{short:?}").contains("abc") && short.hint.is_empty());
    }

    #[test]
    fn a_verifier_outlives_the_key_encryption_key() {
        let kek = FileKek::generate().unwrap();
        let secret = SecretString::from("correct horse".to_owned());
        let verifier = SecretKey::derive(&kek).unwrap().verifier(&secret).unwrap();
        assert!(SecretKey::derive(&kek.rotate().unwrap()).unwrap().matches(&verifier, &secret));
    }
}
