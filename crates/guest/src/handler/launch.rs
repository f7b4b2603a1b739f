//! The process that serves, as the commands see it: what it is to be started for, whether it is there, how it is
//! started and ended.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use contract::guest_agent::protected::Authority;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

use super::endpoint_file::{self, Running};
use super::failure::{Code, Failure};
use super::process::GRACE;
use super::state::State;
use crate::time::Time;

/// How long the process may take to listen.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often others may be in the way.
const TRIES: usize = 3;
/// The longest report that is read.
const MAX_REPORT: u64 = 16 * 1024;

/// What a process is started for. One that was started for something else has to go.
#[derive(Debug)]
pub struct Launch<'a> {
    /// The program.
    pub program: &'a Path,
    /// The number of the settings: whoever changes it, and be it alone, wants the process started anew.
    pub sequence: u64,
    /// Where it listens.
    pub port: u16,
    /// Whom it asks.
    pub authority: &'a Authority,
    /// The metadata service that it forwards to, in the place of that.
    pub forward_to: Option<SocketAddr>,
}

/// What a process that was started says: where it listens, or why it doesn't.
pub type Report = Result<Ready, Failure>;

/// It listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// Where.
    pub port: u16,
}

impl Launch<'_> {
    /// Equal for equal launches only.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut digest = Context::new(&SHA256);
        let program = self.program.as_os_str().as_encoded_bytes();
        let numbers = [&self.sequence.to_be_bytes()[..], &self.port.to_be_bytes()[..]];
        let texts = [self.authority.url.as_bytes(), self.authority.certificates.as_bytes()];
        let forward_to = self.forward_to.map(|imds| imds.to_string());
        let forward_to = forward_to.as_ref().map(String::as_bytes);
        for part in [program].into_iter().chain(numbers).chain(texts).chain(forward_to) {
            digest.update(&part.len().to_be_bytes());
            digest.update(part);
        }
        digest.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Ends the process that is there, if one is, and starts this one.
    ///
    /// # Errors
    /// Why it doesn't listen.
    pub async fn replace(&self, state: &State, time: &Time) -> Report {
        for _ in 0..TRIES {
            stop(state, time).await?;
            match self.start().await {
                // One that a command started which was killed then: it has shown itself by now.
                Err(failure) if failure.code == Code::EndpointTaken => {}
                report => return report,
            }
        }
        Err(Failure::new(Code::EndpointTaken, "other endpoint processes keep being started"))
    }

    /// Starts the process and waits until it listens.
    pub(super) async fn start(&self) -> Report {
        self.spawn("serve").await
    }

    /// Sees to it that a process watches over the one that serves.
    ///
    /// # Errors
    /// Why it doesn't.
    pub async fn watch(&self, state: &State, time: &Time) -> Result<(), Failure> {
        if endpoint_file::running(&state.watch(), time).await?.is_none() {
            self.spawn("watch").await?;
        }
        Ok(())
    }

    /// Starts the program with a command, and waits for what it says.
    async fn spawn(&self, command: &str) -> Report {
        let failed = |why: &dyn std::error::Error| Failure::of(Code::Endpoint, why);
        let mut child = Command::new(self.program)
            .arg(command)
            .args(["--port", &self.port.to_string(), "--launch", &self.digest()])
            .args(["--sequence", &self.sequence.to_string()])
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|why| failed(&why))?;
        let report = tokio::time::timeout(PATIENCE, report(&mut child)).await;
        match report {
            Ok(Some(report)) => report,
            Ok(None) => {
                let ended = child.wait().await.map_err(|why| failed(&why))?;
                Err(Failure::new(Code::Endpoint, format!("the endpoint process ended without a word ({ended})")))
            }
            Err(late) => {
                // It may have ended this moment.
                drop(child.kill().await);
                Err(failed(&late))
            }
        }
    }
}

/// The process that serves, if there is one.
///
/// # Errors
/// When that can't be said.
pub async fn running(state: &State, time: &Time) -> Result<Option<Running>, Failure> {
    Ok(endpoint_file::running(&state.endpoint(), time).await?)
}

/// Ends the process that serves, if there is one, and before that the one that watches over it.
///
/// # Errors
/// When one doesn't end.
pub async fn stop(state: &State, time: &Time) -> Result<(), Failure> {
    if let Some(watching) = endpoint_file::running(&state.watch(), time).await? {
        watching.process.stop(GRACE, time).await?;
    }
    if let Some(running) = running(state, time).await? {
        tracing::info!(pid = running.process.pid(), port = running.port, "the endpoint process is ended");
        running.process.stop(GRACE, time).await?;
    }
    Ok(())
}

/// What the process says; nothing when it ends before.
async fn report(child: &mut Child) -> Option<Report> {
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take()?.take(MAX_REPORT));
    stdout.read_line(&mut line).await.ok()?;
    serde_json::from_str(&line).ok()
}

/// The program that runs, by its place.
///
/// # Errors
/// When the system doesn't tell.
pub fn program() -> Result<PathBuf, Failure> {
    std::env::current_exe().map_err(|why| Failure::of(Code::Place, &why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_launch_tells() {
        let authority =
            |url: &str, certificates: &str| Authority { url: url.to_owned(), certificates: certificates.to_owned() };
        let address = authority("https://a", "c");
        let first = Launch { program: Path::new("/p"), sequence: 1, port: 2, authority: &address, forward_to: None };
        assert_eq!(first.digest(), Launch { ..first }.digest());
        assert_eq!(first.digest().len(), 64);
        let shifted = authority("https://ac", "");
        let others = [
            Launch { program: Path::new("/q"), ..first },
            Launch { sequence: 2, ..first },
            Launch { port: 3, ..first },
            Launch { authority: &shifted, ..first },
            Launch { forward_to: Some("127.0.0.1:80".parse().unwrap()), ..first },
        ];
        for other in others {
            assert_ne!(other.digest(), first.digest(), "{other:?}");
        }
    }
}
