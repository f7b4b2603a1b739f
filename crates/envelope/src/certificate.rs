//! Certificates: reading one, its thumbprint, and making a self-signed one.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize, PublicEncryptingKey};
use cms::cert::IssuerAndSerialNumber;
use der::{Decode, Encode};
use rcgen::{CertificateParams, DistinguishedName, DnType, PKCS_RSA_SHA256};
use rustls_pki_types::PrivatePkcs8KeyDer;
use time::OffsetDateTime;
use x509_cert::Certificate;
use zeroize::Zeroizing;

use crate::EnvelopeError;

/// The bits that an RSA key may have.
const KEY_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// The thumbprint by which the protocol names a certificate: SHA-1 of its DER in upper-case hexadecimal digits.
#[must_use]
pub fn thumbprint(certificate_der: &[u8]) -> String {
    sha1(certificate_der).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02X}");
        text
    })
}

/// Makes an RSA-2048 key and a certificate that it signs itself: certificate (DER), private key (PKCS#8). The times are
/// Unix seconds. Takes up to a tenth of a second of CPU.
///
/// # Errors
/// [`EnvelopeError::Crypto`] when the crypto library fails, or when a time is no date.
pub fn self_signed(
    common_name: &str,
    not_before_unix: i64,
    not_after_unix: i64,
) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), EnvelopeError> {
    let date = |unix| OffsetDateTime::from_unix_timestamp(unix).map_err(|_| EnvelopeError::Crypto);
    let key = KeyPair::generate(KeySize::Rsa2048)?;
    let pkcs8: Pkcs8V1Der<'_> = key.as_der()?;
    let pkcs8 = Zeroizing::new(pkcs8.as_ref().to_vec());
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = date(not_before_unix)?;
    params.not_after = date(not_after_unix)?;
    let signing =
        rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(pkcs8.as_slice()), &PKCS_RSA_SHA256);
    let certificate = signing.and_then(|signing| params.self_signed(&signing)).map_err(|_| EnvelopeError::Crypto)?;
    Ok((certificate.der().to_vec(), pkcs8))
}

pub(crate) fn sha1(data: &[u8]) -> [u8; 20] {
    let mut bytes = [0; 20];
    bytes.copy_from_slice(digest(&SHA1_FOR_LEGACY_USE_ONLY, data).as_ref());
    bytes
}

/// What an envelope needs of its reader's certificate.
pub(crate) struct Recipient {
    pub(crate) name: IssuerAndSerialNumber,
    /// The key, as `RSAPublicKey`.
    pub(crate) public_key: Vec<u8>,
    pub(crate) encrypting: PublicEncryptingKey,
}

impl Recipient {
    pub(crate) fn read(certificate_der: &[u8]) -> Result<Self, EnvelopeError> {
        let read = || -> der::Result<_> {
            let certificate = Certificate::from_der(certificate_der)?.tbs_certificate;
            Ok((certificate.subject_public_key_info.to_der()?, certificate))
        };
        let (spki, certificate) = read().map_err(|_| EnvelopeError::Certificate)?;
        let public_key = certificate.subject_public_key_info.subject_public_key.as_bytes();
        let public_key = public_key.ok_or(EnvelopeError::Certificate)?.to_vec();
        let encrypting = PublicEncryptingKey::from_der(&spki).map_err(|_| EnvelopeError::Certificate)?;
        if !KEY_BITS.contains(&encrypting.key_size_bits()) {
            return Err(EnvelopeError::Certificate);
        }
        let name = IssuerAndSerialNumber { issuer: certificate.issuer, serial_number: certificate.serial_number };
        Ok(Self { name, public_key, encrypting })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openssl::{self, Scratch};

    #[test]
    fn openssl_reads_the_certificate_and_agrees_on_the_thumbprint() {
        let Some(scratch) = Scratch::new() else { return };
        let (certificate, key) = self_signed("LinuxTransport", 1_700_000_000, 1_763_072_000).unwrap();
        let path = scratch.write("c.der", &certificate);
        let shown = openssl::text(&[
            "x509",
            "-inform",
            "DER",
            "-in",
            &path,
            "-noout",
            "-subject",
            "-fingerprint",
            "-sha1",
            "-dates",
        ]);
        let thumbprint = thumbprint(&certificate);
        assert_eq!(thumbprint.len(), 40);
        assert!(shown.replace(':', "").contains(&format!("Fingerprint={thumbprint}")), "{shown}");
        assert!(shown.contains("CN = LinuxTransport"), "{shown}");
        assert!(shown.contains("notBefore=Nov 14 22:13:20 2023 GMT"), "{shown}");
        assert!(shown.contains("notAfter=Nov 13 22:13:20 2025 GMT"), "{shown}");
        let checked =
            openssl::text(&["pkey", "-inform", "DER", "-in", &scratch.write("k.der", &key), "-check", "-noout"]);
        assert!(checked.contains("Key is valid"), "{checked}");
    }

    #[test]
    fn a_time_that_is_no_date_is_refused() {
        assert_eq!(self_signed("x", 0, i64::MAX).unwrap_err(), EnvelopeError::Crypto);
    }

    #[test]
    fn a_certificate_without_an_rsa_key_is_refused() {
        let elliptic = rcgen::generate_simple_self_signed(Vec::new()).unwrap();
        assert_eq!(Recipient::read(elliptic.cert.der()).err(), Some(EnvelopeError::Certificate));
        assert_eq!(Recipient::read(b"no certificate").err(), Some(EnvelopeError::Certificate));
    }
}
