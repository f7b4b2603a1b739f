//! The data directory of `up`, and that of a host's own CA: made, checked and locked before anything else happens in it.
//!
//! It is ours when it is new, empty, or holds our marker. Anything else is left as it is.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::{error, fmt};

use crate::env_vars;

/// The marker and lock; it holds the id of the process that uses the directory.
const LOCK: &str = "symbolon.lock";

/// The store's file.
pub(crate) const DATABASE: &str = "symbolon.db";
/// What the store has written and not yet moved into its file.
const WRITE_AHEAD_LOG: &str = "symbolon.db-wal";

/// A data directory that this process alone uses.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    _lock: File,
    temporary: Option<TemporaryDir>,
}

/// Why a directory can't be used. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataDirError {
    #[error("the data directory {} is in use by process {pid}", path.display())]
    InUse { path: PathBuf, pid: String },
    #[error("{} is not a data directory of symbolon (it holds '{found}')", path.display())]
    Foreign { path: PathBuf, found: String },
    #[error(
        "{} has mode {mode:04o}, so others can reach the keys in it; run: chmod {wanted:o} {}",
        path.display(),
        path.display()
    )]
    Loose { path: PathBuf, mode: u32, wanted: u32 },
    #[error("{} belongs to another user (uid {owner})", path.display())]
    NotOurs { path: PathBuf, owner: u32 },
    #[error("the data directory {} can't be {doing}", path.display())]
    Io {
        doing: &'static str,
        path: PathBuf,
        #[source]
        why: io::Error,
    },
    #[error("there is no home to keep data in: set {}, or name a directory with --data-dir", env_vars::HOME)]
    NoHome,
}

/// Where it is said which directory it is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// In the options of a command.
    Option,
    /// At the key of a host's configuration.
    Key,
}

/// Why a directory can't be used, and what to do about it.
#[derive(Debug)]
pub(crate) struct NotOpened {
    why: DataDirError,
    said: Said,
}

impl fmt::Display for NotOpened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (another, or_none) = match self.said {
            Said::Option => ("with --data-dir", " or --ephemeral"),
            Said::Key => ("at data-dir", ""),
        };
        write!(f, "{}", self.why)?;
        match &self.why {
            DataDirError::InUse { .. } => write!(f, "; stop that one, or take another {another}{or_none}"),
            DataDirError::Foreign { .. } => write!(f, "; take an empty one {another}"),
            DataDirError::NotOurs { .. } => write!(f, "; take one of your own {another}"),
            DataDirError::Io { .. } => write!(f, "; take another {another}{or_none}"),
            DataDirError::Loose { .. } | DataDirError::NoHome => Ok(()),
        }
    }
}

impl error::Error for NotOpened {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.why.source()
    }
}

impl DataDir {
    /// Opens the directory that was named, by option or variable, or the user's own.
    pub(crate) fn open(named: Option<&Path>) -> Result<Self, NotOpened> {
        let said = Said::Option;
        Self::open_at(locate(named).map_err(|why| NotOpened { why, said })?, said)
    }

    /// Opens a directory.
    pub(crate) fn open_at(path: PathBuf, said: Said) -> Result<Self, NotOpened> {
        Self::prepare(path, None).map_err(|why| NotOpened { why, said })
    }

    /// Makes one that goes with this value.
    pub(crate) fn temporary(name: &str) -> Result<Self, DataDirError> {
        let path = std::env::temp_dir().join(name);
        make(&path).map_err(io_at("made", &path))?;
        let temporary = TemporaryDir(path.clone());
        Self::prepare(path, Some(temporary))
    }

    fn prepare(path: PathBuf, temporary: Option<TemporaryDir>) -> Result<Self, DataDirError> {
        let fresh = match make(&path) {
            Ok(()) => true,
            Err(why) if why.kind() == io::ErrorKind::AlreadyExists => false,
            Err(why) => return Err(io_at("made", &path)(why)),
        };
        if !fresh {
            refuse_foreign(&path)?;
        }
        refuse_loose(&path)?;
        let lock = lock(&path)?;
        Ok(Self { path, _lock: lock, temporary })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it goes when the process ends.
    pub(crate) fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }
}

/// The directory that a command means: the option's, the variable's, the user's own.
pub(crate) fn locate(named: Option<&Path>) -> Result<PathBuf, DataDirError> {
    let named = named.map(Path::to_owned).or_else(|| env_vars::read(env_vars::DATA_DIR).map(PathBuf::from));
    named.map_or_else(default_path, Ok)
}

/// Looks whether a directory is ours and closed to others; changes nothing.
pub(crate) fn inspect(path: &Path) -> Result<(), NotOpened> {
    refuse_foreign(path).and_then(|()| refuse_loose(path)).map_err(|why| NotOpened { why, said: Said::Option })
}

fn default_path() -> Result<PathBuf, DataDirError> {
    let data_home = env_vars::read(env_vars::XDG_DATA_HOME).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || env_vars::read(env_vars::HOME).map(|home| Path::new(&home).join(".local/share"));
    Ok(data_home.or_else(home).ok_or(DataDirError::NoHome)?.join("symbolon"))
}

fn make(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent)?;
    }
    fs::DirBuilder::new().mode(0o700).create(path)
}

