//! The credentials that the protected settings bring, put on the disk.

use std::collections::HashSet;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use contract::guest_agent::Protected;
use contract::guest_agent::protected::{Authority, Cutover, Identity, Kind, ManagedIdentity};
use domain::{ClientId, IdentityKind, ResourceId, Timestamp};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use zeroize::Zeroizing;

use super::failure::{Code, Failure};
use super::place::Place;
use crate::disk::Disk;
use crate::files;
use broker::credential::{Credential, NewCredential};

/// The longest certificate or key of the machine, in bytes of PEM.
const MAX_PEM: u64 = 64 * 1024;

/// What the protected settings brought.
#[derive(Debug)]
pub(super) struct Brought {
    /// Where tokens come from.
    pub(super) authority: Authority,
    /// The client ids of the credentials.
    pub(super) clients: Vec<ClientId>,
    /// What is wanted while the VM is cut over to its metadata service.
    pub(super) cutover: Option<Cutover>,
}

/// Brings the disk to what the protected settings hold: a credential of each identity, and no other. None when there is
/// no identity, and the VM isn't cut over, which needs none.
///
/// # Errors
/// When they can't be decrypted or used, and then nothing was changed; or when the disk refuses.
pub(super) fn renew(place: &Place, disk: &Disk, protected: Option<&Protected>) -> Result<Option<Brought>, Failure> {
    let brought = protected.map(|protected| open(place, protected)).transpose()?.flatten();
    let Some(ManagedIdentity { authority, vm, identities, cutover }) = brought else {
        disk.wipe()?;
        return Ok(None);
    };
    let credentials: Vec<_> = identities
        .iter()
        .enumerate()
        .map(|(number, identity)| credential(identity, number, &vm))
        .collect::<Result<_, _>>()?;
    let (held, unusable) = disk.load();
    for error in &unusable {
        tracing::warn!(error = error as &dyn std::error::Error, "a credential is replaced");
    }
    let wanted: HashSet<_> = credentials.iter().map(|credential| credential.identity.client_id).collect();
    if wanted.is_empty() {
        disk.wipe()?;
    } else {
        disk.keep_only(|client| wanted.contains(&client))?;
    }
    for credential in &credentials {
        let same = |held: &NewCredential| {
            (&held.identity, &held.vm, &held.certificate)
                == (&credential.identity, &credential.vm, &credential.certificate)
                && *held.key == *credential.key
        };
        if !held.iter().any(same) {
            disk.place(credential)?;
        }
    }
    let clients: Vec<_> = credentials.iter().map(|credential| credential.identity.client_id).collect();
    Ok((!clients.is_empty() || cutover.is_some()).then_some(Brought { authority, clients, cutover }))
}

/// Decrypts protected settings with the key that the agent has for them.
fn open(place: &Place, protected: &Protected) -> Result<Option<ManagedIdentity>, Failure> {
    let undecryptable = |message: String| Failure::new(Code::Undecryptable, message);
    // Whoever read the settings saw to it that this is a thumbprint.
    let thumbprint = &protected.thumbprint;
    let read = |extension: &str| -> Result<(PathBuf, Zeroizing<Vec<u8>>), Failure> {
        let path = place.home.join(format!("{thumbprint}.{extension}"));
        let told = |why: String| {
            let what = "which is needed to decrypt the protected settings";
            undecryptable(format!("{}, {what}, can't be read: {why}", path.display()))
        };
        let bytes = files::read(&path, MAX_PEM).map_err(|why| told(why.to_string()))?;
        let bytes = bytes.ok_or_else(|| told("it isn't there".to_owned()))?;
        Ok((path, Zeroizing::new(bytes)))
    };
    let no_pem = |path: &PathBuf| undecryptable(format!("{} isn't PEM of the right kind", path.display()));
    let (path, text) = read("crt")?;
    let certificate = CertificateDer::from_pem_slice(&text).map_err(|_| no_pem(&path))?;
    let (path, text) = read("prv")?;
    let key = PrivatePkcs8KeyDer::from_pem_slice(&text).map_err(|_| no_pem(&path))?;
    let cms = STANDARD.decode(&protected.cms_base64);
    let cms = cms.map_err(|_| undecryptable("the protected settings aren't base64".to_owned()))?;
    let opened = envelope::open(key.secret_pkcs8_der(), &certificate, &cms).map_err(|_| {
        undecryptable(format!("the protected settings can't be decrypted with the machine's key {thumbprint}"))
    })?;
    ManagedIdentity::of(&opened).map_err(|why| Failure::of(Code::Credential, &why))
}

/// The credential of an identity, if it is a sound one. What is wrong is told without what stands there.
fn credential(identity: &Identity, number: usize, vm: &str) -> Result<NewCredential, Failure> {
    let wrong = |what: &str| {
        let message = format!("credential {number} of the protected settings can't be used: its {what} is none");
        Failure::new(Code::Credential, message)
    };
    let credential = NewCredential {
        identity: domain::ManagedIdentity {
            kind: match identity.kind {
                Kind::SystemAssigned => IdentityKind::SystemAssigned,
                Kind::UserAssigned => IdentityKind::UserAssigned,
            },
            id: ResourceId::parse(&identity.resource_id).map_err(|_| wrong("resource id"))?,
            tenant: identity.tenant_id.parse().map_err(|_| wrong("tenant id"))?,
            principal_id: identity.principal_id.parse().map_err(|_| wrong("principal id"))?,
            client_id: identity.client_id.parse().map_err(|_| wrong("client id"))?,
        },
        vm: ResourceId::parse(vm).map_err(|_| wrong("VM's resource id"))?,
        certificate: STANDARD.decode(&identity.certificate).map_err(|_| wrong("certificate"))?,
        key: Zeroizing::new(STANDARD.decode(&*identity.private_key).map_err(|_| wrong("private key"))?),
        not_after: Timestamp::from_unix(identity.not_after),
    };
    Credential::open(&credential).map_err(|_| wrong("private key"))?;
    Ok(credential)
}
