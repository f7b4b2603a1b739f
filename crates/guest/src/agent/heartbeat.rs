//! What the heartbeats of handlers say of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use contract::guest_agent::handler::Heartbeat;
use domain::Monotonic;

use super::folder::{self, HandlerFolder, HandlerState};
use super::outcome::{Outcome, READY};
use crate::files;

/// When each heartbeat was last seen to be another one. A file's own time is only compared with itself: the wall clocks of
/// guests jump.
#[derive(Debug, Default)]
pub struct Heartbeats(Mutex<BTreeMap<PathBuf, (SystemTime, Monotonic)>>);

impl Heartbeats {
    /// What the heartbeat says of a handler that should be at work and says so itself in that way: a word and why.
    #[must_use]
    pub fn judge(&self, folder: &HandlerFolder, outcome: &Outcome, now: Monotonic) -> Option<(String, String)> {
        let reports = folder.manifest().is_ok_and(|manifest| manifest.report_heartbeat);
        if outcome.status != READY || folder.state() != HandlerState::Enabled || !reports {
            return None;
        }
        let path = folder.heartbeat();
        let not_ready = |message: String| Some(("NotReady".to_owned(), message));
        let Ok(Some(text)) = files::read(&path, folder::MAX) else {
            return not_ready(format!("[ExtensionError] Failed to get heart beat file {}", path.display()));
        };
        let age = self.age(&path, now);
        if age > Duration::from_secs(Heartbeat::MAX_AGE) {
            let message = format!("The handler's last heartbeat is {} s old", age.as_secs());
            return Some(("Unresponsive".to_owned(), message));
        }
        match Heartbeat::parse(&text) {
            Ok(beat) if matches!(beat.status.as_str(), "Ready" | "NotReady") => {
                let is_ready = beat.status == READY;
                Some((beat.status, if is_ready { outcome.message.clone() } else { beat.message }))
            }
            Ok(_) | Err(_) => not_ready(format!("[ExtensionError] {} isn't a heartbeat", path.display())),
        }
    }

    /// For how long a file hasn't changed, as far as was seen.
    fn age(&self, path: &Path, now: Monotonic) -> Duration {
        let Ok(written) = fs::metadata(path).and_then(|found| found.modified()) else { return Duration::ZERO };
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.get(path) {
            Some((at, since)) if *at == written => now.since(*since),
            Some(_) | None => {
                seen.insert(path.to_owned(), (written, now));
                Duration::ZERO
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use contract::guest_agent::handler::HandlerManifest;

    use super::*;

    #[test]
    fn a_heartbeat_is_as_old_as_it_was_seen_whatever_the_wall_clock_says() {
        let root = tempfile::tempdir().unwrap();
        let folder = HandlerFolder::new(root.path(), "Publisher.Type", "1.0");
        fs::create_dir_all(folder.path().join("config")).unwrap();
        fs::write(folder.path().join("HandlerManifest.json"), HandlerManifest::of_program("run").text()).unwrap();
        folder.set_state(HandlerState::Enabled).unwrap();
        let beat = Heartbeat { status: READY.to_owned(), code: 0, message: String::new() };
        fs::write(folder.heartbeat(), beat.text()).unwrap();
        let file = fs::File::options().write(true).open(folder.heartbeat()).unwrap();
        let heartbeats = Heartbeats::default();
        let judged = |seconds: u64| {
            let now = Monotonic::from_origin(Duration::from_secs(seconds));
            heartbeats.judge(&folder, &Outcome::ready(), now).unwrap().0
        };
        // The clock was a day behind, or ahead, when it was written.
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!((judged(0), judged(600)), (READY.to_owned(), READY.to_owned()));
        assert_eq!((judged(601).as_str(), judged(9_000).as_str()), ("Unresponsive", "Unresponsive"));
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1)).unwrap();
        assert_eq!((judged(9_001), judged(9_601)), (READY.to_owned(), READY.to_owned()));
        assert_eq!(judged(9_602), "Unresponsive");
        // The clock went back before it was written again.
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(judged(9_603), READY);
    }
}
