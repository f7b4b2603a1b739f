//! A VM whose neighbour floods: how long its cached tokens take, at a fifth of what the server can do.

use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{getpriority_process, setpriority_process};
use rustix::thread::set_current_timer_slack;
use serde_json::Value;

use crate::Effort;
use crate::data_plane::UP;
use crate::load::{connect, exchange, read_whole, request};
use crate::process::{Pinned, Server};
use crate::table::{Table, median};

/// How many of the VM's callers ask in turn. Each waits for its answer, and what it could not ask meanwhile counts from when it
/// should have been asked.
const CALLERS: u32 = 16;
/// How many connections the neighbour floods over: as many as `symbolon host` lets one VM have.
const FLOOD: usize = 64;
/// How many requests it sends ahead on each. So asking costs it less than answering costs the server.
const AHEAD: usize = 8;
/// Into how many a round is divided: other work of the machine stops everybody for some milliseconds now and then, and most of
/// the short rounds are without that.
const PARTS: usize = 4;
/// The part of what the server can do that is asked for.
const SHARE: f64 = 0.2;

/// `cost` is what a cached request costs the server, in microseconds of its one processor.
pub(crate) fn measure(binary: &Path, effort: Effort, cost: f64, table: &mut Table) -> Result<()> {
    let _pinned = Pinned::to(1)?;
    let args: Vec<_> = UP.iter().map(|arg| arg.replace("seed.yaml", "flood.yaml")).collect();
    let server = Server::start_pinned(binary, &args.iter().map(String::as_str).collect::<Vec<_>>())?;
    let quiet = address(&server, "quiet")?;
    let loud = address(&server, "loud")?;
    let each = Duration::from_secs_f64(cost / 1e6 / SHARE * f64::from(CALLERS));
    let requests = effort.requests / 2 / PARTS / CALLERS as usize;
    let (mut alone, mut beside, mut shares) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..=effort.rounds * PARTS {
        alone.push(callers(&quiet, each, requests)?);
        let (wait, flooded) = flooded(&loud, || callers(&quiet, each, requests))?;
        beside.push(wait);
        shares.push(flooded * cost / 1e4);
    }
    let (alone, beside) = (alone.get(1..).unwrap_or_default(), beside.get(1..).unwrap_or_default());
    let name = format!(
        "p99 of cached tokens at 20 % of saturation: while another VM floods (it got {:.0} %) vs. without",
        median(&shares)
    );
    table.ratio(&name, "µs", beside, alone, 2.0);
    Ok(())
}

fn address(server: &Server, vm: &str) -> Result<String> {
    let vms = server.ready.get("vms").and_then(Value::as_array).context("no VMs")?;
    let found = vms.iter().find(|one| one.get("name").and_then(Value::as_str) == Some(vm));
    let url = found.and_then(|vm| vm.get("imds")?.as_str()).with_context(|| format!("no VM {vm}"))?;
    Ok(url.trim_start_matches("http://").to_owned())
}

/// The p99 of what callers wait for, in microseconds. Each asks so many times, once in every `each`.
fn callers(address: &str, each: Duration, requests: usize) -> Result<f64> {
    let mut waits = thread::scope(|scope| {
        let start = |number: u32| scope.spawn(move || caller(address, each, each / CALLERS * number, requests));
        let callers: Vec<_> = (0..CALLERS).map(start).collect();
        let mut waits = Vec::new();
        for caller in callers {
            match caller.join() {
                Ok(asked) => waits.extend(asked?),
                Err(_) => bail!("a caller panicked"),
            }
        }
        Ok(waits)
    })?;
    waits.sort_unstable();
    let at = waits.len() * 99 / 100;
    waits.get(at).map(|wait| wait.as_secs_f64() * 1e6).context("nobody asked")
}

fn caller(address: &str, each: Duration, first: Duration, requests: usize) -> Result<Vec<Duration>> {
    // Threads that wait are woken in time.
    set_current_timer_slack(Some(NonZero::<u64>::MIN))?;
    let cached = request(address, "resource=https%3A%2F%2Fmanagement.azure.com%2F");
    let mut connection = connect(address)?;
    exchange(&mut connection, &cached)?;
    let mut waits = Vec::with_capacity(requests);
    let mut due = Instant::now() + first;
    for _ in 0..requests {
        // What it is late because of the system's timer is no wait for the server.
        let since = match due.checked_duration_since(Instant::now()) {
            Some(left) => {
                thread::sleep(left);
                Instant::now()
            }
            None => due,
        };
        exchange(&mut connection, &cached)?;
        waits.push(since.elapsed());
        due += each;
    }
    Ok(waits)
}

/// Does something while a VM asks as fast as it is answered; what came of it, and how many answers a second the VM got.
fn flooded(address: &str, work: impl FnOnce() -> Result<f64>) -> Result<(f64, f64)> {
    let over = &AtomicBool::new(false);
    let (begun, begins) = mpsc::channel();
    thread::scope(|scope| {
        let flood = scope.spawn(move || flood(address, over, &begun));
        // It is over at once when it can't begin.
        let done = if begins.recv().is_ok() { work() } else { Ok(f64::NAN) };
        over.store(true, Ordering::Relaxed);
        match flood.join() {
            Ok(Ok(rate)) => Ok((done?, rate)),
            Ok(Err(why)) => Err(why),
            Err(_) => bail!("the flood panicked"),
        }
    })
}

/// Asks until it is over, and says when it was answered for the first time; how many answers a second it got.
fn flood(address: &str, over: &AtomicBool, begun: &Sender<()>) -> Result<f64> {
    // It gives way to the callers, with whom it shares a processor: only the server's is contended for.
    setpriority_process(None, 19)?;
    ensure!(getpriority_process(None)? == 19, "the flood would keep the callers off their processor");
    let cached = request(address, "resource=https%3A%2F%2Fmanagement.azure.com%2F");
    let mut connections = (0..FLOOD).map(|_| connect(address)).collect::<Result<Vec<_>>>()?;
    let first = connections.first_mut().context("no connection")?;
    first.write_all(cached.as_bytes())?;
    // The others are as long: of an answer only the digits of `expires_in` change.
    let mut answers = vec![0; read_whole(first)?.0.len() * AHEAD];
    let (batch, began, mut answered) = (cached.repeat(AHEAD), Instant::now(), 0);
    while !over.load(Ordering::Relaxed) {
        for connection in &mut connections {
            connection.write_all(batch.as_bytes())?;
        }
        for connection in &mut connections {
            connection.read_exact(&mut answers)?;
            ensure!(answers.starts_with(b"HTTP/1.1 200 "), "the flood was refused");
            answered += AHEAD;
        }
        // Nobody listens after the first time.
        let _ = begun.send(());
    }
    Ok(answered as f64 / began.elapsed().as_secs_f64())
}
