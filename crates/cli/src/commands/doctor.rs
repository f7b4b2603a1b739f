//! `symbolon doctor`: looks at this machine and a running `up`, and says what to do.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use domain::{Clock, SystemClock};
use rustls::RootCertStore;
use serde::Serialize;
use store::Store;

use super::ExitStatus;
use crate::args::DoctorArgs;
use crate::printer::Printer;
use crate::up::instance::{self, Instance, NotRunning};
use crate::{data_dir, decode, http_client};

/// How far the clocks of this machine and of the authority may differ: the leeway of verifiers.
const MAX_SKEW: Duration = Duration::from_secs(300);

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    Skipped,
    Failed,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    check: &'static str,
    verdict: Verdict,
    detail: String,
}

pub(crate) async fn doctor(args: &DoctorArgs, printer: &Printer) -> anyhow::Result<ExitStatus> {
    let data = data_dir::locate(args.data.data_dir.as_deref())?;
    let mut checks = vec![data_directory(&data)];
    match instance::find(&data) {
        Ok(instance) => running(&instance, &mut checks).await,
        Err(absent @ NotRunning::NoFile(_)) => {
            checks.push(Check { check: "running", verdict: Verdict::Skipped, detail: absent.to_string() });
            checks.push(store(&data));
        }
        Err(broken) => checks.push(Check { check: "running", verdict: Verdict::Failed, detail: broken.to_string() }),
    }
    if args.json {
        printer.json_pretty(&checks)?;
    } else {
        let word = |verdict| match verdict {
            Verdict::Ok => "ok",
            Verdict::Skipped => "skipped",
            Verdict::Failed => "FAILED",
        };
        let rows: Vec<_> = checks
            .iter()
            .map(|check| vec![word(check.verdict).to_owned(), check.check.to_owned(), check.detail.clone()])
            .collect();
        printer.table(&["", "check", "what was found"], &rows)?;
    }
    let failed = checks.iter().any(|check| check.verdict == Verdict::Failed);
    Ok(if failed { ExitStatus::Failed } else { ExitStatus::Ok })
}

fn data_directory(path: &Path) -> Check {
    let check = "data directory";
    if !path.exists() {
        let detail = format!("{} isn't there yet; symbolon up makes it", path.display());
        return Check { check, verdict: Verdict::Skipped, detail };
    }
    match data_dir::inspect(path) {
        Ok(()) => Check { check, verdict: Verdict::Ok, detail: format!("{} is its owner's alone", path.display()) },
        Err(why) => Check { check, verdict: Verdict::Failed, detail: why.to_string() },
    }
}

/// Reads the whole store. Only when no `up` runs: it would wait for its turn.
fn store(data: &Path) -> Check {
    let check = "store";
    let path = data.join(data_dir::DATABASE);
    if !path.exists() {
        return Check { check, verdict: Verdict::Skipped, detail: "there is none yet".to_owned() };
    }
    let founding = store::Founding { installation: uuid::Uuid::new_v4(), epoch: uuid::Uuid::new_v4() };
    match store::sqlite::open(&path, &founding).and_then(|store| store.check()) {
        Ok(()) => Check { check, verdict: Verdict::Ok, detail: "every page and reference is sound".to_owned() },
        Err(why) => Check { check, verdict: Verdict::Failed, detail: format!("{:#}", anyhow::Error::new(why)) },
    }
}

async fn running(instance: &Instance, checks: &mut Vec<Check>) {
    checks.push(Check { check: "running", verdict: Verdict::Ok, detail: format!("process {}", instance.pid) });
    checks.push(checked("ready", ready(instance).await));
    for vm in &instance.vms {
        checks.push(checked("metadata service", probe(&vm.name, &vm.imds).await));
        if let Some(extension) = &vm.extension {
            checks.push(checked("extension", extension_probe(&vm.name, extension).await));
        }
    }
    checks.push(checked("authority", authority(instance).await));
    checks.push(checked("clock", clock(instance).await));
}

fn checked(check: &'static str, result: anyhow::Result<String>) -> Check {
    match result {
        Ok(detail) => Check { check, verdict: Verdict::Ok, detail },
        Err(why) => Check { check, verdict: Verdict::Failed, detail: format!("{why:#}") },
    }
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
    let date = answer.headers.get(http::header::DATE).and_then(|date| date.to_str().ok());
    let date = date.context("the authority's answer has no Date")?;
    let theirs = jiff::fmt::rfc2822::parse(date)
        .with_context(|| format!("the authority's Date '{date}' can't be read"))?
        .timestamp()
        .as_second();
    let skew = Duration::from_secs(SystemClock::new().now().unix().abs_diff(theirs));
    anyhow::ensure!(
        skew <= MAX_SKEW,
        "this machine's clock and the authority's differ by {} s; set the clock, or tokens will be refused",
        skew.as_secs()
    );
    Ok(format!("this machine's clock and the authority's differ by {} s", skew.as_secs()))
}
