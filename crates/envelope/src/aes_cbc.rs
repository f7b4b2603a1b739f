//! AES in CBC mode with PKCS#7 padding, and the identifiers that name it.

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, Algorithm, DecryptionContext, PaddedBlockDecryptingKey, PaddedBlockEncryptingKey,
    UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use der::Tag;
use der::asn1::{Any, OctetStringRef};
use pkcs5::pbes2::{AES_128_CBC_OID, AES_192_CBC_OID, AES_256_CBC_OID};
use x509_cert::spki::AlgorithmIdentifierOwned;
use zeroize::Zeroizing;

use crate::EnvelopeError;

/// Length of a key of AES-256, in bytes.
pub(crate) const AES_256_KEY: usize = 32;
/// Length of a block and of an initialisation vector, in bytes.
pub(crate) const BLOCK: usize = 16;

/// Encrypts with AES-256 under a fresh initialisation vector.
pub(crate) fn encrypt(key: &[u8], plain: &[u8]) -> Result<([u8; BLOCK], Vec<u8>), EnvelopeError> {
    let key = PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_256, key)?)?;
    // Room for the padding, so that no copy of the plain text is left behind by a move.
    let mut data = Vec::with_capacity(plain.len().saturating_add(BLOCK));
    data.extend_from_slice(plain);
    let context = key.encrypt(&mut data)?;
    let iv: &[u8] = (&context).try_into()?;
    Ok((iv.try_into().map_err(|_| EnvelopeError::Crypto)?, data))
}

/// A cipher and its initialisation vector, as an identifier names them.
pub(crate) struct Cipher {
    algorithm: &'static Algorithm,
    /// Length of its key, in bytes.
    pub(crate) key_length: usize,
    iv: [u8; BLOCK],
}

impl Cipher {
    pub(crate) const fn aes_128(iv: [u8; BLOCK]) -> Self {
        Self { algorithm: &AES_128, key_length: 16, iv }
    }

    pub(crate) const fn aes_192(iv: [u8; BLOCK]) -> Self {
        Self { algorithm: &AES_192, key_length: 24, iv }
    }

    pub(crate) const fn aes_256(iv: [u8; BLOCK]) -> Self {
        Self { algorithm: &AES_256, key_length: AES_256_KEY, iv }
    }
}

/// Decrypts; whatever is wrong, it is [`EnvelopeError::Closed`].
pub(crate) fn decrypt(cipher: &Cipher, key: &[u8], data: &[u8]) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
    if data.is_empty() || !data.len().is_multiple_of(BLOCK) {
        return Err(EnvelopeError::Closed);
    }
    let closed = |_| EnvelopeError::Closed;
    let key = UnboundCipherKey::new(cipher.algorithm, key).map_err(closed)?;
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).map_err(closed)?;
    let mut plain = Zeroizing::new(data.to_vec());
    let length = key.decrypt(&mut plain, DecryptionContext::Iv128(FixedLength::from(cipher.iv))).map_err(closed)?.len();
    plain.truncate(length);
    Ok(plain)
}

/// The identifier of AES-256-CBC with an initialisation vector.
pub(crate) fn identifier(iv: [u8; BLOCK]) -> Result<AlgorithmIdentifierOwned, EnvelopeError> {
    let parameters = Any::new(Tag::OctetString, iv.to_vec()).map_err(|_| EnvelopeError::Crypto)?;
    Ok(AlgorithmIdentifierOwned { oid: AES_256_CBC_OID, parameters: Some(parameters) })
}

/// Which AES an identifier names, and its initialisation vector.
pub(crate) fn identified(identifier: &AlgorithmIdentifierOwned) -> Result<Cipher, EnvelopeError> {
    let cipher = match identifier.oid {
        AES_128_CBC_OID => Cipher::aes_128,
        AES_192_CBC_OID => Cipher::aes_192,
        AES_256_CBC_OID => Cipher::aes_256,
        _ => return Err(EnvelopeError::Unsupported),
    };
    let iv = identifier.parameters.as_ref().ok_or(EnvelopeError::Malformed)?;
    let iv = iv.decode_as::<OctetStringRef<'_>>().map_err(|_| EnvelopeError::Malformed)?;
    Ok(cipher(iv.as_bytes().try_into().map_err(|_| EnvelopeError::Malformed)?))
}
