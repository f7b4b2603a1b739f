//! The log that the documented 500 points at: why the extension got no token.

use std::error::Error;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use domain::SharedClock;
use tokio::task::JoinHandle;

/// The file in the folder.
const FILE: &str = "msi-extension.log";
/// Where the file's lines go when it is full; what was there before is forgotten.
const OLD: &str = "msi-extension.log.1";
/// How long the file may get, in bytes.
const FULL: u64 = 256 * 1024;
/// How much is said of one failure, in characters.
const LONGEST: usize = 1_000;

/// The log of one guest.
pub struct FailureLog {
    folder: PathBuf,
    clock: SharedClock,
}

impl FailureLog {
    /// A log in a folder, whose path callers are told; it is made when there is something to say.
    #[must_use]
    pub fn new(folder: PathBuf, clock: SharedClock) -> Self {
        Self { folder, clock }
    }

    /// The folder, as callers are told of it.
    #[must_use]
    pub fn folder(&self) -> String {
        self.folder.display().to_string()
    }

    /// Writes down a failure with all its causes: one line, without what a token or a key could stand in. The
    /// handle is ready when it is written.
    pub(crate) fn write(&self, failure: &dyn Error) -> JoinHandle<()> {
        let mut text = failure.to_string();
        let mut cause = failure.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        let now = jiff::Timestamp::from_second(self.clock.now().unix()).unwrap_or_default();
        let line = format!("{now} {}\n", redacted(&text));
        let folder = self.folder.clone();
        tokio::task::spawn_blocking(move || {
            if let Err(error) = append(&folder, &line) {
                tracing::error!(folder = %folder.display(), %error, "the extension's log can't be written");
            }
        })
    }
}

fn append(folder: &Path, line: &str) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let path = folder.join(FILE);
    if fs::symlink_metadata(&path).is_ok_and(|file| file.len() > FULL) {
        fs::rename(&path, folder.join(OLD))?;
    }
    let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(no_follow).open(path)?;
    file.write_all(line.as_bytes())
}

/// The text on one line, and no more than is of use. The causes are ours, the authority's and the system's words and
/// hold no secret; should one quote a token or a key after all, its long word is taken out.
fn redacted(text: &str) -> String {
    let long = |word: &str| word.starts_with("eyJ") || word.len() > 200;
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<_> = words.map(|word| if long(word) { "(redacted)" } else { word }).collect();
    words.join(" ").chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Arc;

    use domain::{ManualClock, Timestamp};

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Failure(String);

    #[tokio::test]
    async fn a_failure_is_one_line_without_secrets_for_the_owner_alone() {
        let parent = tempfile::tempdir().unwrap();
        let clock = ManualClock::new(Timestamp::from_unix(1_800_000_000));
        let log = FailureLog::new(parent.path().join("a/b"), Arc::new(clock));
        let key = "A".repeat(300);
        log.write(&Failure(format!("it quotes\n2027 a forged line eyJhbGciOi.x.y {key}"))).await.unwrap();
        let file = parent.path().join("a/b").join(FILE);
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(text, "2027-01-15T08:00:00Z it quotes 2027 a forged line (redacted) (redacted)\n");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[tokio::test]
    async fn it_does_not_grow_for_ever_nor_follow_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let log =
            FailureLog::new(folder.path().to_owned(), Arc::new(ManualClock::new(Timestamp::from_unix(1_800_000_000))));
        let failure = Failure("word ".repeat(1_000));
        for _ in 0..600 {
            log.write(&failure).await.unwrap();
        }
        let sizes: u64 = [FILE, OLD].map(|name| fs::metadata(folder.path().join(name)).unwrap().len()).iter().sum();
        assert!(sizes < 2 * FULL + 2_000, "{sizes}");
        let target = folder.path().join("target");
        fs::write(&target, "kept").unwrap();
        fs::remove_file(folder.path().join(FILE)).unwrap();
        std::os::unix::fs::symlink(&target, folder.path().join(FILE)).unwrap();
        log.write(&failure).await.unwrap();
        assert_eq!(fs::read_to_string(target).unwrap(), "kept");
    }
}
