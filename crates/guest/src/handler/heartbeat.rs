//! That the process that serves lives, told to the agent by a file.

use std::path::PathBuf;

use contract::guest_agent::handler::Heartbeat as Beat;

use crate::disk::write_atomically;

/// The heartbeat of a handler.
#[derive(Debug)]
pub(super) struct Heartbeat(PathBuf);

impl Heartbeat {
    /// One in that file.
    #[must_use]
    pub(super) fn new(file: PathBuf) -> Self {
        Self(file)
    }

    /// Says that tokens are served.
    pub(super) fn ready(&self, message: &str) {
        self.write("Ready", message);
    }

    /// Says that none are.
    pub(super) fn not_ready(&self, message: &str) {
        self.write("NotReady", message);
    }

    /// A disk that refuses is told in the log. The agent sees that the heartbeat grows old, which is what it is for.
    fn write(&self, status: &str, message: &str) {
        let beat = Beat { status: status.to_owned(), code: 0, message: message.to_owned() };
        if let Err(error) = write_atomically(&self.0, beat.text().as_bytes(), 0o600) {
            tracing::error!(file = %self.0.display(), %error, "the heartbeat can't be given");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_how_the_handler_fares() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("heartbeat.log");
        let heartbeat = Heartbeat::new(file.clone());
        let read = || Beat::parse(&std::fs::read(&file).unwrap()).unwrap();
        heartbeat.ready("at work");
        assert_eq!((read().status.as_str(), read().message.as_str()), ("Ready", "at work"));
        heartbeat.not_ready("stopped");
        assert_eq!(read().status, "NotReady");
    }
}
