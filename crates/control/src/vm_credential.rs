//! Credentials for the extension of a VM: a key and certificate for each identity, known to the authority.

use std::time::Duration;

use authority::signer::{KeyError, NewKey};
use domain::{CertificateCredential, ManagedIdentity, ProvisioningState, ResourceId, Timestamp};
use store::{Act, Handle};
use zeroize::Zeroizing;

/// How long a credential lives.
pub const LIFE: Duration = Duration::from_secs(86_400);
/// With less than this left a credential is replaced.
pub const RENEW_BEFORE: Duration = Duration::from_secs(43_200);

/// A credential to be carried to the VM.
pub struct IssuedCredential {
    /// The certificate, DER.
    pub certificate: Vec<u8>,
    /// The private key, PKCS#8; it is kept nowhere else.
    pub key: Zeroizing<Vec<u8>>,
    /// The end of its life.
    pub not_after: Timestamp,
}

/// Why no credential was issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// No key.
    #[error("no key could be made for the identity")]
    Key(#[from] KeyError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The identity isn't the machine's any more.
    #[error("the identity was taken from the virtual machine meanwhile")]
    Unassigned,
    /// The machine's extension is to hold no credential any more.
    #[error("the virtual machine is being cut over to the metadata service")]
    CutOver,
    /// The extension for which it was to be is going or gone.
    #[error("the extension was taken from the virtual machine meanwhile")]
    Removed,
    /// A task ended without a result.
    #[error("the making of a key was stopped")]
    Stopped,
}

/// Issues a credential for an identity of a VM and registers its certificate: for one of its `extension`s alone, or for
/// whatever of them there is.
///
/// # Errors
/// When no key can be made, the machine doesn't have the identity or the extension any more, or the store fails; then
/// nothing is registered.
pub async fn issue(
    store: &Handle,
    identity: &ManagedIdentity,
    vm: &ResourceId,
    extension: Option<&ResourceId>,
    now: Timestamp,
) -> Result<IssuedCredential, IssueError> {
    let name = format!("{} on {}", identity.client_id, vm.name());
    let key = tokio::task::spawn_blocking(move || {
        NewKey::generate(&name, now.minus(Duration::from_secs(300)), now.plus(LIFE))
    });
    let NewKey { pkcs8, certificate } = key.await.map_err(|_| IssueError::Stopped)??;
    let registered = CertificateCredential {
        holder: identity.principal_id,
        tenant: identity.tenant,
        client_id: identity.client_id,
        vm: Some(vm.clone()),
        extension: extension.cloned(),
        thumbprint_sha1: certificate.thumbprint_sha1,
        thumbprint_sha256: certificate.thumbprint_sha256,
        certificate_der: certificate.der.clone(),
        not_before: certificate.not_before,
        not_after: certificate.not_after,
        revoked_at: None,
    };
    let not_after = certificate.not_after;
    let (act, of) = (Act::new("symbolon", "vmCredential.issue", identity.client_id.to_string(), now), vm.clone());
    store
        .write(act, move |tx| {
            // The making of the key took its time, and whoever took the identity away has revoked what there was.
            let snapshot = tx.vm_snapshot(&of)?;
            let assigned = snapshot.and_then(|found| found.identities.by_client_id(registered.client_id).map(drop));
            assigned.ok_or(IssueError::Unassigned)?;
            if let Some(extension) = &registered.extension
                && tx.vm_extension(extension)?.is_none_or(|there| there.state == ProvisioningState::Deleting)
            {
                return Err(IssueError::Removed);
            }
            if tx.cutover(&of)?.is_some_and(|cutover| !cutover.needs_credentials()) {
                return Err(IssueError::CutOver);
            }
            tx.put_certificate_credential(&registered)?;
            Ok::<_, IssueError>(())
        })
        .await?;
    Ok(IssuedCredential { certificate: certificate.der, key: pkcs8, not_after })
}

/// Whether a credential that lies on a VM's disk is known here, not revoked, and lives long enough.
///
/// # Errors
/// When the store fails.
pub async fn is_good(
    store: &Handle,
    vm: &ResourceId,
    certificate: Vec<u8>,
    now: Timestamp,
) -> Result<bool, store::Error> {
    let vm = vm.clone();
    store
        .read(move |tx| {
            let known = tx.certificate_credentials_of_vm(&vm)?;
            Ok(known.iter().any(|credential| {
                credential.certificate_der == certificate
                    && credential.is_valid_at(now)
                    && credential.not_after.since(now) > RENEW_BEFORE
            }))
        })
        .await
}
