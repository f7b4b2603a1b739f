//! X.509 certificates: read for the public key and the dates in them.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use der::Decode;
use domain::Timestamp;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use x509_cert::Certificate as X509;
use x509_cert::time::Time;

/// A certificate with an RSA key.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    /// As it is, DER.
    pub der: Vec<u8>,
    /// SHA-1 of the DER (`x5t`).
    pub thumbprint_sha1: [u8; 20],
    /// SHA-256 of the DER (`x5t#S256`).
    pub thumbprint_sha256: [u8; 32],
    /// The start of its life.
    pub not_before: Timestamp,
    /// The end of its life.
    pub not_after: Timestamp,
    /// The public key, PKCS#1 DER.
    pub rsa_public_key: Vec<u8>,
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate")
            .field("x5t", &contract::jose::encode(self.thumbprint_sha1))
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

/// Why a certificate can't be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidCertificate {
    /// There is none in the text.
    #[error("there is no certificate in PEM form in it")]
    Pem(#[source] rustls_pki_types::pem::Error),
    /// It isn't X.509.
    #[error("it is not an X.509 certificate")]
    Der(#[from] der::Error),
    /// Its key is shorter than any that is verified with.
    #[error("its key has {bits} bits; 2048 are the least")]
    Short {
        /// How many it has.
        bits: usize,
    },
    /// Its key isn't RSA.
    #[error("its key is not an RSA key")]
    NotRsa,
}

/// `rsaEncryption`, RFC 8017.
const RSA: der::asn1::ObjectIdentifier = der::asn1::ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

impl Certificate {
    /// Reads the first certificate of a PEM text; a private key beside it is passed over.
    ///
    /// # Errors
    /// When there is none, or it has no RSA key.
    pub fn from_pem(pem: &[u8]) -> Result<Self, InvalidCertificate> {
        let der = CertificateDer::from_pem_slice(pem).map_err(InvalidCertificate::Pem)?;
        Self::from_der(&der)
    }

    /// Reads a certificate.
    ///
    /// # Errors
    /// When it isn't one, or has no RSA key of 2048 bits or more.
    pub fn from_der(bytes: &[u8]) -> Result<Self, InvalidCertificate> {
        let parsed = X509::from_der(bytes)?;
        let info = &parsed.tbs_certificate.subject_public_key_info;
        if info.algorithm.oid != RSA {
            return Err(InvalidCertificate::NotRsa);
        }
        let key = info.subject_public_key.as_bytes().ok_or(InvalidCertificate::NotRsa)?;
        let validity = &parsed.tbs_certificate.validity;
        let certificate = Self {
            der: bytes.to_vec(),
            thumbprint_sha1: fixed(digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref()),
            thumbprint_sha256: fixed(digest(&SHA256, bytes).as_ref()),
            not_before: timestamp(validity.not_before),
            not_after: timestamp(validity.not_after),
            rsa_public_key: key.to_vec(),
        };
        let (modulus, _) = certificate.modulus_and_exponent()?;
        match modulus.len() * 8 {
            bits if bits < 2_048 => Err(InvalidCertificate::Short { bits }),
            _ => Ok(certificate),
        }
    }

    /// The key's id when it signs tokens: base64url of the SHA-1 thumbprint.
    #[must_use]
    pub fn kid(&self) -> String {
        contract::jose::encode(self.thumbprint_sha1)
    }

    /// Modulus and exponent, unsigned and without a leading zero.
    ///
    /// # Errors
    /// When the key isn't well-formed.
    pub fn modulus_and_exponent(&self) -> Result<(Vec<u8>, Vec<u8>), InvalidCertificate> {
        #[derive(der::Sequence)]
        struct RsaPublicKey<'k> {
            modulus: der::asn1::UintRef<'k>,
            exponent: der::asn1::UintRef<'k>,
        }
        let key = RsaPublicKey::from_der(&self.rsa_public_key)?;
        Ok((key.modulus.as_bytes().to_vec(), key.exponent.as_bytes().to_vec()))
    }
}

fn timestamp(time: Time) -> Timestamp {
    Timestamp::from_unix(i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX))
}

/// A digest as an array; its length is the algorithm's.
fn fixed<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().unwrap_or([0; N])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Self-signed, made by OpenSSL 3 with `req -x509 -newkey rsa:1024`; its key was thrown away.
    const SHORT: &str = "-----BEGIN CERTIFICATE-----
MIIB/jCCAWegAwIBAgIUEq2Lr88rlUFV+ICCmt7Pq8n/CR8wDQYJKoZIhvcNAQEL
BQAwEDEOMAwGA1UEAwwFc2hvcnQwIBcNMjYxMTI1MDMyNTA2WhgPMjEyNjExMDEw
MzI1MDZaMBAxDjAMBgNVBAMMBXNob3J0MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCB
iQKBgQDcK2c4MX3K0g5XW82dh3o1zNIyjEf4C5g6IUdRql/enqE+JFcMcehVUHMt
ucKZ5Fb8hBglKrBw089hlnD9Zdnq1fDaa69B0ZHZi/+LNFZirceOWhnPkBFWKZoB
Kalm+QsQhrRJosEIwKWr40zxVXYh+bPv/U8crCKmJBY6YetrrQIDAQABo1MwUTAd
BgNVHQ4EFgQUabsVsvTSh7t80pFOP5FpO8hIspkwHwYDVR0jBBgwFoAUabsVsvTS
h7t80pFOP5FpO8hIspkwDwYDVR0TAQH/BAUwAwEB/zANBgkqhkiG9w0BAQsFAAOB
gQA8jb0rqMvF/y2rQDVspVWPtZoblKbu+DvJWHO5cRoz11FfIWlND6wEFg71uLBG
dQQ179fRvPuv4/cDWZKAtUsEgCpkCNqHTDhgyODpD6uvDnP6f0+DmJdeUsFAusN1
d6W+jxbe7wmDZovtJ+SXnqFYTdY537401d8zN9KA77Huqg==
-----END CERTIFICATE-----
";

    #[test]
    fn a_short_key_is_refused() {
        assert!(matches!(Certificate::from_pem(SHORT.as_bytes()), Err(InvalidCertificate::Short { bits: 1_024 })));
    }
}
