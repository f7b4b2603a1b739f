//! From the start of the program to the first token, and what it weighs.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use aws_lc_rs::rsa::{KeyPair, KeySize};

use crate::Effort;
use crate::load::{connect, exchange, request};
use crate::process::{Pinned, Server};
use crate::table::Table;

/// How many times the rounds of other parts: how long a key takes to make is chance.
const PARTS: usize = 20;

pub(crate) fn measure(binary: &Path, effort: Effort, table: &mut Table) -> Result<()> {
    // On one processor: only there does what is taken off leave what is beside it.
    let _pinned = Pinned::to(1)?;
    let folder = tempfile::tempdir()?;
    let (mut fresh, mut again, mut weight) = (Vec::new(), Vec::new(), Vec::new());
    let (mut keys, mut bare) = (Vec::new(), Vec::new());
    for round in 0..effort.rounds * PARTS {
        let data = folder.path().join(round.to_string());
        let arguments = arguments(&data.display().to_string());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        fresh.push(millis(first_token(binary, &arguments)?.1));
        let (server, time) = first_token(binary, &arguments)?;
        again.push(millis(time));
        weight.push(server.resident()?);
        drop(server);
        keys.push(millis(make_keys()?));
        bare.push(millis(bare_start()?));
    }
    table.sample("start to first token, existing data directory", &again, None, "ms", 60.0);
    let name = "the same, less a program that starts and asks for its first random byte";
    table.sample(name, &again, Some(&bare), "ms", 30.0);
    let name = "start to first token, new data directory, less the making of as many keys";
    table.sample(name, &fresh, Some(&keys), "ms", 60.0);
    table.sample("resident memory after the first token", &weight, None, "MB", 20.0);
    let size = f64::from(u32::try_from(std::fs::metadata(binary)?.len())?) / 1024.0 / 1024.0;
    table.figure("size of the program, stripped", size, "MB", 20.0);
    Ok(())
}

fn arguments(data: &str) -> Vec<String> {
    let fixed =
        ["up", "--json", "--imds=127.0.0.1:0", "--https=127.0.0.1:0", "--metrics=127.0.0.1:0", "--extension-port=0"];
    fixed.iter().map(|part| (*part).to_owned()).chain([format!("--data-dir={data}")]).collect()
}

fn first_token(binary: &Path, arguments: &[&str]) -> Result<(Server, Duration)> {
    let start = Instant::now();
    let server = Server::start(binary, arguments)?;
    let address = server.address("imds")?;
    exchange(&mut connect(&address)?, &request(&address, "resource=r"))?;
    Ok((server, start.elapsed()))
}

/// The keys of a new data directory, made as `up` makes them: the one that signs tokens, the one for attested documents, and
/// one for each identity's credential, side by side.
fn make_keys() -> Result<Duration> {
    let key = || KeyPair::generate(KeySize::Rsa2048).ok().context("no key");
    let start = Instant::now();
    std::thread::scope(|scope| {
        let all = [(); 4].map(|()| scope.spawn(key));
        all.into_iter().try_for_each(|made| made.join().ok().context("no key")?.map(drop))
    })?;
    Ok(start.elapsed())
}

/// A process that does nothing but ask for a random byte, as every program with keys must.
fn bare_start() -> Result<Duration> {
    let start = Instant::now();
    let server = Server::start(&std::env::current_exe()?, &["--random"])?;
    let took = start.elapsed();
    drop(server);
    Ok(took)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
