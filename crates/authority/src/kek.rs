//! Key-encryption keys: what wraps a signing key before it is stored.
//!
//! The wrapping is AES-256-GCM, bound to what the key is for: a wrapped key that is copied to another record
//! doesn't open there.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, MAX_TAG_LEN, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Prk};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

/// Length of a key-encryption key, in bytes.
pub const KEY_LENGTH: usize = 32;

/// What a wrapped key is bound to.
#[derive(Clone, Copy, Debug)]
pub struct KeyAad<'k> {
    /// The key's id.
    pub kid: &'k str,
    /// For whose tokens it is.
    pub issuer: &'k str,
    /// What it signs.
    pub purpose: &'k str,
    /// The version of the wrapping.
    pub version: u32,
}

/// Why a key can't be wrapped or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KekError {
    /// It was wrapped by a key that isn't here.
    #[error("the key-encryption key that wrapped it is not here")]
    UnknownKek,
    /// The bytes, or what they are bound to, are not what was wrapped.
    #[error("the wrapped key does not open: it was changed, or it belongs to another record")]
    Broken,
    /// The random generator failed.
    #[error("the random generator failed")]
    Random,
    /// The file isn't one of ours.
    #[error("the key-encryption key file is not one")]
    File,
}

/// Wraps keys.
pub trait Kek: Send + Sync + fmt::Debug {
    /// The id of the key that wraps now.
    fn id(&self) -> &str;

