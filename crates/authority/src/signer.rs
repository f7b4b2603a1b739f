//! What makes signatures.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use domain::Timestamp;
use rcgen::{CertificateParams, DistinguishedName, DnType, PKCS_RSA_SHA256};
use rustls_pki_types::PrivatePkcs8KeyDer;
use zeroize::Zeroizing;

use crate::certificate::{Certificate, InvalidCertificate};

/// Produces signatures. It may block: it is called on the signing pool and nowhere else.
pub trait Signer: Send + Sync + fmt::Debug {
    /// The key's id.
    fn kid(&self) -> &str;

    /// An RS256 signature.
    ///
    /// # Errors
    /// When the key can't be used at the moment.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;
}

/// A signature could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signing key could not be used")]
pub struct SignError;

/// A key could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It could not be generated.
    #[error("no RSA key could be generated")]
    Generate,
    /// It isn't a private RSA key.
    #[error("it is not a private RSA key")]
    Rejected(#[source] aws_lc_rs::error::KeyRejected),
    /// Its certificate could not be made.
    #[error("the key's certificate could not be made")]
    Certificate(#[from] rcgen::Error),
    /// Its certificate can't be read.
    #[error("the key's certificate can't be used")]
    Unreadable(#[from] InvalidCertificate),
}

/// An RSA key in the memory of this process, parsed once.
pub struct SoftwareSigner {
    kid: String,
    key: KeyPair,
}

impl fmt::Debug for SoftwareSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SoftwareSigner").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl SoftwareSigner {
    /// Takes a private key in PKCS#8.
    ///
    /// # Errors
    /// When it isn't one.
    pub fn new(kid: String, pkcs8: &[u8]) -> Result<Self, KeyError> {
        Ok(Self { kid, key: KeyPair::from_pkcs8(pkcs8).map_err(KeyError::Rejected)? })
    }

    /// The public key, PKCS#1 DER, as certificates hold it.
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        self.key.public_key().as_ref()
    }
}

impl Signer for SoftwareSigner {
    fn kid(&self) -> &str {
        &self.kid
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).map_err(|_| SignError)?;
        Ok(signature)
    }
}

/// A new key with its self-signed certificate.
pub struct NewKey {
    /// The private key, PKCS#8.
    pub pkcs8: Zeroizing<Vec<u8>>,
    /// The certificate.
    pub certificate: Certificate,
}

impl NewKey {
    /// Makes an RSA-2048 key and a certificate for it. Takes up to a tenth of a second of CPU.
    ///
    /// # Errors
    /// When the random generator or the crypto library fails.
    pub fn generate(name: &str, not_before: Timestamp, not_after: Timestamp) -> Result<Self, KeyError> {
        let key = KeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Generate)?;
        let pkcs8: Pkcs8V1Der<'_> = key.as_der().map_err(|_| KeyError::Generate)?;
        let pkcs8 = Zeroizing::new(pkcs8.as_ref().to_vec());
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = date(not_before);
        params.not_after = date(not_after);
        let signing = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(
            &PrivatePkcs8KeyDer::from(pkcs8.as_slice()),
            &PKCS_RSA_SHA256,
        )?;
        let certificate = Certificate::from_der(params.self_signed(&signing)?.der())?;
        Ok(Self { pkcs8, certificate })
    }
}

/// A moment as the certificate library wants it.
fn date(at: Timestamp) -> time::OffsetDateTime {
    time::OffsetDateTime::from_unix_timestamp(at.unix()).unwrap_or(time::OffsetDateTime::UNIX_EPOCH)
}
