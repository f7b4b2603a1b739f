//! PEM files of a certificate and its private key: an identity's, or that of attested documents. Such a file is read only when
//! nobody else can read it.

use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use authority::certificate::Certificate;
use authority::signer::SoftwareSigner;
use broker::credential::{Credential, NewCredential};
use domain::{Clock, ManagedIdentity, ResourceId};
use rustix::fs::OFlags;
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
    let (certificate, key) = certificate_and_key(path, clock)?;
    let stored = NewCredential { identity, vm, certificate: certificate.der, key, not_after: certificate.not_after };
    let credential = Credential::open(&stored).map_err(|why| unusable(path, &why))?;
    of_the_certificate(path, credential.public_key(), &certificate.rsa_public_key)?;
    Ok(credential)
}

/// Reads the certificate that attested documents are signed with, and its key. The error is for the person who wrote the
/// configuration.
pub(super) fn read_signer(path: &Path, clock: &dyn Clock) -> Result<(SoftwareSigner, Certificate), String> {
    let (certificate, key) = certificate_and_key(path, clock)?;
    let signer = SoftwareSigner::new("attested".to_owned(), &key).map_err(|why| unusable(path, &why))?;
    of_the_certificate(path, signer.public_key(), &certificate.rsa_public_key)?;
    Ok((signer, certificate))
}

fn certificate_and_key(path: &Path, clock: &dyn Clock) -> Result<(Certificate, Zeroizing<Vec<u8>>), String> {
    let shown = path.display();
    let pem = text(path)?;
    let certificate = Certificate::from_pem(pem.as_bytes()).map_err(|why| format!("{shown}: {why}"))?;
    if certificate.not_after <= clock.now() {
        return Err(format!("{shown}: the certificate has run out"));
    }
    let key = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes())
        .map_err(|why| format!("{shown}: there is no private key in PKCS#8 form (BEGIN PRIVATE KEY) in it: {why}"))?;
    Ok((certificate, Zeroizing::new(key.secret_pkcs8_der().to_vec())))
}

fn unusable(path: &Path, why: &dyn Display) -> String {
    format!("{}: the private key can't be used: {why}", path.display())
}

fn of_the_certificate(path: &Path, key: &[u8], certificate: &[u8]) -> Result<(), String> {
    if key == certificate {
        return Ok(());
    }
    Err(format!("{}: the private key is not that of the certificate", path.display()))
}

fn text(path: &Path) -> Result<Zeroizing<String>, String> {
    let failed = |why: std::io::Error| format!("{} can't be read: {why}", path.display());
    // A pipe is not waited for.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let mut file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(failed)?;
    let found = file.metadata().map_err(failed)?;
    if !found.is_file() {
        return Err(format!("{} is not a file", path.display()));
    }
    if !is_trusted(found.uid(), rustix::process::geteuid().as_raw()) {
        return Err(format!(
            "{} belongs to user {}, who can change it; it must be this host's own or root's",
            path.display(),
            found.uid()
        ));
    }
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

/// Whether the owner of a file may say who signs in: whoever runs this, and root.
fn is_trusted(owner: u32, us: u32) -> bool {
    owner == us || owner == 0
}

#[cfg(test)]
mod tests {
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    #[test]
    fn another_users_file_is_not_trusted() {
        for (owner, us, trusted) in [(7, 7, true), (0, 7, true), (7, 8, false), (7, 0, false)] {
            assert_eq!(is_trusted(owner, us), trusted, "{owner} {us}");
        }
    }

    #[test]
    fn a_pipe_is_no_file_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe.pem");
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        assert!(text(&pipe).unwrap_err().ends_with("pipe.pem is not a file"));
    }
}
