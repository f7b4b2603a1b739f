//! CMS EnvelopedData (RFC 5652 §6) for one reader.

use aws_lc_rs::rand;
use aws_lc_rs::rsa::{Pkcs1PrivateDecryptingKey, Pkcs1PublicEncryptingKey, PrivateDecryptingKey};
use cms::content_info::{CmsVersion, ContentInfo};
use cms::enveloped_data::{
    EncryptedContentInfo, EnvelopedData, KeyTransRecipientInfo, RecipientIdentifier, RecipientInfo, RecipientInfos,
};
use der::asn1::{Any, ObjectIdentifier, OctetString, SetOfVec};
use der::{Decode, Encode};
use x509_cert::spki::AlgorithmIdentifierOwned;
use zeroize::Zeroizing;

use crate::certificate::Recipient;
use crate::{EnvelopeError, MAX_SEALED, aes_cbc};

pub(crate) const ID_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const ID_ENVELOPED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.3");
pub(crate) const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// Seals to the holder of a certificate's private key: a DER `ContentInfo` that holds `EnvelopedData`, with an AES-256
/// key that is new each time and wrapped with RSA PKCS#1 v1.5.
///
/// # Errors
/// [`EnvelopeError::Certificate`], [`EnvelopeError::TooLarge`], or [`EnvelopeError::Crypto`].
pub fn seal(certificate_der: &[u8], plain: &[u8]) -> Result<Vec<u8>, EnvelopeError> {
    let recipient = Recipient::read(certificate_der)?;
    if plain.len() > MAX_SEALED {
        return Err(EnvelopeError::TooLarge);
    }
    let mut content_key = Zeroizing::new([0; aes_cbc::AES_256_KEY]);
    rand::fill(content_key.as_mut_slice())?;
    let (iv, encrypted) = aes_cbc::encrypt(content_key.as_slice(), plain)?;
    let wrapping = Pkcs1PublicEncryptingKey::new(recipient.encrypting)?;
    let mut wrapped = vec![0; wrapping.ciphertext_size()];
    let length = wrapping.encrypt(content_key.as_slice(), &mut wrapped)?.len();
    wrapped.truncate(length);

    let wrap = AlgorithmIdentifierOwned { oid: RSA_ENCRYPTION, parameters: Some(Any::null()) };
    let content = aes_cbc::identifier(iv)?;
    let encode = || -> der::Result<Vec<u8>> {
        let reader = RecipientInfo::Ktri(KeyTransRecipientInfo {
            version: CmsVersion::V0,
            rid: RecipientIdentifier::IssuerAndSerialNumber(recipient.name),
            key_enc_alg: wrap,
            enc_key: OctetString::new(wrapped)?,
        });
        let data = EnvelopedData {
            version: CmsVersion::V0,
            originator_info: None,
            recip_infos: RecipientInfos(SetOfVec::try_from(vec![reader])?),
            encrypted_content: EncryptedContentInfo {
                content_type: ID_DATA,
                content_enc_alg: content,
                encrypted_content: Some(OctetString::new(encrypted)?),
            },
            unprotected_attrs: None,
        };
        ContentInfo { content_type: ID_ENVELOPED_DATA, content: Any::encode_from(&data)? }.to_der()
    };
    let sealed = encode().map_err(|_| EnvelopeError::Crypto)?;
    if sealed.len() > MAX_SEALED { Err(EnvelopeError::TooLarge) } else { Ok(sealed) }
}

/// Opens what was sealed to a certificate, with its private key. Takes AES-128, AES-192 and AES-256 in CBC mode.
///
/// CBC proves nothing about who wrote it: what comes out must be read as input from outside.
///
/// # Errors
/// One variant, [`EnvelopeError::Closed`], for whatever is wrong with the key, its wrapping or the padding, after the
/// same work; others only for what anybody can see without the key.
pub fn open(
    private_key_pkcs8: &[u8],
    certificate_der: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
    let recipient = Recipient::read(certificate_der)?;
    let key = PrivateDecryptingKey::from_pkcs8(private_key_pkcs8).map_err(|_| EnvelopeError::PrivateKey)?;
    let key = Pkcs1PrivateDecryptingKey::new(key)?;
    if sealed.len() > MAX_SEALED {
        return Err(EnvelopeError::TooLarge);
    }
    let data = read(sealed).map_err(|_| EnvelopeError::Malformed)?.ok_or(EnvelopeError::Malformed)?;
    let wrapped = wrapped_key(&data, &recipient)?;
    let cipher = aes_cbc::identified(&data.encrypted_content.content_enc_alg)?;
    let encrypted = data.encrypted_content.encrypted_content.ok_or(EnvelopeError::Malformed)?;
    let (content_key, unwrapped) = unwrap(&key, wrapped.as_bytes(), cipher.key_length)?;
    let plain = aes_cbc::decrypt(&cipher, &content_key, encrypted.as_bytes())?;
    if unwrapped { Ok(plain) } else { Err(EnvelopeError::Closed) }
}

fn read(sealed: &[u8]) -> der::Result<Option<EnvelopedData>> {
    let outer = ContentInfo::from_der(sealed)?;
    if outer.content_type != ID_ENVELOPED_DATA {
        return Ok(None);
    }
    outer.content.decode_as().map(Some)
}

/// The content's key, still wrapped, as it was wrapped for this reader.
fn wrapped_key(data: &EnvelopedData, reader: &Recipient) -> Result<OctetString, EnvelopeError> {
    for info in data.recip_infos.0.iter() {
        let RecipientInfo::Ktri(info) = info else { continue };
        if info.rid == RecipientIdentifier::IssuerAndSerialNumber(reader.name.clone()) {
            let supported = info.key_enc_alg.oid == RSA_ENCRYPTION;
            return supported.then(|| info.enc_key.clone()).ok_or(EnvelopeError::Unsupported);
        }
    }
    Err(EnvelopeError::Closed)
}

/// The content's key. When it can't be unwrapped it is a random one and `false`, so that the work goes on the same and
/// only its end tells (RFC 3218).
fn unwrap(
    key: &Pkcs1PrivateDecryptingKey,
    wrapped: &[u8],
    key_length: usize,
) -> Result<(Zeroizing<Vec<u8>>, bool), EnvelopeError> {
    let mut decoy = Zeroizing::new(vec![0; key_length]);
    rand::fill(&mut decoy)?;
    let mut content_key = Zeroizing::new(vec![0; key.min_output_size()]);
    let length = key.decrypt(wrapped, &mut content_key).map_or(0, |unwrapped| unwrapped.len());
    content_key.truncate(length);
    if length == decoy.len() { Ok((content_key, true)) } else { Ok((decoy, false)) }
}

#[cfg(test)]
mod tests;
