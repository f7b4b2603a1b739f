//! `status/<N>.status`: what the handler says came of settings.

use std::io;
use std::path::PathBuf;

use contract::guest_agent::handler::{HandlerStatus, StatusWord};
use domain::SharedClock;
use serde_json::{Value, json};

use super::failure::Failure;
use super::place::Place;
use crate::disk::{DiskError, write_atomically};
use crate::files;

/// What the extension calls itself in a status.
const NAME: &str = "ManagedIdentity";
/// The longest status that is read again.
const MAX: u64 = 128 * 1024;
/// How much is said of a failure, in characters.
const LONGEST: usize = 2_000;

/// The status of settings while a command is at work.
#[derive(Debug)]
pub(super) struct StatusFile {
    path: PathBuf,
    operation: &'static str,
    clock: SharedClock,
}

impl StatusFile {
    /// The status of the settings with this number, as this operation writes it.
    #[must_use]
    pub(super) fn new(place: &Place, sequence: u64, operation: &'static str, clock: SharedClock) -> Self {
        Self { path: place.status.join(format!("{sequence}.status")), operation, clock }
    }

    /// At work.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn transitioning(&self, message: &str) -> Result<(), DiskError> {
        self.write(StatusWord::Transitioning, 0, message, Vec::new())
    }

    /// Done. Each of `parts` has a name and a word.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn success(&self, message: &str, parts: &[(&str, String)]) -> Result<(), DiskError> {
        let part = |(name, text): &(&str, String)| ((*name).to_owned(), StatusWord::Success, text.clone());
        self.write(StatusWord::Success, 0, message, parts.iter().map(part).collect())
    }

    /// Failed.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn failure(&self, failure: &Failure) -> Result<(), DiskError> {
        let message: String = failure.message.chars().take(LONGEST).collect();
        self.write(StatusWord::Error, u8::from(failure.code).into(), &message, Vec::new())
    }

    /// Tells one more thing of an operation that was done, in the place of what was told under this name before. What isn't
    /// done says nothing yet.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn tell(&self, name: &str, text: &str) -> Result<(), DiskError> {
        if !self.is_success() {
            return Ok(());
        }
        let read = files::read(&self.path, MAX).ok().flatten().unwrap_or_default();
        let mut status: Value = serde_json::from_slice(&read).unwrap_or_default();
        if let Some(Value::Array(below)) = status.pointer_mut("/0/status/substatus") {
            below.retain(|one| one.get("name").and_then(Value::as_str) != Some(name));
            let message = json!({"lang": "en-US", "message": text});
            below.push(json!({"name": name, "status": "success", "code": 0, "formattedMessage": message}));
        }
        let written = write_atomically(&self.path, status.to_string().as_bytes(), 0o600);
        written.map_err(|why| DiskError::Io { doing: "written", path: self.path.clone(), why })
    }

    /// Whether it says that this very operation was done.
    #[must_use]
    pub(super) fn is_success(&self) -> bool {
        let text = files::read(&self.path, MAX).ok().flatten().unwrap_or_default();
        let read: Value = serde_json::from_slice(&text).unwrap_or_default();
        let says = |pointer: &str, word: &str| read.pointer(pointer).and_then(Value::as_str) == Some(word);
        says("/0/status/status", "success") && says("/0/status/operation", self.operation)
    }

    fn write(
        &self,
        status: StatusWord,
        code: i32,
        message: &str,
        substatus: Vec<(String, StatusWord, String)>,
    ) -> Result<(), DiskError> {
        let at = jiff::Timestamp::from_second(self.clock.now().unix()).unwrap_or_default().to_string();
        let (name, operation, message) = (NAME.to_owned(), self.operation.to_owned(), message.to_owned());
        let text = HandlerStatus { name, operation, at, status, code, message, substatus }.text();
        let write = || write_atomically(&self.path, text.as_bytes(), 0o600);
        let written = write().or_else(|why| {
            // What stands there isn't so any more, and a full disk has room again when it is gone.
            if files::remove(&self.path).is_ok() && why.kind() != io::ErrorKind::NotFound { write() } else { Err(why) }
        });
        written.map_err(|why| DiskError::Io { doing: "written", path: self.path.clone(), why })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Arc;

    use domain::{ManualClock, Timestamp};

    use super::super::failure::Code;
    use super::*;

    fn status(folder: &std::path::Path, operation: &'static str) -> StatusFile {
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix(1_800_000_000)));
        StatusFile { path: folder.join("3.status"), operation, clock }
    }

    #[test]
    fn each_state_is_what_an_agent_reads() {
        let folder = tempfile::tempdir().unwrap();
        let enable = status(folder.path(), "Enable");
        let read = || -> Value { serde_json::from_slice(&fs::read(folder.path().join("3.status")).unwrap()).unwrap() };
        assert!(!enable.is_success());
        enable.transitioning("waiting").unwrap();
        assert_eq!(read()[0]["status"]["status"], "transitioning");
        enable.success("done", &[("port", "50342".to_owned())]).unwrap();
        assert_eq!(read()[0]["status"]["substatus"][0]["formattedMessage"]["message"], "50342");
        assert_eq!(read()[0]["timestampUTC"], "2027-01-15T08:00:00Z");
        assert!(enable.is_success() && !status(folder.path(), "Disable").is_success());
        enable.failure(&Failure::new(Code::PortTaken, "taken".repeat(1_000))).unwrap();
        assert_eq!(read()[0]["status"]["code"], 12);
        assert_eq!(read()[0]["status"]["formattedMessage"]["message"].as_str().unwrap().len(), LONGEST);
        assert!(!enable.is_success());
    }

    #[test]
    fn a_status_that_is_not_so_any_more_does_not_stay_when_the_disk_refuses() {
        let folder = tempfile::tempdir().unwrap();
        let enable = status(folder.path(), "Enable");
        enable.success("done", &[]).unwrap();
        // A folder where the unfinished file would be: it can't be written, as on a full disk.
        fs::create_dir(folder.path().join("3.status.new")).unwrap();
        assert!(enable.failure(&Failure::new(Code::Disk, "full")).is_err());
        assert!(!folder.path().join("3.status").exists());
    }
}
