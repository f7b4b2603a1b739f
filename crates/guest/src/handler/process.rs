//! A process by what makes it that one: its number, when it started, and since which start of the machine.
//!
//! Numbers are given out again. Nothing is told of a process, and nothing is sent to it, before the rest was compared.

use std::fs;
use std::io;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, kill_process_group, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

use crate::time::Time;

/// How long a process may take to end after it was asked to.
pub const GRACE: Duration = Duration::from_secs(10);
/// How long the system may take to end one that isn't asked any more.
const KILL: Duration = Duration::from_secs(5);
/// How often is looked whether it ended: nothing tells of it.
const LOOK: Duration = Duration::from_millis(20);

/// One process, never another that has its number later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Process {
    pid: i32,
    /// In ticks since the machine started (proc(5), field 22 of `stat`).
    start: u64,
    /// Which start of the machine that was.
    boot: String,
}

/// It can't be ended.
#[derive(Debug, thiserror::Error)]
#[error("process {pid} can't be ended")]
pub struct Unstoppable {
    pid: i32,
    #[source]
    why: io::Error,
}

impl Process {
    /// This process.
    ///
    /// # Errors
    /// When `/proc` can't be read.
    pub fn this() -> io::Result<Self> {
        Self::of(rustix::process::getpid().as_raw_pid())
    }

    /// The process that has this number now.
    ///
    /// # Errors
    /// When there is none, or `/proc` can't be read.
    pub fn of(pid: i32) -> io::Result<Self> {
        let (start, _) = stat(pid).ok_or_else(|| io::Error::other(format!("/proc doesn't tell of process {pid}")))?;
        Ok(Self { pid, start, boot: boot()? })
    }

    /// Its number.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Whether it is there and hasn't ended.
    #[must_use]
    pub fn is_running(&self) -> bool {
        stat(self.pid).is_some_and(|(start, state)| start == self.start && !matches!(state, 'Z' | 'X'))
            && boot().is_ok_and(|boot| boot == self.boot)
    }

    /// Ends it: asks first, and doesn't any more after `grace`. One that is gone already is fine.
    ///
    /// # Errors
    /// When the system doesn't let us, or it is there after all.
    pub async fn stop(&self, grace: Duration, time: &Time) -> Result<(), Unstoppable> {
        let failed = |why| Unstoppable { pid: self.pid, why };
        for (signal, patience) in [(Signal::TERM, grace), (Signal::KILL, KILL)] {
            self.send(signal).map_err(failed)?;
            if time.within(patience, LOOK, || !self.is_running()).await {
                return Ok(());
            }
        }
        Err(failed(io::ErrorKind::TimedOut.into()))
    }

    /// Ends it with all that it started and that stayed in its group, of which it is the first, without asking.
    ///
    /// # Errors
    /// When the system doesn't let us, or it is there after all.
    pub async fn kill_group(&self, time: &Time) -> Result<(), Unstoppable> {
        let failed = |why| Unstoppable { pid: self.pid, why };
        if let Some(pid) = Pid::from_raw(self.pid).filter(|_| self.is_running()) {
            match kill_process_group(pid, Signal::KILL) {
                Ok(()) | Err(Errno::SRCH) => {}
                Err(why) => return Err(failed(why.into())),
            }
        }
        let gone = time.within(KILL, LOOK, || !self.is_running()).await;
        if gone { Ok(()) } else { Err(failed(io::ErrorKind::TimedOut.into())) }
    }

    /// Sends a signal to it, and to no other.
    fn send(&self, signal: Signal) -> io::Result<()> {
        let Some(pid) = Pid::from_raw(self.pid) else { return Ok(()) };
        // What is held open can't become another process between the comparing and the sending.
        let held = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(held) => Some(held),
            Err(Errno::SRCH) => return Ok(()),
            // Linux before 5.3, or a sandbox that doesn't let us.
            Err(_) => None,
        };
        if !self.is_running() {
            return Ok(());
        }
        let sent = match held {
            Some(held) => pidfd_send_signal(held, signal),
            None => kill_process(pid, signal),
        };
        match sent {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(why) => Err(why.into()),
        }
    }
}

/// When a process started, and its state.
fn stat(pid: i32) -> Option<(u64, char)> {
    read_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The name in it may hold anything, brackets too: what counts comes after the last one.
fn read_stat(text: &str) -> Option<(u64, char)> {
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((fields.nth(18)?.parse().ok()?, state))
}

fn boot() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};

    use super::*;

    fn child(script: &str) -> (Child, Process) {
        let mut child = Command::new("sh").args(["-c", script]).stdout(Stdio::piped()).spawn().unwrap();
        let mut ready = [0; 1];
        io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut ready).unwrap();
        let process = Process::of(i32::try_from(child.id()).unwrap()).unwrap();
        (child, process)
    }

    #[test]
    fn the_fields_of_stat_are_found_whatever_the_name_is() {
        let fields = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21";
        assert_eq!(read_stat(&format!("7 (a) Z) b) {fields}")), Some((4711, 'S')));
        assert_eq!(read_stat("7 (a) S 1"), None);
        assert_eq!(read_stat(""), None);
    }

    #[tokio::test]
    async fn one_that_ends_when_asked_is_only_asked() {
        let (mut child, process) = child("trap 'exit 7' TERM; echo x; while :; do sleep 0.02; done");
        assert!(process.is_running());
        process.stop(Duration::from_secs(60), &Time::system()).await.unwrap();
        assert!(!process.is_running());
        assert_eq!(child.wait().unwrap().code(), Some(7));
        process.stop(Duration::ZERO, &Time::system()).await.unwrap();
    }

    #[tokio::test]
    async fn one_that_does_not_listen_is_ended_all_the_same() {
        let (mut child, process) = child("trap '' TERM; echo x; while :; do sleep 0.02; done");
        process.stop(Duration::from_millis(50), &Time::system()).await.unwrap();
        assert_eq!(child.wait().unwrap().code(), None);
    }

    #[tokio::test]
    async fn another_one_with_its_number_is_left_alone() {
        let (mut child, process) = child("echo x; while :; do sleep 0.02; done");
        let earlier = Process { start: process.start - 1, ..process.clone() };
        let before = Process { boot: "another".to_owned(), ..process.clone() };
        for other in [earlier, before] {
            assert!(!other.is_running());
            other.stop(Duration::ZERO, &Time::system()).await.unwrap();
        }
        assert!(process.is_running());
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
