//! PKCS#12 (RFC 7292): one certificate with its private key, in a file without a password.

use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::KeyPair as _;
use cms::content_info::{CmsVersion, ContentInfo};
use cms::encrypted_data::EncryptedData;
use cms::enveloped_data::EncryptedContentInfo;
use der::asn1::{Any, AnyRef, ContextSpecific, ObjectIdentifier, OctetString, SetOfVec};
use der::{Decode, Encode, Sequence};
use pkcs12::cert_type::CertBag;
use pkcs12::pfx::{Pfx, Version};
use pkcs12::safe_bag::{SafeBag, SafeContents};
use pkcs12::{PKCS_12_CERT_BAG_OID, PKCS_12_KEY_BAG_OID, PKCS_12_PKCS8_KEY_BAG_OID, PKCS_12_X509_CERT_OID};
use x509_cert::attr::{Attribute, Attributes};
use x509_cert::spki::AlgorithmIdentifierOwned;
use zeroize::Zeroizing;

use crate::certificate::{Recipient, sha1};
use crate::enveloped_data::ID_DATA;
use crate::{EnvelopeError, MAX_SEALED, mac, pbes2};

const ID_ENCRYPTED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.6");
const LOCAL_KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.21");

/// Writes a certificate and its private key as a PFX with an empty password, the way OpenSSL 3 does: both are encrypted
/// with PBES2 and AES-256, and the whole has a MAC with SHA-256. An empty password hides nothing; seal the file.
///
/// # Errors
/// [`EnvelopeError::Certificate`], [`EnvelopeError::PrivateKey`] (also when it is another's), or
/// [`EnvelopeError::Crypto`].
pub fn pfx(certificate_der: &[u8], private_key_pkcs8: &[u8]) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
    let certificate = Recipient::read(certificate_der)?;
    let key = KeyPair::from_pkcs8(private_key_pkcs8).map_err(|_| EnvelopeError::PrivateKey)?;
    if key.public_key().as_ref() != certificate.public_key {
        return Err(EnvelopeError::PrivateKey);
    }
    let name = local_key_id(certificate_der).map_err(failed)?;
    let certificate = certificate_bag(certificate_der, name.clone()).map_err(failed)?;
    let key = key_bag(private_key_pkcs8, name)?;
    let safes = vec![encrypted_safe(&certificate)?, data(&key).map_err(failed)?];
    let safes = Zeroizing::new(safes.to_der().map_err(failed)?);
    let auth_safe = data(&safes).map_err(failed)?;
    let file = Pfx { version: Version::V3, auth_safe, mac_data: Some(mac::make(&safes)?) };
    Ok(Zeroizing::new(file.to_der().map_err(failed)?))
}

/// Reads a PFX with an empty password: a certificate (DER) and its private key (PKCS#8). Of several, it is the first
/// key whose certificate is there.
///
/// # Errors
/// [`EnvelopeError::TooLarge`], [`EnvelopeError::Malformed`] (also when there is no such pair),
/// [`EnvelopeError::Unsupported`] for anything but PBES2 with AES, or [`EnvelopeError::Closed`] when it has a password
/// or is damaged.
pub fn open_pfx(pfx: &[u8]) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), EnvelopeError> {
    if pfx.len() > MAX_SEALED {
        return Err(EnvelopeError::TooLarge);
    }
    let file = Pfx::from_der(pfx).map_err(malformed)?;
    let safes = content(&file.auth_safe)?;
    if let Some(code) = &file.mac_data {
        mac::verify(code, &safes)?;
    }
    let mut found = Found::default();
    for safe in Vec::<ContentInfo>::from_der(&safes).map_err(malformed)? {
        let bags = if safe.content_type == ID_ENCRYPTED_DATA { decrypted(&safe)? } else { content(&safe)? };
        for bag in SafeContents::from_der(&bags).map_err(malformed)? {
            found.take(bag)?;
        }
    }
    found.pair().ok_or(EnvelopeError::Malformed)
}

/// `EncryptedPrivateKeyInfo` of RFC 5958 §3.
#[derive(Sequence)]
struct EncryptedKey {
    algorithm: AlgorithmIdentifierOwned,
    encrypted: OctetString,
}

/// What stands in the bags of a file.
#[derive(Default)]
struct Found {
    certificates: Vec<Vec<u8>>,
    keys: Vec<Zeroizing<Vec<u8>>>,
}

