//! Certificates that service principals sign in with.

use domain::{CertificateCredential, ClientId, PrincipalId, ResourceId, TenantId, Timestamp};

use crate::{Error, Put};

/// How an assertion names the certificate it was signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Thumbprint {
    /// SHA-1 of the DER bytes (`x5t`).
    Sha1([u8; 20]),
    /// SHA-256 of the DER bytes (`x5t#S256`).
    Sha256([u8; 32]),
}

/// Looks up certificates, revoked ones too.
pub trait CertificateCredentialReader {
    /// By holder and thumbprint.
    ///
    /// # Errors
    /// When the store fails.
    fn certificate_credential(
        &self,
        tenant: TenantId,
        client_id: ClientId,
        thumbprint: Thumbprint,
    ) -> Result<Option<CertificateCredential>, Error>;

    /// All whose key is on the disk of a machine, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    fn certificate_credentials_of_vm(&self, vm: &ResourceId) -> Result<Vec<CertificateCredential>, Error>;

    /// All of a principal, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    fn certificate_credentials_of(&self, holder: PrincipalId) -> Result<Vec<CertificateCredential>, Error>;
}

/// Changes certificates.
pub trait CertificateCredentialWriter {
    /// Stores a certificate under its SHA-256 thumbprint. Once stored only its revocation may change, and only once.
    ///
    /// # Errors
    /// [`Error::Missing`] when no living principal has these ids; [`Error::Contradiction`] when the thumbprint is there
    /// with anything else.
    fn put_certificate_credential(&mut self, credential: &CertificateCredential) -> Result<Put, Error>;

    /// Revokes a certificate as of the act's time; says whether it was there and not yet revoked.
    ///
    /// # Errors
    /// When the store fails.
    fn revoke_certificate_credential(&mut self, thumbprint_sha256: [u8; 32]) -> Result<bool, Error>;

    /// Forgets the certificates of machines that ended before this time; says how many there were. Nobody takes them
    /// any more, revoked or not. Those of no machine stay: who put them there takes them away.
    ///
    /// # Errors
    /// When the store fails.
    fn prune_certificate_credentials(&mut self, before: Timestamp) -> Result<usize, Error>;
}
