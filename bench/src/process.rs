//! Servers as processes of their own, pinned, with their CPU time read from the kernel.

use std::io::{BufRead, BufReader, Read, Seek};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use nix::time::clock_getcpuclockid;
use nix::unistd::Pid;
use rustix::io::Errno;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde_json::Value;

/// A server.
pub(crate) struct Server {
    child: Child,
    /// The line that it printed when it was ready.
    pub(crate) ready: Value,
}

impl Server {
    /// Starts a program and waits for its line of JSON.
    pub(crate) fn start(program: &Path, args: &[&str]) -> Result<Self> {
        let name = program.display();
        let mut child = Command::new(program)
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{name} can't be run; build it with: cargo build --release"))?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
        let ready = serde_json::from_str(&line).with_context(|| format!("{name} printed '{line}'"))?;
        Ok(Self { child, ready })
    }

    /// The same on the first processor alone, from its start: it has as many threads as work there.
    pub(crate) fn start_pinned(program: &Path, args: &[&str]) -> Result<Self> {
        let _pinned = Pinned::to(0)?;
        Self::start(program, args)
    }

    /// The address behind a URL of the ready line.
    pub(crate) fn address(&self, name: &str) -> Result<String> {
        let url = self.ready.get(name).and_then(Value::as_str).with_context(|| format!("no {name}"))?;
        Ok(url.trim_start_matches("http://").to_owned())
    }

    /// User and system time of the whole process so far.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        cpu_of(self.child.id())
    }

    /// Resident memory, in MB.
    pub(crate) fn resident(&self) -> Result<f64> {
        memory(self.child.id(), "VmRSS:")?.context("no VmRSS")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            // It may have ended by itself.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        drop(self.child.wait());
    }
}

/// User and system time of a process, by the clock that the kernel keeps for it: threads that ended are in it,
/// which the sum over /proc/PID/task would lose.
fn cpu_of(process: u32) -> Result<Duration> {
    let clock = clock_getcpuclockid(Pid::from_raw(i32::try_from(process)?)).context("no clock of the process")?;
    Ok(clock.now().context("the clock of the process can't be read")?.into())
}

/// The most resident memory that a program had until it ended with this exit code, in MB, as seen over and over while it ran.
/// What the kernel keeps for whoever waits (`ru_maxrss`) can't be taken: on Linux it counts what the process was before it
/// became the program, which is this one.
pub(crate) fn peak(program: &Path, args: &[&str], code: i32) -> Result<f64> {
    let name = program.display();
    // A file, so that a program with much to say is never kept waiting.
    let mut said = tempfile::tempfile()?;
    let mut child = Command::new(program)
        .args(args)
        .stdout(Stdio::null())
        .stderr(said.try_clone()?)
        .spawn()
        .with_context(|| format!("{name} can't be run"))?;
    let mut most = 0.0_f64;
    while child.try_wait()?.is_none() {
        // One that has just ended has no memory any more.
        most = memory(child.id(), "VmHWM:").ok().flatten().map_or(most, |now| most.max(now));
    }
    let status = child.wait()?;
    if status.code() != Some(code) {
        let mut text = String::new();
        said.rewind()?;
        said.read_to_string(&mut text)?;
        anyhow::bail!("{name} {} ended with {status}: {}", args.join(" "), text.trim());
    }
    Ok(most)
}

/// A line of what the kernel says of a process' memory, in MB.
fn memory(process: u32, name: &str) -> Result<Option<f64>> {
    let text = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.map(|line| line.trim().trim_end_matches(" kB").parse::<f64>()).transpose()?;
    Ok(kilobytes.map(|kilobytes| kilobytes / 1024.0))
}

/// Keeps the calling thread, and what it starts meanwhile, on one processor until it is dropped.
pub(crate) struct Pinned(CpuSet);

impl Pinned {
    pub(crate) fn to(processor: usize) -> Result<Self> {
        let before = sched_getaffinity(None).context("the processors aren't known")?;
        let mut set = CpuSet::new();
        set.set(processor);
        match sched_setaffinity(None, &set) {
            Ok(()) => Ok(Self(before)),
            // Where there is only one, all are on it.
            Err(Errno::INVAL) if before.count() == 1 => Ok(Self(before)),
            Err(why) => Err(why).context("a thread can't be pinned"),
        }
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // It was allowed before.
        let _ = sched_setaffinity(None, &self.0);
    }
}

#[cfg(test)]
mod tests {
    use rustix::time::{ClockId, clock_gettime};

    use super::*;

    #[test]
    fn the_memory_of_a_program_that_failed_is_none() {
        let shell = |script: &str| peak(Path::new("/bin/sh"), &["-c", script], 1);
        assert!(shell("exit 1").is_ok());
        let error = shell("echo out of order >&2; exit 2").unwrap_err().to_string();
        assert!(error.contains("exit status: 2") && error.ends_with(": out of order"), "{error}");
        assert!(shell("exit 0").is_err());
    }

    #[test]
    fn the_time_of_a_thread_that_ended_counts() {
        let before = cpu_of(std::process::id()).unwrap();
        let worked = std::thread::spawn(|| {
            let worked = || clock_gettime(ClockId::ThreadCPUTime).tv_nsec;
            while worked() < 50_000_000 {
                std::hint::spin_loop();
            }
        });
        worked.join().unwrap();
        assert!(cpu_of(std::process::id()).unwrap() - before >= Duration::from_millis(50));
    }
}
