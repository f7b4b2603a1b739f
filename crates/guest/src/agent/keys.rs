//! The agent's own key, and the machine's keys that the host sends for it: by which handlers read protected settings.
//!
//! They are where Azure's agent has its own, so that the same handlers find them, but for root alone from the first
//! byte, and they go with the last extension.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use contract::guest_agent::names::is_thumbprint;
use domain::Timestamp;
use envelope::EnvelopeError;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use zeroize::Zeroizing;

use super::host::{Host, HostError};
use crate::disk::{DiskError, write_atomically};
use crate::files;

const CERTIFICATE: &str = "TransportCert.pem";
const KEY: &str = "TransportPrivate.pem";
/// The name that Azure's agent gives its own.
const NAME: &str = "LinuxTransport";
/// How long the agent's certificate is good, and how long before its end there is a new one.
const LIFE: Duration = Duration::from_secs(730 * 86_400);
/// The longest file.
const MAX: u64 = 64 * 1024;
/// What the agent's files begin with; whoever reads PEM passes over it. Keys without it are another agent's, and stay.
const MARK: &str = "Made by symbolon-guest\n";

/// The keys in an agent's folder.
#[derive(Clone, Debug)]
pub struct Keys {
    folder: PathBuf,
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The host didn't send them.
    #[error(transparent)]
    Host(#[from] HostError),
    /// What it sent can't be opened.
    #[error("the machine's certificates can't be opened")]
    Envelope(#[from] EnvelopeError),
    /// The disk refuses.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

impl Keys {
    /// Those in this folder.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Whether the key with this thumbprint is there.
    #[must_use]
    pub fn has(&self, thumbprint: &str) -> bool {
        ["crt", "prv"].iter().all(|kind| self.folder.join(format!("{thumbprint}.{kind}")).is_file())
    }

    /// Fetches the machine's key from the host.
    ///
    /// # Errors
    /// When the host doesn't send it, or the disk refuses.
    pub async fn fetch(&self, host: &Host, now: Timestamp) -> Result<(), KeyError> {
        let (certificate, key) = match self.transport() {
            Some(pair) => pair,
            None => self.make_transport(now)?,
        };
        let Some(sealed) = host.certificates(&certificate).await? else { return Ok(()) };
        let pfx = envelope::open(&key, &certificate, &sealed)?;
        let (certificate, key) = envelope::open_pfx(&pfx)?;
        let thumbprint = envelope::thumbprint(&certificate);
        // The key first: who finds the certificate finds its key too.
        self.write(&format!("{thumbprint}.prv"), &pem("PRIVATE KEY", &key))?;
        self.write(&format!("{thumbprint}.crt"), &pem("CERTIFICATE", &certificate)).map_err(KeyError::from)
    }

    /// Removes the machine's keys but those with these thumbprints, and but those that another agent made.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep_only(&self, thumbprints: &HashSet<String>) -> Result<(), DiskError> {
        for path in self.listed()? {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let finished = name.strip_suffix(".new").unwrap_or(name);
            let thumbprint = finished.strip_suffix(".prv").or_else(|| finished.strip_suffix(".crt"));
            if thumbprint.is_some_and(|one| is_thumbprint(one) && !thumbprints.contains(one)) {
                remove_own(&path)?;
            }
        }
        Ok(())
    }

    /// Removes all of them, the agent's own too.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn remove(&self) -> Result<(), DiskError> {
        self.keep_only(&HashSet::new())?;
        for name in [CERTIFICATE, KEY] {
            remove_own(&self.folder.join(name))?;
        }
        Ok(())
    }

    /// The agent's own pair, when there is one.
    fn transport(&self) -> Option<(Vec<u8>, Zeroizing<Vec<u8>>)> {
        let read = |name: &str| files::read(&self.folder.join(name), MAX).ok().flatten().map(Zeroizing::new);
        let certificate = CertificateDer::from_pem_slice(&read(CERTIFICATE)?).ok()?;
        let key = PrivatePkcs8KeyDer::from_pem_slice(&read(KEY)?).ok()?;
        Some((certificate.to_vec(), Zeroizing::new(key.secret_pkcs8_der().to_vec())))
    }

    fn make_transport(&self, now: Timestamp) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), KeyError> {
        // Nobody looks at the times of this one, and clocks of guests are wrong.
        let (before, after) = (now.minus(Duration::from_secs(86_400)), now.plus(LIFE));
        let (certificate, key) = envelope::self_signed(NAME, before.unix(), after.unix())?;
        self.write(KEY, &pem("PRIVATE KEY", &key))?;
        self.write(CERTIFICATE, &pem("CERTIFICATE", &certificate))?;
        Ok((certificate, key))
    }

