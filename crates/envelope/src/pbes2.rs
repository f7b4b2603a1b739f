//! Encryption "with a password" (RFC 8018) where the password is empty: what readers of PFX files expect to find.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2::{self, PBKDF2_HMAC_SHA1, PBKDF2_HMAC_SHA256, PBKDF2_HMAC_SHA384, PBKDF2_HMAC_SHA512};
use aws_lc_rs::rand;
use der::Tag;
use der::asn1::Any;
use pkcs5::pbes2::{self, Kdf, PBES2_OID, Parameters, Pbkdf2Prf};
use x509_cert::spki::AlgorithmIdentifierOwned;
use zeroize::Zeroizing;

use crate::{EnvelopeError, aes_cbc};

/// How often the hash is repeated, as OpenSSL does; it hardens nothing, since there is no password to guess.
pub(crate) const ITERATIONS: u32 = 2048;
/// How many repetitions a file may ask of its reader.
pub(crate) const MAX_ITERATIONS: u32 = 1_000_000;
/// Length of a salt that is made here, in bytes.
pub(crate) const SALT: usize = 16;

const NO_PASSWORD: &[u8] = &[];

/// What encrypted, and the encrypted bytes: PBKDF2 with HMAC-SHA-256, then AES-256-CBC.
pub(crate) fn encrypt(plain: &[u8]) -> Result<(AlgorithmIdentifierOwned, Vec<u8>), EnvelopeError> {
    let mut salt = [0; SALT];
    rand::fill(&mut salt)?;
    let mut key = Zeroizing::new([0; aes_cbc::AES_256_KEY]);
    let iterations = NonZeroU32::new(ITERATIONS).ok_or(EnvelopeError::Crypto)?;
    pbkdf2::derive(PBKDF2_HMAC_SHA256, iterations, &salt, NO_PASSWORD, key.as_mut_slice());
    let (iv, encrypted) = aes_cbc::encrypt(key.as_slice(), plain)?;
    let encode = || -> der::Result<_> {
        let scheme =
            Parameters::pbkdf2_sha256_aes256cbc(ITERATIONS, &salt, &iv).map_err(|_| Tag::Sequence.value_error())?;
        Ok(AlgorithmIdentifierOwned { oid: PBES2_OID, parameters: Some(Any::encode_from(&scheme)?) })
    };
    Ok((encode().map_err(|_| EnvelopeError::Crypto)?, encrypted))
}

/// Decrypts what `algorithm` encrypted.
pub(crate) fn decrypt(algorithm: &AlgorithmIdentifierOwned, data: &[u8]) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
    let parameters = algorithm.parameters.as_ref().filter(|_| algorithm.oid == PBES2_OID);
    let scheme = parameters.ok_or(EnvelopeError::Unsupported)?.decode_as::<Parameters<'_>>();
    let scheme = scheme.map_err(|_| EnvelopeError::Unsupported)?;
    let Kdf::Pbkdf2(kdf) = &scheme.kdf else { return Err(EnvelopeError::Unsupported) };
    let hash = match kdf.prf {
        Pbkdf2Prf::HmacWithSha1 => PBKDF2_HMAC_SHA1,
        Pbkdf2Prf::HmacWithSha256 => PBKDF2_HMAC_SHA256,
        Pbkdf2Prf::HmacWithSha384 => PBKDF2_HMAC_SHA384,
        Pbkdf2Prf::HmacWithSha512 => PBKDF2_HMAC_SHA512,
        Pbkdf2Prf::HmacWithSha224 | _ => return Err(EnvelopeError::Unsupported),
    };
    let iterations = NonZeroU32::new(kdf.iteration_count).filter(|count| count.get() <= MAX_ITERATIONS);
    let cipher = match &scheme.encryption {
        pbes2::EncryptionScheme::Aes128Cbc { iv } => aes_cbc::Cipher::aes_128(**iv),
        pbes2::EncryptionScheme::Aes192Cbc { iv } => aes_cbc::Cipher::aes_192(**iv),
        pbes2::EncryptionScheme::Aes256Cbc { iv } => aes_cbc::Cipher::aes_256(**iv),
        _ => return Err(EnvelopeError::Unsupported),
    };
    let mut key = Zeroizing::new(vec![0; cipher.key_length]);
    pbkdf2::derive(hash, iterations.ok_or(EnvelopeError::Unsupported)?, kdf.salt, NO_PASSWORD, &mut key);
    aes_cbc::decrypt(&cipher, &key, data)
}
