//! The file in which the process that serves says which it is. It holds a lock on it as long as it lives, so that
//! there is never a second one, and so that a file that was left behind is known for what it is.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::process::Process;
use crate::time::Time;

/// The longest file.
const MAX: u64 = 4 * 1024;
/// How long a process may take from the lock to the writing.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(20);

/// The process that serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Which it is.
    pub process: Process,
    /// Where it listens.
    pub port: u16,
    /// What it was started for: a digest.
    pub launch: String,
}

/// Why it can't be said who serves.
#[derive(Debug, thiserror::Error)]
pub enum EndpointFileError {
    /// There is one already.
    #[error("another endpoint process is running")]
    Taken,
    /// There is one that doesn't say which it is.
    #[error("an endpoint process is running that doesn't say which it is; end it by hand")]
    Unknown,
    /// The operating system said no.
    #[error("{} can't be used", path.display())]
    Io {
        /// The file.
        path: std::path::PathBuf,
        /// Its answer.
        #[source]
        why: io::Error,
    },
}

/// Held by the process that serves.
#[derive(Debug)]
pub struct Held(#[expect(dead_code, reason = "held, not used")] File);

/// Makes this process the one that serves.
///
/// # Errors
/// When there is another one, or the disk refuses.
pub fn hold(path: &Path, running: &Running) -> Result<Held, EndpointFileError> {
    let failed = |why| EndpointFileError::Io { path: path.to_owned(), why };
    let mut file =
        open(OpenOptions::new().write(true).create(true).truncate(false).mode(0o600), path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(EndpointFileError::Taken),
        Err(TryLockError::Error(why)) => return Err(failed(why)),
    }
    let text = serde_json::to_vec(running).map_err(|why| failed(why.into()))?;
    let mut write = || {
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(&text)
    };
    write().map_err(failed)?;
    Ok(Held(file))
}

/// The process that serves, if there is one.
///
/// # Errors
/// When there is one and it can't be said which.
pub async fn running(path: &Path, time: &Time) -> Result<Option<Running>, EndpointFileError> {
    let failed = |why| EndpointFileError::Io { path: path.to_owned(), why };
    let mut found = Err(EndpointFileError::Unknown);
    let look = || match look(path) {
        Ok(Look::Nobody) => {
            found = Ok(None);
            true
        }
        Ok(Look::Somebody(running)) => {
            found = Ok(Some(running));
            true
        }
        Ok(Look::Unknown) => false,
        Err(why) => {
            found = Err(failed(why));
            true
        }
    };
    time.within(PATIENCE, LOOK, look).await;
    found
}

enum Look {
    Nobody,
    Somebody(Running),
    Unknown,
}

fn look(path: &Path) -> io::Result<Look> {
    let mut file = match open(OpenOptions::new().read(true), path) {
        Ok(file) => file,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(Look::Nobody),
        Err(why) => return Err(why),
    };
    match file.try_lock_shared() {
        Ok(()) => return Ok(Look::Nobody),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(why)) => return Err(why),
    }
    let mut text = Vec::new();
    Read::take(&mut file, MAX).read_to_end(&mut text)?;
    let running = serde_json::from_slice::<Running>(&text).ok().filter(|running| running.process.is_running());
    Ok(running.map_or(Look::Unknown, Look::Somebody))
}

fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed()).open(path)
}

#[cfg(test)]
mod tests {
    use domain::{ManualClock, Timestamp};

    use super::*;

    #[tokio::test]
    async fn one_process_serves_and_says_which_it_is_as_long_as_it_lives() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("endpoint");
        let time = Time::manual(ManualClock::new(Timestamp::from_unix(0)));
        assert_eq!(running(&path, &time).await.unwrap(), None);
        let this = Running { process: Process::this().unwrap(), port: 50_342, launch: "a".to_owned() };
        let held = hold(&path, &this).unwrap();
        assert!(matches!(hold(&path, &this), Err(EndpointFileError::Taken)));
        assert_eq!(running(&path, &time).await.unwrap().as_ref(), Some(&this));
        std::fs::write(&path, "{\"half").unwrap();
        assert!(matches!(running(&path, &time).await, Err(EndpointFileError::Unknown)));
        drop(held);
        assert_eq!(running(&path, &time).await.unwrap(), None);
        let longer = Running { launch: "a".repeat(64), ..this.clone() };
        drop(hold(&path, &longer).unwrap());
        let held = hold(&path, &this).unwrap();
        assert_eq!(running(&path, &time).await.unwrap(), Some(this), "what is longer leaves nothing behind");
        drop(held);
    }

    #[test]
    fn a_link_in_its_place_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, target) = (folder.path().join("endpoint"), folder.path().join("target"));
        std::fs::write(&target, "kept").unwrap();
        std::os::unix::fs::symlink(&target, &path).unwrap();
        let this = Running { process: Process::this().unwrap(), port: 1, launch: String::new() };
        assert!(matches!(hold(&path, &this), Err(EndpointFileError::Io { .. })));
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "kept");
    }
}