    /// Wraps a key.
    ///
    /// # Errors
    /// When the random generator fails.
    fn wrap(&self, aad: &KeyAad<'_>, key: &[u8]) -> Result<Vec<u8>, KekError>;

    /// Opens a key that was wrapped by the key-encryption key of this id.
    ///
    /// # Errors
    /// When that key isn't here, or the bytes or their binding were changed.
    fn unwrap(&self, kek_id: &str, aad: &KeyAad<'_>, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, KekError>;

    /// A key for another use; the same for the same label for as long as the installation lives, also when the
    /// key that wraps is another by then.
    ///
    /// # Errors
    /// When derivation fails.
    fn derive(&self, label: &'static str) -> Result<Zeroizing<[u8; KEY_LENGTH]>, KekError>;
}

/// A key-encryption key kept in a file: the current one, and the one before while records are re-wrapped.
pub struct FileKek {
    current: Named,
    previous: Option<Named>,
    /// What other keys are derived from, once it isn't the current one any more. What those keys made, such as
    /// the verifiers of client secrets, can't be made again without the secrets.
    root: Option<Named>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    id: String,
    key: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    current: Named,
    previous: Option<Named>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    root: Option<Named>,
}

impl Drop for Named {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl fmt::Debug for FileKek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileKek").field("current", &self.current.id).finish_non_exhaustive()
    }
}

impl FileKek {
    /// Makes a new key; its file's text is [`FileKek::text`].
    ///
    /// # Errors
    /// When the random generator fails.
    pub fn generate() -> Result<Self, KekError> {
        Ok(Self { current: Named::generate()?, previous: None, root: None })
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// When it isn't one of ours.
    pub fn parse(text: &str) -> Result<Self, KekError> {
        let File { current, previous, root } = serde_json::from_str(text).map_err(|_| KekError::File)?;
        for named in [Some(&current), previous.as_ref(), root.as_ref()].into_iter().flatten() {
            named.bytes()?;
        }
        Ok(Self { current, previous, root })
    }

    /// The text of its file, to be kept for the owner's eyes only.
    ///
    /// # Errors
    /// Never in practice: it is text.
    pub fn text(&self) -> Result<Zeroizing<String>, KekError> {
        let Self { current, previous, root } = self;
        let file = File { current: current.clone(), previous: previous.clone(), root: root.clone() };
        serde_json::to_string(&file).map(Zeroizing::new).map_err(|_| KekError::File)
    }

    /// A new current key; the present one stays to open what it wrapped. Derived keys stay the same.
    ///
    /// # Errors
    /// When the random generator fails.
    pub fn rotate(self) -> Result<Self, KekError> {
        let Self { current, root, .. } = self;
        Ok(Self { root: root.or_else(|| Some(current.clone())), current: Named::generate()?, previous: Some(current) })
    }

    fn find(&self, id: &str) -> Result<&Named, KekError> {
        [Some(&self.current), self.previous.as_ref()]
            .into_iter()
            .flatten()
            .find(|named| named.id == id)
            .ok_or(KekError::UnknownKek)
    }
}

impl Named {
    fn generate() -> Result<Self, KekError> {
        let (mut key, mut id) = (Zeroizing::new([0; KEY_LENGTH]), [0; 8]);
        let random = SystemRandom::new();
        random.fill(&mut *key).and_then(|()| random.fill(&mut id)).map_err(|_| KekError::Random)?;
        Ok(Self { id: contract::jose::encode(id), key: contract::jose::encode(*key) })
    }

    fn bytes(&self) -> Result<Zeroizing<Vec<u8>>, KekError> {
        let bytes = contract::jose::decode(&self.key).map(Zeroizing::new).ok_or(KekError::File)?;
        if bytes.len() == KEY_LENGTH { Ok(bytes) } else { Err(KekError::File) }
    }

    fn cipher(&self) -> Result<RandomizedNonceKey, KekError> {
        RandomizedNonceKey::new(&AES_256_GCM, &self.bytes()?).map_err(|_| KekError::File)
    }
}

impl Kek for FileKek {
    fn id(&self) -> &str {
        &self.current.id
    }

    fn wrap(&self, aad: &KeyAad<'_>, key: &[u8]) -> Result<Vec<u8>, KekError> {
        let mut sealed = Zeroizing::new(Vec::with_capacity(key.len() + MAX_TAG_LEN));
        sealed.extend_from_slice(key);
        let nonce = self.current.cipher()?.seal_in_place_append_tag(Aad::from(aad.bytes()), &mut *sealed);
        let nonce = nonce.map_err(|_| KekError::Random)?;
        Ok([nonce.as_ref(), sealed.as_slice()].concat())
    }

    fn unwrap(&self, kek_id: &str, aad: &KeyAad<'_>, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, KekError> {
        let (nonce, sealed) = wrapped.split_at_checked(NONCE_LEN).ok_or(KekError::Broken)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| KekError::Broken)?;
        let mut key = Zeroizing::new(sealed.to_vec());
        let cipher = self.find(kek_id)?.cipher()?;
        let length = cipher.open_in_place(nonce, Aad::from(aad.bytes()), &mut key).map_err(|_| KekError::Broken)?.len();
        key.truncate(length);
        Ok(key)
    }

    fn derive(&self, label: &'static str) -> Result<Zeroizing<[u8; KEY_LENGTH]>, KekError> {
        // The key is as random as the output of an extraction.
        let prk = Prk::new_less_safe(HKDF_SHA256, &self.root.as_ref().unwrap_or(&self.current).bytes()?);
        let mut derived = Zeroizing::new([0; KEY_LENGTH]);
        let info = [label.as_bytes()];
        prk.expand(&info, HKDF_SHA256).and_then(|output| output.fill(&mut *derived)).map_err(|_| KekError::Broken)?;
        Ok(derived)
    }
}

impl KeyAad<'_> {
    /// Every part with its length in front, so that no two different bindings have the same bytes.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in [self.kid, self.issuer, self.purpose, &self.version.to_string()] {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AAD: KeyAad<'_> = KeyAad { kid: "k", issuer: "i", purpose: "p", version: 1 };

    #[test]
    fn a_wrapped_key_opens_only_where_it_belongs() {
        let kek = FileKek::generate().unwrap();
        let wrapped = kek.wrap(&AAD, b"private").unwrap();
        assert!(!wrapped.windows(7).any(|window| window == b"private"));
        assert_eq!(kek.unwrap(kek.id(), &AAD, &wrapped).unwrap().as_slice(), b"private");
        for other in [
            KeyAad { kid: "x", ..AAD },
            KeyAad { issuer: "x", ..AAD },
            KeyAad { purpose: "x", ..AAD },
            KeyAad { version: 2, ..AAD },
            KeyAad { kid: "ki", issuer: "", ..AAD },
        ] {
            assert_eq!(kek.unwrap(kek.id(), &other, &wrapped), Err(KekError::Broken), "{other:?}");
        }
        for at in 0..wrapped.len() {
            let mut changed = wrapped.clone();
            changed[at] ^= 1;
            assert_eq!(kek.unwrap(kek.id(), &AAD, &changed), Err(KekError::Broken));
        }
        assert_eq!(kek.unwrap(kek.id(), &AAD, b"short"), Err(KekError::Broken));
        assert_eq!(kek.unwrap("other", &AAD, &wrapped), Err(KekError::UnknownKek));
    }

    #[test]
    fn the_file_brings_the_same_key_back_and_a_rotated_one_opens_both() {
        let kek = FileKek::generate().unwrap();
        let id = kek.id().to_owned();
        let wrapped = kek.wrap(&AAD, b"private").unwrap();
        let kek = FileKek::parse(&kek.text().unwrap()).unwrap().rotate().unwrap();
        assert_ne!(kek.id(), id);
        assert_eq!(kek.unwrap(&id, &AAD, &wrapped).unwrap().as_slice(), b"private");
        assert!(!format!("{kek:?}").contains(&kek.current.key));
        for wrong in ["", "{}", r#"{"current":{"id":"a","key":"AA"},"previous":null}"#] {
            assert_eq!(FileKek::parse(wrong).unwrap_err(), KekError::File);
        }
    }

    #[test]
    fn derived_keys_differ_by_label_and_outlive_the_key_that_wraps() {
        let kek = FileKek::generate().unwrap();
        let derived = kek.derive("a").unwrap();
        assert_eq!(kek.derive("a").unwrap(), derived);
        assert_ne!(kek.derive("b").unwrap(), derived);
        let kek = kek.rotate().unwrap().rotate().unwrap();
        let kek = FileKek::parse(&kek.text().unwrap()).unwrap();
        assert_eq!(kek.derive("a").unwrap(), derived);
    }
}
