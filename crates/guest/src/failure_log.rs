//! The log that the documented 500 points at: why the extension got no token.

use std::error::Error;
use std::path::PathBuf;

use domain::SharedClock;
use tokio::task::JoinHandle;

use crate::causes::with_causes;
use crate::log_file::LogFile;

/// The file in the folder.
const FILE: &str = "msi-extension.log";
/// How much is said of one failure, in characters.
const LONGEST: usize = 1_000;

/// The log of one guest.
pub struct FailureLog {
    file: LogFile,
    clock: SharedClock,
}

impl FailureLog {
    /// A log in a folder, whose path callers are told; it is made when there is something to say.
    #[must_use]
    pub fn new(folder: PathBuf, clock: SharedClock) -> Self {
        Self { file: LogFile::new(folder, FILE), clock }
    }

    /// The folder, as callers are told of it.
    #[must_use]
    pub fn folder(&self) -> String {
        self.file.folder().display().to_string()
    }

    /// Writes down a failure with all its causes: one line, without what a token or a key could stand in. The
    /// handle is ready when it is written.
    pub(crate) fn write(&self, failure: &dyn Error) -> JoinHandle<()> {
        let now = jiff::Timestamp::from_second(self.clock.now().unix()).unwrap_or_default();
        let line = format!("{now} {}\n", redacted(&with_causes(failure)));
        let file = self.file.clone();
        tokio::task::spawn_blocking(move || {
            if let Err(error) = file.append(line.as_bytes()) {
                tracing::error!(folder = %file.folder().display(), %error, "the extension's log can't be written");
            }
        })
    }
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
    use std::fs;
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
}