    fn write(&self, name: &str, text: &str) -> Result<(), DiskError> {
        let path = self.folder.join(name);
        write_atomically(&path, text.as_bytes(), 0o400).map_err(|why| DiskError::Io { doing: "written", path, why })
    }

    fn listed(&self) -> Result<Vec<PathBuf>, DiskError> {
        let failed = |why| DiskError::Io { doing: "listed", path: self.folder.clone(), why };
        fs::read_dir(&self.folder).map_err(failed)?.map(|entry| Ok(entry.map_err(failed)?.path())).collect()
    }
}

/// Removes a file that this agent made, whole or not.
fn remove_own(path: &Path) -> Result<(), DiskError> {
    let failed = |doing| move |why| DiskError::Io { doing, path: path.to_owned(), why };
    let Some(text) = files::read(path, MAX).map_err(failed("read"))?.map(Zeroizing::new) else { return Ok(()) };
    if text.starts_with(MARK.as_bytes()) || MARK.as_bytes().starts_with(&text) {
        files::remove(path).map_err(failed("removed"))?;
    }
    Ok(())
}

fn pem(label: &str, der: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(STANDARD.encode(der));
    let mut text = Zeroizing::new(String::with_capacity(body.len() + body.len() / 64 + 128));
    text.push_str(MARK);
    text.push_str(&format!("-----BEGIN {label}-----\n"));
    for (number, c) in body.chars().enumerate() {
        if number > 0 && number % 64 == 0 {
            text.push('\n');
        }
        text.push(c);
    }
    text.push_str(&format!("\n-----END {label}-----\n"));
    text
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn keys_are_for_root_alone_and_go_when_they_are_not_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::new(folder.path().to_owned());
        let now = Timestamp::from_unix(1_800_000_000);
        assert!(keys.transport().is_none());
        let made = keys.make_transport(now).unwrap();
        assert_eq!(keys.transport().unwrap(), made);
        let (first, second, others) = ("A".repeat(40), "B".repeat(40), "C".repeat(40));
        for thumbprint in [&first, &second] {
            for kind in ["crt", "prv"] {
                keys.write(&format!("{thumbprint}.{kind}"), &pem("KEY", b"x")).unwrap();
            }
        }
        fs::write(folder.path().join(format!("{first}.prv.new")), MARK.get(..5).unwrap()).unwrap();
        fs::write(folder.path().join("somebody.crt"), "else").unwrap();
        fs::write(folder.path().join(format!("{others}.prv")), "-----BEGIN PRIVATE KEY-----").unwrap();
        let secret = |path: &&PathBuf| path.extension().is_some_and(|kind| kind == "prv" || kind == "pem");
        let theirs = |path: &&PathBuf| path.ends_with(format!("{others}.prv"));
        for path in keys.listed().unwrap().iter().filter(secret).filter(|path| !theirs(path)) {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o400, "{}", path.display());
        }
        keys.keep_only(&HashSet::from([second.clone()])).unwrap();
        assert!(keys.has(&second) && !keys.has(&first));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 6);
        keys.remove().unwrap();
        let mut left: Vec<_> = keys.listed().unwrap();
        left.sort();
        assert_eq!(left, [folder.path().join(format!("{others}.prv")), folder.path().join("somebody.crt")]);
    }
}