impl Found {
    fn take(&mut self, bag: SafeBag) -> Result<(), EnvelopeError> {
        let value = Zeroizing::new(bag.bag_value);
        match bag.bag_id {
            PKCS_12_CERT_BAG_OID => {
                let bag = ContextSpecific::<CertBag>::from_der(&value).map_err(malformed)?.value;
                if bag.cert_id == PKCS_12_X509_CERT_OID {
                    self.certificates.push(bag.cert_value.into_bytes());
                }
            }
            PKCS_12_PKCS8_KEY_BAG_OID => {
                let key = ContextSpecific::<EncryptedKey>::from_der(&value).map_err(malformed)?.value;
                self.keys.push(pbes2::decrypt(&key.algorithm, key.encrypted.as_bytes())?);
            }
            PKCS_12_KEY_BAG_OID => {
                let key = ContextSpecific::<AnyRef<'_>>::from_der(&value).map_err(malformed)?.value;
                self.keys.push(Zeroizing::new(key.to_der().map_err(malformed)?));
            }
            // Lists of revoked certificates, secrets, bags in bags: nothing that belongs to the pair.
            _ => {}
        }
        Ok(())
    }

    fn pair(self) -> Option<(Vec<u8>, Zeroizing<Vec<u8>>)> {
        self.keys.into_iter().find_map(|key| {
            let public = KeyPair::from_pkcs8(&key).ok()?;
            let belongs = |certificate: &&Vec<u8>| {
                Recipient::read(certificate).is_ok_and(|read| read.public_key == public.public_key().as_ref())
            };
            Some((self.certificates.iter().find(belongs)?.clone(), key))
        })
    }
}

fn certificate_bag(certificate_der: &[u8], name: Attributes) -> der::Result<Zeroizing<Vec<u8>>> {
    let bag = CertBag { cert_id: PKCS_12_X509_CERT_OID, cert_value: OctetString::new(certificate_der)? };
    bags(PKCS_12_CERT_BAG_OID, bag.to_der()?, name)
}

fn key_bag(private_key_pkcs8: &[u8], name: Attributes) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
    let (algorithm, encrypted) = pbes2::encrypt(private_key_pkcs8)?;
    let encode = || -> der::Result<_> {
        let key = EncryptedKey { algorithm, encrypted: OctetString::new(encrypted)? };
        bags(PKCS_12_PKCS8_KEY_BAG_OID, key.to_der()?, name)
    };
    encode().map_err(failed)
}

fn bags(bag_id: ObjectIdentifier, bag_value: Vec<u8>, name: Attributes) -> der::Result<Zeroizing<Vec<u8>>> {
    vec![SafeBag { bag_id, bag_value, bag_attributes: Some(name) }].to_der().map(Zeroizing::new)
}

/// The attribute by which a reader knows that key and certificate belong together.
fn local_key_id(certificate_der: &[u8]) -> der::Result<Attributes> {
    let value = Any::encode_from(&OctetString::new(sha1(certificate_der))?)?;
    SetOfVec::try_from(vec![Attribute { oid: LOCAL_KEY_ID, values: SetOfVec::try_from(vec![value])? }])
}

/// Bytes as they are, in a `ContentInfo`.
fn data(bytes: &[u8]) -> der::Result<ContentInfo> {
    Ok(ContentInfo { content_type: ID_DATA, content: Any::encode_from(&OctetString::new(bytes)?)? })
}

/// The bytes that [`data`] wraps.
fn content(info: &ContentInfo) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
    if info.content_type != ID_DATA {
        return Err(EnvelopeError::Unsupported);
    }
    let bytes = info.content.decode_as::<OctetString>().map_err(malformed)?;
    Ok(Zeroizing::new(bytes.into_bytes()))
}

fn encrypted_safe(bags: &[u8]) -> Result<ContentInfo, EnvelopeError> {
    let (algorithm, encrypted) = pbes2::encrypt(bags)?;
    let encode = || -> der::Result<_> {
        let enc_content_info = EncryptedContentInfo {
            content_type: ID_DATA,
            content_enc_alg: algorithm,
            encrypted_content: Some(OctetString::new(encrypted)?),
        };
        let data = EncryptedData { version: CmsVersion::V0, enc_content_info, unprotected_attrs: None };
        Ok(ContentInfo { content_type: ID_ENCRYPTED_DATA, content: Any::encode_from(&data)? })
    };
    encode().map_err(failed)
}

fn decrypted(info: &ContentInfo) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
    let data = info.content.decode_as::<EncryptedData>().map_err(malformed)?.enc_content_info;
    let encrypted = data.encrypted_content.ok_or(EnvelopeError::Malformed)?;
    pbes2::decrypt(&data.content_enc_alg, encrypted.as_bytes())
}

/// An error of what is written.
fn failed(_: der::Error) -> EnvelopeError {
    EnvelopeError::Crypto
}

/// An error of what is read.
fn malformed(_: der::Error) -> EnvelopeError {
    EnvelopeError::Malformed
}

#[cfg(test)]
mod tests;
