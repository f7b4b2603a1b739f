//! The program as its users run it: exit code, standard output, standard error.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test whose set-up fails has failed"
)]

mod admin;
mod arm;
mod clients;
mod crowd;
mod cutover;
mod document;
mod event;
mod fleet;
mod host;
mod kills;
mod migrate;
mod other_users;
mod playbook;
mod refusals;
mod secrets;
mod up;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use domain::{Clock, SystemClock};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// The options that take free ports everywhere.
const FREE: [&str; 5] =
    ["--imds=127.0.0.1:0", "--https=127.0.0.1:0", "--metrics=127.0.0.1:0", "--extension-port=0", "--json"];

/// The program, with nothing of this machine's environment that it reads.
fn symbolon(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_symbolon"));
    command.current_dir(home).env("HOME", home);
    for name in ["XDG_DATA_HOME", "SYMBOLON_DATA_DIR", "SYMBOLON_LOG", "SYMBOLON_LOG_FORMAT"] {
        command.env_remove(name);
    }
    command
}

/// Runs to the end.
fn run(home: &Path, args: &[&str]) -> Output {
    symbolon(home).args(args).stdin(Stdio::null()).output().expect("it runs")
}

/// Exit code, standard output and standard error, with what differs from run to run replaced.
fn told(output: &Output, replace: &[(&str, &str)]) -> String {
    let mut text = format!(
        "exit {}\n--- stdout\n{}--- stderr\n{}",
        output.status.code().map_or("-".to_owned(), |code| code.to_string()),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    for (from, to) in replace {
        text = text.replace(from, to);
    }
    text
}

/// Ports that systems give to nobody who asks for any: below those of Linux (32768) and of others.
const PORTS: std::ops::Range<u16> = 17_000..32_000;

/// A port that is free at the addresses of the first VMs, which all tests share, and that nobody takes before its VM does: it
/// is given once, and no system gives it to a listener or a connection that asks for any.
fn free_port() -> u16 {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    // Other processes that run these tests begin elsewhere.
    let first = std::process::id().wrapping_mul(97);
    let free = |port: &u16| {
        (1..=8).all(|vm| std::net::TcpListener::bind((std::net::Ipv4Addr::new(127, 0, 1, vm), *port)).is_ok())
    };
    let next = || first.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed)) % u32::from(PORTS.end - PORTS.start);
    let ports = PORTS.map(|_| PORTS.start + u16::try_from(next()).expect("one of them"));
    let mut free = ports.filter(free);
    free.next().expect("a free port")
}

/// How long something is waited for that comes soon: longer than the slowest machine takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// What `look` finds, as soon as it finds something.
fn eventually<T>(wanted: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let clock = SystemClock::new();
    let began = clock.monotonic();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(clock.monotonic().since(began) < PATIENCE, "never: {wanted}");
        std::thread::yield_now();
    }
}

/// The whole answer to a GET.
fn fetch(base: &str, path: &str) -> String {
    let address = base.trim_start_matches("http://");
    let mut connection = TcpStream::connect(address).expect("it listens");
    write!(connection, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").expect("sent");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("an answer");
    answer
}

/// A running `up`.
struct Up {
    child: Child,
    ready: Value,
}

impl Up {
    /// Starts one on free ports with a data directory, and waits until it is ready.
    fn start(home: &Path, more: &[&str]) -> Self {
        Self::start_as(symbolon(home), home, more)
    }

    /// The same, from a command that comes to be the program.
    fn start_as(mut command: Command, home: &Path, more: &[&str]) -> Self {
        let data = format!("--data-dir={}", home.join("data").display());
        let without = more.contains(&"--no-extension");
        let name = |option: &&str| option.split('=').next().map(str::to_owned);
        let said = |option: &&str| more.iter().any(|more| name(more) == name(option));
        let free = FREE.iter().filter(|option| !(said(option) || without && option.starts_with("--extension-port")));
        command.args(["up"].iter().chain(free).chain(more)).arg(data);
        Self::of(command)
    }

    /// Starts one by a command, and waits until it is ready.
    fn of(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let ready = serde_json::from_str(&line).unwrap_or_else(|_| panic!("it said '{line}'"));
        Self { child, ready }
    }

    fn text(&self, name: &str) -> &str {
        self.ready[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.ready))
    }

    /// Ends it by a signal; its exit code and what it logged.
    fn end(mut self, signal: Signal) -> (Option<i32>, String) {
        self.signal(signal);
        let mut log = String::new();
        let mut stderr = self.child.stderr.take().expect("piped");
        stderr.read_to_string(&mut log).expect("text");
        (self.child.wait().expect("it ends").code(), log)
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("a pid")).expect("a pid");
        let _ = kill_process(pid, signal);
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal(Signal::KILL);
            drop(self.child.wait());
        }
    }
}
