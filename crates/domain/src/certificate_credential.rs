//! Certificates that a service principal signs in with, e.g. the one the extension keeps on a machine's disk.

use crate::{ClientId, PrincipalId, ResourceId, TenantId, Timestamp};

/// A certificate registered for a service principal. The private key is never here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateCredential {
    /// Whose it is.
    pub holder: PrincipalId,
    /// The holder's tenant.
    pub tenant: TenantId,
    /// The holder's application id.
    pub client_id: ClientId,
    /// The machine whose disk holds the key, when there is one.
    pub vm: Option<ResourceId>,
    /// The extension of that machine which alone holds it; none when every one of its extensions signs with it.
    pub extension: Option<ResourceId>,
    /// SHA-1 of the DER bytes (`x5t`).
    pub thumbprint_sha1: [u8; 20],
    /// SHA-256 of the DER bytes (`x5t#S256`); unique in an installation.
    pub thumbprint_sha256: [u8; 32],
    /// The certificate in DER.
    pub certificate_der: Vec<u8>,
    /// First instant it is accepted.
    pub not_before: Timestamp,
    /// Last instant it is accepted.
    pub not_after: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl CertificateCredential {
    /// Whether it is accepted at `now`: inside its validity and not revoked.
    #[must_use]
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.not_before <= now && now <= self.not_after
    }
}
