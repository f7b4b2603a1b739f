//! `symbolon doctor`: looks at this machine and a running `up`, and says what to do.

mod host;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use domain::clock::LEEWAY;
use domain::{Clock, SystemClock};
use rustls::RootCertStore;
use serde::Serialize;
use store::Store;

use super::ExitStatus;
use crate::args::DoctorArgs;
use crate::printer::Printer;
use crate::up::instance::{self, Instance, NotRunning};
use crate::up::machines;
use crate::{data_dir, decode, http_client};

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    Skipped,
    /// It works, and could be better.
    Advice,
    Failed,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    check: &'static str,
    verdict: Verdict,
    detail: String,
    /// What to do about it, where the detail doesn't say so itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

impl Check {
    fn ok(check: &'static str, detail: String) -> Self {
        Self { check, verdict: Verdict::Ok, detail, advice: None }
    }

    fn skipped(check: &'static str, detail: String) -> Self {
        Self { check, verdict: Verdict::Skipped, detail, advice: None }
    }

    /// One that could be better.
    fn advice(check: &'static str, detail: impl Into<String>, advice: &str) -> Self {
        Self { check, verdict: Verdict::Advice, detail: detail.into(), advice: Some(advice.to_owned()) }
    }

    /// One whose text says what to do.
    fn failed(check: &'static str, detail: String) -> Self {
        Self { check, verdict: Verdict::Failed, detail, advice: None }
    }

    fn of(check: &'static str, result: anyhow::Result<String>, advice: &str) -> Self {
        match result {
            Ok(detail) => Self::ok(check, detail),
            Err(why) => Self { advice: Some(advice.to_owned()), ..Self::failed(check, format!("{why:#}")) },
        }
    }
}

pub(crate) async fn doctor(args: &DoctorArgs, printer: &Printer) -> anyhow::Result<ExitStatus> {
    let checks = match &args.host_config {
        Some(config) => host::look(config).await,
        None => look(args).await?,
    };
    if args.json {
        printer.json_pretty(&checks)?;
    } else {
        let word = |verdict| match verdict {
            Verdict::Ok => "ok",
            Verdict::Skipped => "skipped",
            Verdict::Advice => "advice",
            Verdict::Failed => "FAILED",
        };
        let rows: Vec<_> = checks
            .iter()
            .map(|check| vec![word(check.verdict).to_owned(), check.check.to_owned(), check.detail.clone()])
            .collect();
        printer.table(&["", "check", "what was found"], &rows)?;
        for check in &checks {
            if let Some(advice) = &check.advice {
                printer.line("")?;
                printer.line(format!("{}: {advice}", check.check))?;
            }
        }
    }
    let failed = checks.iter().any(|check| check.verdict == Verdict::Failed);
    Ok(if failed { ExitStatus::Failed } else { ExitStatus::Ok })
}

/// Looks at this machine and a running `up`.
async fn look(args: &DoctorArgs) -> anyhow::Result<Vec<Check>> {
    let data = data_dir::locate(args.data.data_dir.as_deref())?;
    let mut checks = vec![data_directory(&data)];
    match instance::find(&data) {
        Ok(instance) => running(&instance, &mut checks).await,
        Err(absent @ NotRunning::NoFile(_)) => {
            checks.push(Check::skipped("running", absent.to_string()));
            checks.push(store(&data));
            checks.extend(default_ports());
        }
        Err(broken) => {
            checks.push(Check::failed("running", format!("{:#}", anyhow::Error::new(broken))));
            checks.push(store(&data));
            checks.extend(default_ports());
        }
    }
    Ok(checks)
}

fn data_directory(path: &Path) -> Check {
    let check = "data directory";
    if !path.exists() {
        return Check::skipped(check, format!("{} isn't there yet; symbolon up makes it", path.display()));
    }
    match data_dir::inspect(path) {
        Ok(()) => Check::ok(check, format!("{} is its owner's alone", path.display())),
        Err(why) => Check::failed(check, format!("{:#}", anyhow::Error::new(why))),
    }
}

/// Whether an `up` without options would get its ports.
fn default_ports() -> Vec<Check> {
    let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    [
        ("metadata service's port", machines::FIRST, "--imds"),
        ("authority's port", local(16_926), "--https"),
        ("metrics' port", local(16_927), "--metrics"),
        ("extension's port", local(contract::extension::DEFAULT_PORT), "--extension-port or --no-extension"),
    ]
    .map(|(check, address, option)| port(check, address, option))
    .into()
}

fn port(check: &'static str, address: SocketAddr, option: &str) -> Check {
    // It is closed again at once: nobody was to connect.
    let free = listen::bind(address).map(|_listener| format!("{address} is free")).map_err(anyhow::Error::new);
    Check::of(check, free, &format!("stop what holds it, or start with: symbolon up {option} …"))
}

