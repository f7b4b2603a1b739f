//! What the handler keeps outside of the folder of its version, because the next version goes on with it: the
//! credentials, the authority, and which process serves. Its folder is `/var/lib/symbolon`, for root alone.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use contract::guest_agent::protected::Authority;

use crate::disk::{DiskError, require_ours, write_atomically};
use crate::files;
use crate::time::Time;

/// How long a command waits for another one, such as one that a person runs by hand.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(20);
/// The longest list of certificates, in bytes.
const MAX_AUTHORITY: u64 = 256 * 1024;
/// The file with the address that the endpoint forwards to.
const FORWARD: &str = "forward-to";

/// The handler's folder.
#[derive(Clone, Debug)]
pub struct State {
    folder: PathBuf,
}

/// One command at a time. Others wait as long as this is there.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "held, not used")] File);

impl State {
    /// The state of the machine whose files are below `root`; nothing is touched yet.
    #[must_use]
    pub fn of(root: &Path) -> Self {
        Self { folder: root.join("var/lib/symbolon") }
    }

    /// Makes the folder where it isn't there.
    ///
    /// # Errors
    /// When the disk refuses, or others could change what is in it.
    pub fn open(&self) -> Result<(), DiskError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.folder);
        made.map_err(|why| DiskError::Io { doing: "made", path: self.folder.clone(), why })?;
        require_ours(&self.folder)
    }

    /// Waits until no other command is at work; none when the other one takes too long.
    ///
    /// # Errors
    /// When the disk refuses.
    pub async fn turn(&self, time: &Time) -> Result<Option<Turn>, DiskError> {
        self.open()?;
        let path = self.folder.join("handler.lock");
        let failed = |why| DiskError::Io { doing: "locked", path: path.clone(), why };
        let mut taken = Ok(None);
        let attempt = || match try_lock(&path) {
            Ok(None) => false,
            Ok(Some(file)) => {
                taken = Ok(Some(Turn(file)));
                true
            }
            Err(why) => {
                taken = Err(why);
                true
            }
        };
        time.within(PATIENCE, LOOK, attempt).await;
        taken.map_err(failed)
    }

    /// Where the process that serves says of itself which it is.
    #[must_use]
    pub fn endpoint(&self) -> PathBuf {
        self.folder.join("endpoint")
    }

    /// Where the process that watches over it says which it is.
    #[must_use]
    pub fn watch(&self) -> PathBuf {
        self.folder.join("watch")
    }

    /// Where it is kept who calls.
    #[must_use]
    pub fn callers(&self) -> PathBuf {
        self.folder.join("callers.json")
    }

    /// The turn, if no command is at work.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn turn_now(&self) -> Result<Option<Turn>, DiskError> {
        self.open()?;
        let path = self.folder.join("handler.lock");
        let taken = try_lock(&path).map_err(|why| DiskError::Io { doing: "locked", path, why })?;
        Ok(taken.map(Turn))
    }

    /// The metadata service that the endpoint forwards to; none when it serves by itself.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn forward_to(&self) -> Result<Option<SocketAddr>, DiskError> {
        let path = self.folder.join(FORWARD);
        let text = files::read(&path, 64).map_err(|why| DiskError::Io { doing: "read", path: path.clone(), why })?;
        let Some(text) = text else { return Ok(None) };
        let address = std::str::from_utf8(&text).ok().and_then(|text| text.trim().parse().ok());
        address.map(Some).ok_or_else(|| DiskError::Malformed { path, why: "it isn't an address".to_owned() })
    }

    /// Says where the endpoint forwards to, or that it serves by itself.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn set_forward_to(&self, imds: Option<SocketAddr>) -> Result<(), DiskError> {
        let path = self.folder.join(FORWARD);
        let written = match imds {
            Some(imds) => write_atomically(&path, imds.to_string().as_bytes(), 0o600),
            None => files::remove(&path),
        };
        written.map_err(|why| DiskError::Io { doing: "written", path, why })
    }

    /// Who makes tokens.
    ///
    /// # Errors
    /// When it was never said, or can't be read.
    pub fn authority(&self) -> Result<Authority, DiskError> {
        let path = self.authority_file();
        let io = |why| DiskError::Io { doing: "read", path: path.clone(), why };
        let bytes = files::read(&path, MAX_AUTHORITY).map_err(io)?;
        let bytes = bytes.ok_or_else(|| io(io::ErrorKind::NotFound.into()))?;
        serde_json::from_slice(&bytes).map_err(|why| DiskError::Malformed { path: path.clone(), why: why.to_string() })
    }

    /// Says who makes tokens.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn set_authority(&self, authority: &Authority) -> Result<(), DiskError> {
        let path = self.authority_file();
        let text = serde_json::to_vec(authority);
        let text = text.map_err(|why| DiskError::Malformed { path: path.clone(), why: why.to_string() })?;
        write_atomically(&path, &text, 0o600).map_err(|why| DiskError::Io { doing: "written", path, why })
    }

    /// Removes all of it.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn remove(&self) -> Result<(), DiskError> {
        let failed = |why| DiskError::Io { doing: "removed", path: self.folder.clone(), why };
        files::remove_all(&self.folder).map_err(failed)
    }

    fn authority_file(&self) -> PathBuf {
        self.folder.join("authority.json")
    }
}

/// The lock, if nobody has it.
fn try_lock(path: &Path) -> io::Result<Option<File>> {
    let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(false).mode(0o600).custom_flags(no_follow).open(path);
    let file = match file {
        // An uninstall that is at work has just taken the folder away.
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(why)) => return Err(why),
    }
    // Whoever had it may have removed it, and then it keeps nobody away.
    let same =
        fs::symlink_metadata(path).is_ok_and(|found| file.metadata().is_ok_and(|ours| found.ino() == ours.ino()));
    Ok(same.then_some(file))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use domain::{ManualClock, Timestamp};

    use super::*;

    fn time() -> Time {
        Time::manual(ManualClock::new(Timestamp::from_unix(0)))
    }

    #[tokio::test]
    async fn commands_take_turns() {
        let root = tempfile::tempdir().unwrap();
        let state = State::of(root.path());
        let first = state.turn(&time()).await.unwrap().unwrap();
        assert!(state.turn(&time()).await.unwrap().is_none());
        drop(first);
        let second = state.turn(&time()).await.unwrap().unwrap();
        // What is removed meanwhile is made again, and the old lock counts for nothing.
        state.remove().unwrap();
        let third = state.turn(&time()).await.unwrap().unwrap();
        drop(second);
        assert!(state.turn(&time()).await.unwrap().is_none());
        drop(third);
    }

    #[test]
    fn the_folder_is_for_its_owner_alone() {
        let root = tempfile::tempdir().unwrap();
        let state = State::of(root.path());
        state.open().unwrap();
        let folder = root.path().join("var/lib/symbolon");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        let authority = Authority { url: "https://a".to_owned(), certificates: String::new() };
        assert!(state.authority().is_err());
        state.set_authority(&authority).unwrap();
        assert_eq!((state.authority().unwrap(), mode(&folder.join("authority.json"))), (authority, 0o600));
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(state.open(), Err(DiskError::NotOurs { .. })));
        fs::remove_dir_all(&folder).unwrap();
        std::os::unix::fs::symlink(root.path(), &folder).unwrap();
        assert!(matches!(state.open(), Err(DiskError::NotOurs { .. })));
    }
}
