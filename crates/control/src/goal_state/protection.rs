//! What only one VM may read: its certificate, and the settings and credentials sealed for that.

use std::collections::BTreeMap;
use std::time::Duration;

use authority::kek::{FileKek, Kek as _, KeyAad};
use authority::signer::NewKey;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use contract::guest_agent::protected;
use domain::{IdentityKind, ManagedIdentity, Protection, ResourceId, Sealed, Step, Timestamp, VmExtension};
use zeroize::Zeroizing;

use super::{GoalStateError, Wanted, failed};
use crate::App;
use crate::arm::guest::protected_settings;
use crate::vm_credential::{self, RENEW_BEFORE};

/// The longest protected settings of an extension's owner that travel to a machine.
const MAX_SETTINGS: usize = 512 << 10;
/// How long a machine's certificate lives: as long as the extensions do, and no client judges it.
const LIFE: Duration = Duration::from_secs(10 * 365 * 86_400);

/// Seals what is to be protected on a machine now; nothing when there is nothing. The certificate stays that of before,
/// and so do the credentials that are good for long enough.
pub(super) async fn make(
    app: &App,
    authority: &protected::Authority,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<Option<Protection>, GoalStateError> {
    let extensions: Vec<&VmExtension> = wanted.protected().collect();
    if extensions.is_empty() {
        return Ok(None);
    }
    let vm = &wanted.machine.id;
    let before = wanted.last.as_ref().and_then(|last| last.protection.as_ref());
    let (certificate, key, opened) = match before {
        Some(before) => match open_key(&app.kek, vm, &before.key) {
            Ok(opened) => (before.certificate.clone(), before.key.clone(), opened),
            Err(why) => {
                tracing::error!(%vm, error = &why as &dyn std::error::Error, "the VM gets another key");
                new_key(app, vm, now).await?
            }
        },
        None => new_key(app, vm, now).await?,
    };
    let mut settings = BTreeMap::new();
    let mut renew_at: Option<Timestamp> = None;
    // Before anything is issued that couldn't be sealed.
    let plain = extensions.iter().map(|extension| users(app, extension)).collect::<Result<Vec<_>, _>>()?;
    for (extension, mut plain) in extensions.into_iter().zip(plain) {
        if extension.is_managed_identity() {
            let name = extension.name.to_ascii_lowercase();
            let held =
                before.and_then(|before| before.settings.get(&name)).map(|text| held(&opened, &certificate, text));
            let held = held.unwrap_or_default();
            let serves = wanted.needs_credentials();
            let identities = match wanted.step() {
                _ if serves => credentials(app, wanted, &extension.id, held, now).await?,
                // They stay as they are: whoever goes back before anything is revoked still has them.
                Step::Serving | Step::Forwarding => held,
                Step::Revoked | Step::Closed => Vec::new(),
            };
            let due = identities
                .iter()
                .filter(|_| serves)
                .map(|identity| Timestamp::from_unix(identity.not_after).minus(RENEW_BEFORE))
                .min();
            renew_at = renew_at.into_iter().chain(due).min();
            let (authority, vm, cutover) = (authority.clone(), vm.to_string(), cutover(wanted));
            let ours = protected::ManagedIdentity { authority, vm, identities, cutover };
            plain = ours.beside(&plain);
        }
        let sealed = envelope::seal(&certificate, plain.as_bytes()).map_err(failed("the sealing of settings"))?;
        settings.insert(extension.name.to_ascii_lowercase(), STANDARD.encode(sealed));
    }
    Ok(Some(Protection { certificate, key, settings, renew_at }))
}

/// What is wanted of the endpoint, where that isn't that it serves.
fn cutover(wanted: &Wanted) -> Option<protected::Cutover> {
    let step = match wanted.step() {
        Step::Serving => return None,
        Step::Forwarding => protected::CutoverStep::Forwarding,
        Step::Revoked => protected::CutoverStep::Revoked,
        Step::Closed => protected::CutoverStep::Closed,
    };
    Some(protected::Cutover { step, imds: wanted.imds() })
}

/// A machine's certificate and key, sealed for its agent.
pub(super) fn for_agent(
    kek: &FileKek,
    vm: &ResourceId,
    protection: &Protection,
    transport: &[u8],
) -> Result<String, GoalStateError> {
    let key = open_key(kek, vm, &protection.key)?;
    let pfx = envelope::pfx(&protection.certificate, &key).map_err(failed("the making of a PFX"))?;
    let sealed = envelope::seal(transport, &pfx).map_err(|_| GoalStateError::Certificate)?;
    Ok(STANDARD.encode(sealed))
}

/// How agents name a certificate.
pub(super) fn thumbprint(certificate: &[u8]) -> String {
    envelope::thumbprint(certificate)
}

async fn new_key(
    app: &App,
    vm: &ResourceId,
    now: Timestamp,
) -> Result<(Vec<u8>, Sealed, Zeroizing<Vec<u8>>), GoalStateError> {
    let name = format!("TenantEncryptionCert {}", vm.name());
    let NewKey { pkcs8, certificate } = app.key_maker.make(name, now, LIFE).await?;
    let bytes = app.kek.wrap(&aad(vm), &pkcs8).map_err(failed("the sealing of a key"))?;
    Ok((certificate.der, Sealed { kek_id: app.kek.id().to_owned(), bytes }, pkcs8))
}

fn open_key(kek: &FileKek, vm: &ResourceId, key: &Sealed) -> Result<Zeroizing<Vec<u8>>, GoalStateError> {
    kek.unwrap(&key.kek_id, &aad(vm), &key.bytes).map_err(failed("the opening of a machine's key"))
}

fn aad(vm: &ResourceId) -> KeyAad<'_> {
    KeyAad { kid: vm.key(), issuer: "", purpose: "goal-state-key", version: 1 }
}

