//! Credentials for the extension of a VM: a key and certificate for each identity, known to the authority.

use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use authority::signer::{KeyError, NewKey};
use domain::{CertificateCredential, ManagedIdentity, ProvisioningState, ResourceId, Timestamp};
use store::{Act, Handle};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

/// How long a credential lives.
pub const LIFE: Duration = Duration::from_secs(86_400);
/// With less than this left a credential is replaced.
pub const RENEW_BEFORE: Duration = Duration::from_secs(43_200);

/// Makes keys for VMs, no more at once than there are processors: whoever waits for one keeps no thread. Cheap to clone.
#[derive(Clone, Debug)]
pub struct KeyMaker {
    turns: Arc<Semaphore>,
}

impl KeyMaker {
    fn at_once(keys: usize) -> Self {
        Self { turns: Arc::new(Semaphore::new(keys)) }
    }

    /// Makes a key with a certificate that holds from a little before `now` for `life`.
    pub(crate) async fn make(&self, name: String, now: Timestamp, life: Duration) -> Result<NewKey, IssueError> {
        let work = move || NewKey::generate(&name, now.minus(Duration::from_secs(300)), now.plus(life));
        Ok(self.in_turn(work).await??)
    }

    /// Work has its turn until it is done, also where nobody waits for it any more.
    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, IssueError> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| IssueError::Stopped)?;
        let work = move || {
            let _turn = turn;
            work()
        };
        spawn_blocking(work).await.map_err(|_| IssueError::Stopped)
    }
}

impl Default for KeyMaker {
    fn default() -> Self {
        Self::at_once(available_parallelism().map_or(1, NonZero::get))
    }
}

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
    #[error("no key could be made")]
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

impl IssueError {
    /// Whether what was wanted isn't any more: something was saved while the key was made.
    pub(crate) fn is_overtaken(&self) -> bool {
        match self {
            Self::Unassigned | Self::CutOver | Self::Removed => true,
            Self::Key(_) | Self::Store(_) | Self::Stopped => false,
        }
    }
}

/// Issues a credential for an identity of a VM and registers its certificate: for one of its `extension`s alone, or for
/// whatever of them there is.
///
/// # Errors
/// When no key can be made, the machine doesn't have the identity or the extension any more, or the store fails; then
/// nothing is registered.
pub async fn issue(
    store: &Handle,
    keys: &KeyMaker,
    identity: &ManagedIdentity,
    vm: &ResourceId,
    extension: Option<&ResourceId>,
    now: Timestamp,
) -> Result<IssuedCredential, IssueError> {
    let name = format!("{} on {}", identity.client_id, vm.name());
    let NewKey { pkcs8, certificate } = keys.make(name, now, LIFE).await?;
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

/// Whether a credential that lies on a VM's disk is known here as that of this `extension` (or of all of them), not revoked,
/// and lives long enough.
///
/// # Errors
/// When the store fails.
pub async fn is_good(
    store: &Handle,
    vm: &ResourceId,
    extension: Option<&ResourceId>,
    certificate: Vec<u8>,
    now: Timestamp,
) -> Result<bool, store::Error> {
    let (vm, extension) = (vm.clone(), extension.cloned());
    store
        .read(move |tx| {
            let known = tx.certificate_credentials_of_vm(&vm)?;
            Ok(known.iter().any(|credential| {
                credential.certificate_der == certificate
                    && credential.extension == extension
                    && credential.is_valid_at(now)
                    && credential.not_after.since(now) > RENEW_BEFORE
            }))
        })
        .await
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn work_has_its_turn_until_it_is_done() {
        let keys = KeyMaker::at_once(1);
        let turns = keys.turns.clone();
        assert!(matches!(keys.in_turn(move || turns.available_permits()).await, Ok(0)));
        assert_eq!(keys.turns.available_permits(), 1);

        let ((say, said), (begin, begun)) = (mpsc::channel::<()>(), tokio::sync::oneshot::channel());
        let waiting = keys.clone();
        let waits = tokio::spawn(async move {
            let work = move || {
                begin.send(()).unwrap();
                said.recv().unwrap();
            };
            waiting.in_turn(work).await
        });
        begun.await.unwrap();
        waits.abort();
        assert!(waits.await.unwrap_err().is_cancelled());
        assert_eq!(keys.turns.available_permits(), 0, "the thread is still at work");
        say.send(()).unwrap();
        assert!(keys.in_turn(|| ()).await.is_ok());
    }
}
