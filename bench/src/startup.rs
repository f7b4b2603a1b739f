//! From the start of the program to the first token, and what it weighs.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::Effort;
use crate::load::{connect, exchange, request};
use crate::process::Server;
use crate::table::{Table, median};

pub(crate) fn measure(binary: &Path, effort: Effort, table: &mut Table) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (mut fresh, mut again, mut weight) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..effort.rounds {
        let data = folder.path().join(round.to_string());
        let arguments = arguments(&data.display().to_string());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        fresh.push(millis(first_token(binary, &arguments)?.1));
        let (server, time) = first_token(binary, &arguments)?;
        again.push(millis(time));
        weight.push(server.resident()?);
    }
    table.figure("start to first token, existing data directory", median(&again), "ms", 60.0);
    // The time of a key's making differs by chance; the target is a generous key and 60 ms.
    table.figure("start to first token, new data directory (with the making of keys)", median(&fresh), "ms", 260.0);
    table.figure("resident memory after the first token", median(&weight), "MB", 20.0);
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

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
