//! Which command of a handler is at work. An agent that is killed leaves it running, and the next agent would run it again
//! beside itself: so it is noted, and ended before another one begins.

use std::path::{Path, PathBuf};

use crate::disk::{DiskError, write_atomically};
use crate::files;
use crate::handler::process::{Process, Unstoppable};
use crate::time::Time;

const FILE: &str = "config/Running";
/// The longest such file.
const MAX: u64 = 1024;

/// The note in a handler's folder.
pub(super) struct Note {
    path: PathBuf,
}

impl Note {
    pub(super) fn of(folder: &Path) -> Self {
        Self { path: folder.join(FILE) }
    }

    /// Ends the command that an agent before this one left, if it is still at work.
    pub(super) async fn end(&self, time: &Time) -> Result<(), Unstoppable> {
        let text = files::read(&self.path, MAX).ok().flatten().unwrap_or_default();
        if let Ok(left) = serde_json::from_slice::<Process>(&text) {
            if left.is_running() {
                tracing::warn!(pid = left.pid(), "a command that an earlier agent left is ended");
            }
            left.kill_group(time).await?;
        }
        Ok(())
    }

    /// Notes the command that was started with this number.
    pub(super) fn begin(&self, pid: i32) -> Result<(), DiskError> {
        let io = |doing, why| DiskError::Io { doing, path: self.path.clone(), why };
        // One that has ended already needs no note.
        let Ok(process) = Process::of(pid) else { return Ok(()) };
        let text = serde_json::to_vec(&process).map_err(|why| io("written", why.into()))?;
        write_atomically(&self.path, &text, 0o600).map_err(|why| io("written", why))
    }

    /// Nothing is at work any more.
    pub(super) fn forget(&self) {
        // What has ended isn't ended again.
        drop(files::remove(&self.path));
    }
}
