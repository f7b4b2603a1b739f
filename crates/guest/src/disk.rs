//! The guest's own folder: where the credentials lie, and how they are read again when they change.
//!
//! Below the folder everything has the place it has on a real VM: credentials in `var/lib/symbolon/identities`
//! (0700, files 0600), the discovery file in `var/lib/waagent`.

mod stored;

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use broker::credential::NewCredential;
use domain::ClientId;
use zeroize::Zeroizing;

use self::stored::Stored;
use crate::discovery_file;

/// The folder of one guest. Give it an absolute one: callers are told of paths in it.
#[derive(Clone, Debug)]
pub struct Disk {
    root: PathBuf,
}

/// Why something on the disk can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// The operating system said no.
    #[error("{} can't be {doing}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Its answer.
        #[source]
        why: io::Error,
    },
    /// Others may read or change a credential.
    #[error("{} has mode {mode:04o}; a credential is read only when nobody else can: chmod 600 it", path.display())]
    Loose {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Others may change what stands in a folder for everyone to believe.
    #[error("{} can be changed by others; take a folder that is yours alone to write", path.display())]
    NotOurs {
        /// The folder.
        path: PathBuf,
    },
    /// It isn't a credential file of this version.
    #[error("{} isn't a credential: {why}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

/// When the credentials changed last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp(i64, i64);

impl Disk {
    /// The guest whose folder is `root`; nothing is touched yet.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where the discovery file is, `/var/lib/waagent/ManagedIdentity-Settings` on a real VM.
    #[must_use]
    pub fn discovery_file(&self) -> PathBuf {
        self.root.join("var/lib/waagent").join(discovery_file::NAME)
    }

    /// Where it is noted that there is a copy of the discovery file elsewhere.
    pub(crate) fn discovery_note(&self) -> PathBuf {
        self.root.join("var/lib/symbolon/discovery-copy")
    }

    /// Where the extension writes down its failures.
    #[must_use]
    pub fn log_folder(&self) -> PathBuf {
        self.root.join("var/log/azure/Microsoft.ManagedIdentity.ManagedIdentityExtensionForLinux")
    }

    /// Where the credentials are.
    #[must_use]
    pub fn identities(&self) -> PathBuf {
        self.root.join("var/lib/symbolon/identities")
    }

    /// Puts a credential in place, over an older one of the same identity: whole or not at all.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn place(&self, credential: &NewCredential) -> Result<(), DiskError> {
        let folder = self.identities();
        let failed = |doing, path: &Path| {
            let path = path.to_owned();
            move |why| DiskError::Io { doing, path, why }
        };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(failed("made", &folder))?;
        let path = folder.join(file_name(credential.identity.client_id));
        let mut text = Zeroizing::new(
            serde_json::to_string(&Stored::from(credential))
                .map_err(|why| DiskError::Malformed { path: path.clone(), why: why.to_string() })?,
        );
        text.push('\n');
        write_atomically(&path, text.as_bytes(), 0o600).map_err(failed("written", &path))
    }

    /// Takes every credential away but those of the identities that `kept` wants: also one that can't be used, and what
    /// an unfinished write left.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep_only(&self, kept: impl Fn(ClientId) -> bool) -> Result<(), DiskError> {
        for path in self.entries()? {
            let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
            let finished = name.strip_suffix(UNFINISHED).unwrap_or(name);
            let Some(client) = finished.strip_suffix(".json") else { continue };
            if !client.parse().is_ok_and(|client| file_name(client) == finished && kept(client)) {
                remove(path)?;
            }
        }
        Ok(())
    }

    /// Whether there is anything where credentials are: good or not, whole or not, or a copy that somebody made of one.
    ///
    /// # Errors
    /// When the disk refuses to say.
    pub fn has_credentials(&self) -> Result<bool, DiskError> {
        Ok(!self.entries()?.is_empty())
    }

    /// Takes the folder of the credentials away with all that is in it, whatever its name.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn wipe(&self) -> Result<(), DiskError> {
        remove(self.identities())
    }

    /// Takes everything away with which a guest without the extension has no business: the credentials, also
    /// half-written ones, and the discovery file. The logs stay.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn withdraw(&self) -> Result<(), DiskError> {
        self.wipe()?;
        remove(self.discovery_file())
    }

    /// Changes whenever a credential is placed or removed; `None` while there is no folder.
    #[must_use]
    pub fn stamp(&self) -> Option<Stamp> {
        let folder = fs::metadata(self.identities()).ok()?;
        Some(Stamp(folder.mtime(), folder.mtime_nsec()))
    }

    /// Reads every credential. One that can't be used is told in the second list and keeps none of the
    /// others back.
    #[must_use]
    pub fn load(&self) -> (Vec<NewCredential>, Vec<DiskError>) {
        let (mut sound, mut unsound) = (Vec::new(), Vec::new());
        let entries = match self.entries() {
            Ok(entries) => entries,
            Err(why) => return (sound, vec![why]),
        };
        for path in entries.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "json")) {
            match read(&path) {
                Ok(credential) => sound.push(credential),
                Err(why) => unsound.push(why),
            }
        }
        (sound, unsound)
    }

    /// What lies beside the credentials too, in order.
    fn entries(&self) -> Result<Vec<PathBuf>, DiskError> {
        let folder = self.identities();
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(why) => return Err(DiskError::Io { doing: "listed", path: folder, why }),
        };
        let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        Ok(paths)
    }
}