fn refuse_foreign(path: &Path) -> Result<(), DataDirError> {
    let mut entries = fs::read_dir(path).map_err(io_at("read", path))?;
    if path.join(LOCK).is_file() {
        return Ok(());
    }
    match entries.next() {
        None => Ok(()),
        Some(entry) => {
            let found = entry.map_err(io_at("read", path))?.file_name().to_string_lossy().into_owned();
            Err(DataDirError::Foreign { path: path.to_owned(), found })
        }
    }
}

/// Refuses a directory, or a file with secrets in it, that others than its owner can reach.
fn refuse_loose(path: &Path) -> Result<(), DataDirError> {
    let folder = fs::metadata(path).map_err(io_at("read", path))?;
    let us = rustix::process::geteuid().as_raw();
    if folder.uid() != us {
        return Err(DataDirError::NotOurs { path: path.to_owned(), owner: folder.uid() });
    }
    check_mode(path, 0o700)?;
    for name in ["keys", "tls", "guests"] {
        check_mode_if_there(&path.join(name), 0o700)?;
    }
    for name in [DATABASE, WRITE_AHEAD_LOG, "admin.json"] {
        check_mode_if_there(&path.join(name), 0o600)?;
    }
    for folder in ["keys", "tls"] {
        for entry in fs::read_dir(path.join(folder)).into_iter().flatten().flatten() {
            check_mode(&entry.path(), 0o600)?;
        }
    }
    Ok(())
}

fn check_mode_if_there(path: &Path, wanted: u32) -> Result<(), DataDirError> {
    if fs::symlink_metadata(path).is_ok() { check_mode(path, wanted) } else { Ok(()) }
}

fn check_mode(path: &Path, wanted: u32) -> Result<(), DataDirError> {
    let mode = fs::metadata(path).map_err(io_at("read", path))?.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(DataDirError::Loose { path: path.to_owned(), mode, wanted })
}

fn lock(path: &Path) -> Result<File, DataDirError> {
    let file = path.join(LOCK);
    let failed = || io_at("locked", path);
    let mut lock = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&file)
        .map_err(failed())?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => {
            let mut pid = String::new();
            // Named as well as can be: the other process may be writing it right now.
            let pid = match lock.read_to_string(&mut pid) {
                Ok(_) if !pid.trim().is_empty() => pid.trim().to_owned(),
                Ok(_) | Err(_) => "(unknown)".to_owned(),
            };
            return Err(DataDirError::InUse { path: path.to_owned(), pid });
        }
        Err(fs::TryLockError::Error(why)) => return Err(failed()(why)),
    }
    let write = |lock: &mut File| {
        lock.set_len(0)?;
        lock.rewind()?;
        writeln!(lock, "{}", std::process::id())
    };
    write(&mut lock).map_err(failed())?;
    Ok(lock)
}

fn io_at(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DataDirError + use<> {
    let path = path.to_owned();
    move |why| DataDirError::Io { doing, path, why }
}

/// Removes its folder when dropped.
#[derive(Debug)]
struct TemporaryDir(PathBuf);

impl Drop for TemporaryDir {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(path = %self.0.display(), %error, "the temporary data directory could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_directory_is_made_for_its_owner_alone_and_opens_again() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/b");
        let open = DataDir::open(Some(&path)).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        let error = DataDir::open(Some(&path)).unwrap_err().to_string();
        assert!(error.contains(&format!("in use by process {}", std::process::id())), "{error}");
        drop(open);
        DataDir::open(Some(&path)).unwrap();
    }

    #[test]
    fn what_is_not_ours_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(folder.path().join("thesis.txt"), b"words").unwrap();
        let error = DataDir::open(Some(folder.path())).unwrap_err();
        assert!(matches!(&error.why, DataDirError::Foreign { found, .. } if found == "thesis.txt"), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn loose_modes_are_refused_with_the_command_that_mends_them() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        drop(DataDir::open(Some(&path)).unwrap());
        let chmod = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        for folder in ["keys", "tls", "guests"] {
            fs::create_dir(path.join(folder)).unwrap();
            chmod(&path.join(folder), 0o700);
        }
        for name in ["keys/kek.json", "tls/ca.key", "tls/server.key", "admin.json", DATABASE, WRITE_AHEAD_LOG] {
            let file = path.join(name);
            fs::write(&file, b"k").unwrap();
            chmod(&file, 0o640);
            let error = DataDir::open(Some(&path)).unwrap_err().to_string();
            assert!(error.ends_with(&format!("chmod 600 {}", file.display())), "{error}");
            chmod(&file, 0o600);
            drop(DataDir::open(Some(&path)).unwrap());
        }
        for folder in ["keys", "tls", "guests"] {
            let folder = path.join(folder);
            chmod(&folder, 0o750);
            let error = DataDir::open(Some(&path)).unwrap_err().to_string();
            assert!(error.ends_with(&format!("chmod 700 {}", folder.display())), "{error}");
            chmod(&folder, 0o700);
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(DataDir::open(Some(&path)).unwrap_err().why, DataDirError::Loose { mode: 0o755, .. }));
    }

    #[test]
    fn a_temporary_one_goes() {
        let name = format!("symbolon-test-{}", std::process::id());
        let dir = DataDir::temporary(&name).unwrap();
        let path = dir.path().to_owned();
        fs::write(path.join("x"), b"y").unwrap();
        drop(dir);
        assert!(!path.exists());
    }
}