/// What the owner of an extension protects, as JSON.
fn users(app: &App, extension: &VmExtension) -> Result<Zeroizing<String>, GoalStateError> {
    let opened = protected_settings(&app.kek, extension).map_err(failed("the opening of protected settings"))?;
    let Some(opened) = opened else { return Ok(Zeroizing::new("{}".to_owned())) };
    let text = std::str::from_utf8(&opened).map_err(failed("the reading of protected settings"))?;
    if text.len() > MAX_SETTINGS {
        return Err(failed("the sealing of protected settings")(format!("they are longer than {MAX_SETTINGS} bytes")));
    }
    Ok(Zeroizing::new(text.to_owned()))
}

/// The credentials that were sealed before. Those that can't be opened any more are made anew.
fn held(key: &[u8], certificate: &[u8], settings: &str) -> Vec<protected::Identity> {
    let opened = STANDARD.decode(settings).ok().and_then(|sealed| envelope::open(key, certificate, &sealed).ok());
    let read = opened.and_then(|plain| protected::ManagedIdentity::of(&plain).ok().flatten());
    read.map(|read| read.identities).unwrap_or_default()
}

/// A good credential of an extension for each identity of the machine.
async fn credentials(
    app: &App,
    wanted: &Wanted,
    extension: &ResourceId,
    held: Vec<protected::Identity>,
    now: Timestamp,
) -> Result<Vec<protected::Identity>, GoalStateError> {
    let vm = &wanted.machine.id;
    let mut good = BTreeMap::new();
    for identity in held {
        let certificate = STANDARD.decode(&identity.certificate).unwrap_or_default();
        if vm_credential::is_good(&app.store, vm, Some(extension), certificate, now).await? {
            good.insert(identity.client_id.clone(), identity);
        }
    }
    let mut all = Vec::new();
    for identity in wanted.identities.iter() {
        let there = good.remove(&identity.client_id.to_string());
        all.push(match there {
            Some(there) => there,
            None => issue(app, identity, vm, extension, now).await?,
        });
    }
    Ok(all)
}

async fn issue(
    app: &App,
    identity: &ManagedIdentity,
    vm: &ResourceId,
    extension: &ResourceId,
    now: Timestamp,
) -> Result<protected::Identity, GoalStateError> {
    let issued = vm_credential::issue(&app.store, &app.key_maker, identity, vm, Some(extension), now).await?;
    Ok(protected::Identity {
        kind: match identity.kind {
            IdentityKind::SystemAssigned => protected::Kind::SystemAssigned,
            IdentityKind::UserAssigned => protected::Kind::UserAssigned,
        },
        resource_id: identity.id.to_string(),
        tenant_id: identity.tenant.to_string(),
        principal_id: identity.principal_id.to_string(),
        client_id: identity.client_id.to_string(),
        not_after: issued.not_after.unix(),
        certificate: STANDARD.encode(&issued.certificate),
        private_key: Zeroizing::new(STANDARD.encode(&*issued.key)),
    })
}