/// Reads the whole store. Only when no `up` runs: it would wait for its turn.
fn store(data: &Path) -> Check {
    let check = "store";
    let path = data.join(data_dir::DATABASE);
    if !path.exists() {
        return Check::skipped(check, "there is none yet".to_owned());
    }
    let founding = store::Founding { installation: uuid::Uuid::new_v4(), epoch: uuid::Uuid::new_v4() };
    let looked = store::sqlite::open(&path, &founding).and_then(|store| store.check());
    let sound = looked.map(|()| "every page and reference is sound".to_owned()).map_err(anyhow::Error::new);
    Check::of(check, sound, "put a copy of the data directory back, or begin anew with another --data-dir")
}

async fn running(instance: &Instance, checks: &mut Vec<Check>) {
    let again = "end that process and start it again with SYMBOLON_LOG=info: its standard error says why";
    let other = "see that nothing else answers at that address, then end that process and start it again";
    checks.push(Check::ok("running", format!("process {}", instance.pid)));
    checks.push(Check::of("ready", ready(instance).await, again));
    for vm in &instance.vms {
        checks.push(match vm.reachable() {
            Ok(imds) => Check::of("metadata service", probe(&vm.name, imds).await, other),
            Err(from_within) => Check::skipped("metadata service", from_within.to_string()),
        });
        if let Some(extension) = &vm.extension {
            checks.push(Check::of("extension", extension_probe(&vm.name, extension).await, other));
        }
    }
    checks.push(Check::of("authority", authority(instance).await, other));
    checks.push(Check::of("clock", clock(instance).await, "have both clocks set by NTP"));
}

async fn ready(instance: &Instance) -> anyhow::Result<String> {
    let url = format!("{}/readyz", instance.metrics);
    let answer = http_client::get(&url, &[], RootCertStore::empty()).await?;
    anyhow::ensure!(answer.status.is_success(), "{url} answered {}", answer.status);
    Ok(format!("{url} answered {}", answer.status.as_u16()))
}

/// The presence probe of the SDKs: without the header exactly 400.
async fn probe(vm: &str, imds: &str) -> anyhow::Result<String> {
    let url = format!("{imds}/metadata/identity/oauth2/token");
    let answer = http_client::get(&url, &[], RootCertStore::empty()).await?;
    let status = answer.status.as_u16();
    anyhow::ensure!(status == 400, "{url} answered {status} to a request without the Metadata header, not 400");
    Ok(format!("VM {vm}: {imds} answers as a metadata service"))
}

async fn extension_probe(vm: &str, url: &str) -> anyhow::Result<String> {
    let answer = http_client::get(url, &[], RootCertStore::empty()).await?;
    let body = String::from_utf8_lossy(&answer.body);
    anyhow::ensure!(
        answer.status.as_u16() == 400 && body.contains("bad_request_102"),
        "{url} answered {} to a request without the Metadata header, not 400 bad_request_102",
        answer.status
    );
    Ok(format!("VM {vm}: {url} answers as the extension"))
}

async fn authority(instance: &Instance) -> anyhow::Result<String> {
    let url = format!("{}/{}/v2.0/.well-known/openid-configuration", instance.authority, instance.tenant_id);
    let answer = http_client::get(&url, &[], decode::roots(instance)?).await?;
    anyhow::ensure!(answer.status.is_success(), "{url} answered {}", answer.status);
    Ok(format!("{} serves discovery, and its certificate is good", instance.authority))
}

async fn clock(instance: &Instance) -> anyhow::Result<String> {
    let url = format!("{}/{}/v2.0/.well-known/openid-configuration", instance.authority, instance.tenant_id);
    let answer = http_client::get(&url, &[], decode::roots(instance)?).await?;
    let theirs = broker::http::date(&answer.headers).context("the authority's answer has no sound Date")?;
    let skew = Duration::from_secs(SystemClock::new().now().unix().abs_diff(theirs.unix()));
    anyhow::ensure!(
        skew <= LEEWAY,
        "this machine's clock and the authority's differ by {} s; set the clock, or tokens will be refused",
        skew.as_secs()
    );
    Ok(format!("this machine's clock and the authority's differ by {} s", skew.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_names_its_holder_and_the_option() {
        let holder = listen::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = holder.local_addr().unwrap();
        let taken = port("metrics' port", address, "--metrics");
        assert_eq!(taken.verdict, Verdict::Failed);
        assert!(taken.detail.contains(&format!("process {}", std::process::id())), "{}", taken.detail);
        assert!(taken.advice.unwrap().contains("--metrics"));
        drop(holder);
        assert_eq!(port("metrics' port", address, "--metrics").verdict, Verdict::Ok);
    }
}