/// Removes a file or a folder with all in it. Absent already is fine.
fn remove(path: PathBuf) -> Result<(), DiskError> {
    let is_folder = fs::symlink_metadata(&path).is_ok_and(|found| found.is_dir());
    let removed = if is_folder { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
    match removed {
        Err(why) if why.kind() != io::ErrorKind::NotFound => Err(DiskError::Io { doing: "removed", path, why }),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn read(path: &Path) -> Result<NewCredential, DiskError> {
    let failed = |why| DiskError::Io { doing: "read", path: path.to_owned(), why };
    let malformed = |why: String| DiskError::Malformed { path: path.to_owned(), why };
    let no_follow = rustix::fs::OFlags::NOFOLLOW.bits();
    let mut file = OpenOptions::new().read(true).custom_flags(no_follow.cast_signed()).open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(DiskError::Loose { path: path.to_owned(), mode });
    }
    let mut text = Zeroizing::new(String::new());
    file.read_to_string(&mut text).map_err(failed)?;
    let stored: Stored = serde_json::from_str(&text).map_err(|why| malformed(why.to_string()))?;
    stored.open().map_err(malformed)
}

/// Sees to it that a folder is one, ours, and nobody else's to change; a link isn't followed.
///
/// # Errors
/// [`DiskError::NotOurs`] when it isn't; or when it can't be looked at.
pub(crate) fn require_ours(folder: &Path) -> Result<(), DiskError> {
    let failed = |why| DiskError::Io { doing: "read", path: folder.to_owned(), why };
    let found = fs::symlink_metadata(folder).map_err(failed)?;
    let ours = found.uid() == rustix::process::geteuid().as_raw();
    if found.is_dir() && ours && found.permissions().mode() & 0o022 == 0 {
        return Ok(());
    }
    Err(DiskError::NotOurs { path: folder.to_owned() })
}

/// What the name of a file ends with that is being written.
pub(crate) const UNFINISHED: &str = ".new";

/// Writes a file so that a reader sees the old one or the new one, also after a loss of power.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    name.push(UNFINISHED);
    let new = folder.join(name);
    match fs::remove_file(&new) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why),
        Ok(()) | Err(_) => {}
    }
    let written = write_new(&new, bytes, mode).and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        // Half a secret is one too.
        drop(fs::remove_file(&new));
    }
    written?;
    File::open(folder)?.sync_all()
}

fn write_new(new: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(new)?;
    // The mode at creation is cut by the umask; the discovery file must be readable all the same.
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn file_name(client_id: ClientId) -> String {
    format!("{client_id}.json")
}

#[cfg(test)]
mod tests;
