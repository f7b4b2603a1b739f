//! CMS SignedData (RFC 5652 §5) in the form of attested documents.
//!
//! It is an odd form: the digest algorithm is the signature's, `sha256WithRSAEncryption`, and there are no signed
//! attributes, so that the signature is over the content itself. So decodes the sample in MicrosoftDocs/azure-compute-docs
//! `instance-metadata-service.md`.

use cms::cert::{CertificateChoices, IssuerAndSerialNumber};
use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{
    CertificateSet, EncapsulatedContentInfo, SignedData, SignerIdentifier, SignerInfo, SignerInfos,
};
use der::asn1::{Any, Ia5String, ObjectIdentifier, OctetString, SetOfVec};
use der::{Decode, Encode};
use x509_cert::Certificate;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{AccessDescription, AuthorityInfoAccessSyntax};
use x509_cert::spki::AlgorithmIdentifierOwned;

use crate::EnvelopeError;
use crate::enveloped_data::{ID_DATA, RSA_ENCRYPTION};

const ID_SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const SHA256_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const CA_ISSUERS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.2");

/// A text that was signed.
#[derive(Clone, Copy, Debug)]
pub struct SignedContent<'c> {
    /// The text.
    pub content: &'c [u8],
    /// The certificate of whoever signed it, DER.
    pub certificate: &'c [u8],
    /// The RSA PKCS#1 v1.5 signature with SHA-256 over the text.
    pub signature: &'c [u8],
}

/// Puts a signed text into its form: a DER `ContentInfo` that holds `SignedData` with one signer and one certificate.
///
/// # Errors
/// [`EnvelopeError::Certificate`] when that isn't one, otherwise [`EnvelopeError::Crypto`].
pub fn signed(content: SignedContent<'_>) -> Result<Vec<u8>, EnvelopeError> {
    let certificate = Certificate::from_der(content.certificate).map_err(|_| EnvelopeError::Certificate)?;
    let with_null = |oid| AlgorithmIdentifierOwned { oid, parameters: Some(Any::null()) };
    let encode = || -> der::Result<Vec<u8>> {
        let signer = SignerInfo {
            version: CmsVersion::V1,
            sid: SignerIdentifier::IssuerAndSerialNumber(IssuerAndSerialNumber {
                issuer: certificate.tbs_certificate.issuer.clone(),
                serial_number: certificate.tbs_certificate.serial_number.clone(),
            }),
            digest_alg: with_null(SHA256_WITH_RSA),
            signed_attrs: None,
            signature_algorithm: with_null(RSA_ENCRYPTION),
            signature: OctetString::new(content.signature)?,
            unsigned_attrs: None,
        };
        let data = SignedData {
            version: CmsVersion::V1,
            digest_algorithms: SetOfVec::try_from(vec![with_null(SHA256_WITH_RSA)])?,
            encap_content_info: EncapsulatedContentInfo {
                econtent_type: ID_DATA,
                econtent: Some(Any::encode_from(&OctetString::new(content.content)?)?),
            },
            certificates: Some(CertificateSet(SetOfVec::try_from(vec![CertificateChoices::Certificate(certificate)])?)),
            crls: None,
            signer_infos: SignerInfos(SetOfVec::try_from(vec![signer])?),
        };
        ContentInfo { content_type: ID_SIGNED_DATA, content: Any::encode_from(&data)? }.to_der()
    };
    encode().map_err(|_| EnvelopeError::Crypto)
}

/// The value of a certificate's extension `authorityInfoAccess` that says where its issuer's certificate is to be had.
///
/// # Errors
/// [`EnvelopeError::Certificate`] when the URL isn't ASCII.
pub fn issuer_access(url: &str) -> Result<Vec<u8>, EnvelopeError> {
    let encode = || -> der::Result<Vec<u8>> {
        let access_location = GeneralName::UniformResourceIdentifier(Ia5String::new(url)?);
        AuthorityInfoAccessSyntax(vec![AccessDescription { access_method: CA_ISSUERS, access_location }]).to_der()
    };
    encode().map_err(|_| EnvelopeError::Certificate)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::KeyPair;
    use aws_lc_rs::signature::RSA_PKCS1_SHA256;

    use super::*;
    use crate::openssl::{self, Scratch};

    #[test]
    fn openssl_verifies_it_and_sees_the_odd_form() {
        let Some(scratch) = Scratch::new() else { return };
        let (certificate, key) = crate::self_signed("metadata.azure.com", 1_700_000_000, 4_000_000_000).unwrap();
        let key = KeyPair::from_pkcs8(&key).unwrap();
        let content = b"{\"nonce\":\"1\"}";
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), content, &mut signature).unwrap();
        let der = signed(SignedContent { content, certificate: &certificate, signature: &signature }).unwrap();
        let path = scratch.write("s.der", &der);
        for tool in ["smime", "cms"] {
            let out = openssl::run(&[tool, "-verify", "-inform", "DER", "-in", &path, "-noverify"]);
            assert_eq!(out, content, "{tool}");
        }
        let shown = openssl::text(&["asn1parse", "-inform", "DER", "-in", &path]);
        assert_eq!(shown.matches("sha256WithRSAEncryption").count(), 4, "two in the certificate: {shown}");
        assert!(
            !shown.contains(":sha256\n") && !shown.contains("cont [ 1 ]") && !shown.contains("messageDigest"),
            "{shown}"
        );

        let mut wrong = signature.clone();
        wrong[0] ^= 1;
        let der = signed(SignedContent { content, certificate: &certificate, signature: &wrong }).unwrap();
        let path = scratch.write("w.der", &der);
        let refused = std::process::Command::new("openssl")
            .args(["smime", "-verify", "-inform", "DER", "-in", &path, "-noverify"])
            .output()
            .unwrap();
        assert!(!refused.status.success(), "the test sees a wrong signature");
    }

    #[test]
    fn an_issuer_is_named_by_its_url() {
        let der = issuer_access("http://www.microsoft.com/x").unwrap();
        let access = AuthorityInfoAccessSyntax::from_der(&der).unwrap().0;
        assert!(access.len() == 1 && access[0].access_method == CA_ISSUERS, "{access:?}");
        assert_eq!(issuer_access("http://é/").unwrap_err(), EnvelopeError::Certificate);
    }
}
