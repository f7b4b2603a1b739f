//! The PEM file of an identity's certificate and private key. It is read only when nobody else can read it.

use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use authority::certificate::Certificate;
use broker::credential::{Credential, NewCredential};
use domain::{Clock, ManagedIdentity, ResourceId};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use zeroize::Zeroizing;

/// The longest file that is read, in bytes.
const LONGEST: u64 = 64 * 1024;

/// Reads an identity's credential. The error is for the person who wrote the configuration.
pub(super) fn read(
    path: &Path,
    identity: ManagedIdentity,
    vm: ResourceId,
    clock: &dyn Clock,
) -> Result<Credential, String> {
    let shown = path.display();
    let pem = text(path)?;
    let certificate = Certificate::from_pem(pem.as_bytes()).map_err(|why| format!("{shown}: {why}"))?;
    if certificate.not_after <= clock.now() {
        return Err(format!("{shown}: the certificate has run out"));
    }
    let key = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes())
        .map_err(|why| format!("{shown}: there is no private key in PKCS#8 form (BEGIN PRIVATE KEY) in it: {why}"))?;
    let stored = NewCredential {
        identity,
        vm,
        certificate: certificate.der,
        key: Zeroizing::new(key.secret_pkcs8_der().to_vec()),
        not_after: certificate.not_after,
    };
    let credential =
        Credential::open(&stored).map_err(|why| format!("{shown}: the private key can't be used: {why}"))?;
    if credential.public_key() != certificate.rsa_public_key {
        return Err(format!("{shown}: the private key is not that of the certificate"));
    }
    Ok(credential)
}

fn text(path: &Path) -> Result<Zeroizing<String>, String> {
    let failed = |why: std::io::Error| format!("{} can't be read: {why}", path.display());
    let no_follow = rustix::fs::OFlags::NOFOLLOW.bits();
    let mut file = OpenOptions::new().read(true).custom_flags(no_follow.cast_signed()).open(path).map_err(failed)?;
    let found = file.metadata().map_err(failed)?;
    if found.mode() & 0o077 != 0 {
        return Err(format!(
            "{} has mode {:04o}, so others can sign in with it; run: chmod 600 {}",
            path.display(),
            found.mode() & 0o7777,
            path.display()
        ));
    }
    if found.len() > LONGEST {
        return Err(format!("{} is longer than any credential", path.display()));
    }
    let mut text = Zeroizing::new(String::new());
    file.by_ref().take(LONGEST).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}
