//! The metadata service against bare hyper, and its first tokens against bare signatures.

use std::collections::HashSet;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use rustix::time::{ClockId, clock_gettime};
use serde_json::Value;

use crate::Effort;
use crate::load::{Mode, connect, exchange, read_answer, request, run};
use crate::process::{Pinned, Server};
use crate::table::{Table, median};

/// Everything of an `up` on free ports, with nothing kept.
pub(crate) const UP: [&str; 9] = [
    "up",
    "--ephemeral",
    "--json",
    "--no-extension",
    "--imds=127.0.0.1:0",
    "--https=127.0.0.1:0",
    "--metrics=127.0.0.1:0",
    "--issuer=https://sts.windows.net/{tenant}/",
    "--seed=bench/seed.yaml",
];

/// Gives what a cached request costs, in microseconds.
pub(crate) fn measure(binary: &Path, effort: Effort, table: &mut Table) -> Result<f64> {
    let _pinned = Pinned::to(1)?;
    let ours = Server::start_pinned(binary, &UP)?;
    let address = ours.address("imds")?;
    let cached = request(&address, "resource=https%3A%2F%2Fmanagement.azure.com%2F");
    let length = exchange(&mut connect(&address)?, &cached)?.len();
    let bare = Server::start_pinned(&std::env::current_exe()?, &["--baseline", &length.to_string()])?;
    let bare_address = bare.address("imds")?;
    let mut cost = f64::NAN;
    for (mode, requests, name, target) in [
        (Mode::KeepAlive, effort.requests, "cached token, keep-alive: CPU a request vs. bare hyper", 1.15),
        (Mode::EachItsOwn, effort.requests / 4, "cached token, a connection each: CPU a request vs. bare hyper", 1.10),
    ] {
        let (mut us, mut them) = (Vec::new(), Vec::new());
        for _ in 0..=effort.rounds {
            us.push(cpu(&ours, requests, || run(&address, requests, mode, |_| cached.clone()))?);
            them.push(cpu(&bare, requests, || run(&bare_address, requests, mode, |_| cached.clone()))?);
        }
        // The first round warms up.
        if mode == Mode::KeepAlive {
            cost = median(us.get(1..).unwrap_or_default());
        }
        table.ratio(name, "µs", us.get(1..).unwrap_or_default(), them.get(1..).unwrap_or_default(), target);
    }
    drop(bare);
    instance_document(&ours, &address, &cached, effort, table)?;
    first_tokens(&ours, &address, effort, table)?;
    single_flight(&ours, &address, table)?;
    Ok(cost)
}

/// The instance document, of which the answer is kept, against a cached token in the same round.
fn instance_document(ours: &Server, address: &str, cached: &str, effort: Effort, table: &mut Table) -> Result<()> {
    let target = "/metadata/instance?api-version=2021-02-01";
    let document = format!("GET {target} HTTP/1.1\r\nHost: {address}\r\nMetadata: true\r\n\r\n");
    let (mut documents, mut tokens) = (Vec::new(), Vec::new());
    for _ in 0..=effort.rounds {
        for (request, costs) in [(document.as_str(), &mut documents), (cached, &mut tokens)] {
            let load = || run(address, effort.requests, Mode::KeepAlive, |_| request.to_owned());
            costs.push(cpu(ours, effort.requests, load)?);
        }
    }
    let (documents, tokens) = (documents.get(1..).unwrap_or_default(), tokens.get(1..).unwrap_or_default());
    table.ratio("instance document: CPU a request vs. a cached token", "µs", documents, tokens, 1.5);
    Ok(())
}

/// First tokens: each request for a resource of its own, against as many raw signatures in the same round.
fn first_tokens(ours: &Server, address: &str, effort: Effort, table: &mut Table) -> Result<()> {
    let key = KeyPair::generate(KeySize::Rsa2048).ok().context("no key")?;
    let tokens = effort.requests / 100;
    let (mut us, mut raw) = (Vec::new(), Vec::new());
    for round in 0..=effort.rounds {
        let next = |number: usize| request(address, &format!("resource=r{round}-{number}"));
        us.push(cpu(ours, tokens, || run(address, tokens, Mode::KeepAlive, next))?);
        raw.push(signatures(&key, tokens)?);
    }
    let (us, raw) = (us.get(1..).unwrap_or_default(), raw.get(1..).unwrap_or_default());
    table.ratio("first token: CPU vs. one raw RS256 signature", "µs", us, raw, 1.10);
    Ok(())
}

/// CPU of a raw signature, on the processor of the server.
fn signatures(key: &KeyPair, count: usize) -> Result<f64> {
    let _pinned = Pinned::to(0)?;
    let now = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
    };
    let random = SystemRandom::new();
    let (message, mut signature) = ([b'm'; 1_100], vec![0; key.public_modulus_len()]);
    let start = now();
    for _ in 0..count {
        key.sign(&RSA_PKCS1_SHA256, &random, &message, &mut signature).ok().context("no signature")?;
    }
    Ok(micros(now() - start, count))
}

fn single_flight(ours: &Server, address: &str, table: &mut Table) -> Result<()> {
    let before = counter(ours, "symbolon_signatures_total")?;
    let mut connections = Vec::new();
    for _ in 0..100 {
        connections.push(connect(address)?);
    }
    let request = request(address, "resource=asked-by-a-hundred");
    for connection in &mut connections {
        connection.write_all(request.as_bytes())?;
    }
    let mut tokens = HashSet::new();
    for connection in &mut connections {
        let answer: Value = serde_json::from_slice(&read_answer(connection)?)?;
        tokens.insert(answer.get("access_token").and_then(Value::as_str).context("no token")?.to_owned());
    }
    ensure!(tokens.len() == 1, "a hundred callers got {} tokens", tokens.len());
    let made = counter(ours, "symbolon_signatures_total")? - before;
    table.exactly("100 callers ask the same new token at once", made, "signatures", 1.0);
    Ok(())
}

fn counter(server: &Server, name: &str) -> Result<f64> {
    let address = server.address("metrics")?;
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let text = String::from_utf8(exchange(&mut connect(&address)?, &request)?)?;
    let line = text.lines().find(|line| line.starts_with(name)).with_context(|| format!("no counter {name}"))?;
    line.rsplit(' ').next().and_then(|value| value.parse().ok()).context("a counter without a value")
}

/// CPU of a server for each of so many requests, in microseconds.
fn cpu(server: &Server, requests: usize, load: impl FnOnce() -> Result<()>) -> Result<f64> {
    let before = server.cpu()?;
    load()?;
    let used = server.cpu()?.checked_sub(before).context("the clock of the process went back")?;
    Ok(micros(used, requests))
}

fn micros(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e6 / count as f64
}
