//! `symbolon host`: the metadata service of a host's VMs, with tokens from an authority across the network.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use broker::certificates::Certificates;
use broker::throttle::Throttle;
use broker::{Broker, Counters, Freshness};
use domain::{SharedClock, SystemClock};
use imds::{Attached, Host, Vm};
use listen::Opener;
use rustix::thread::CapabilitySet;
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use super::ExitStatus;
use crate::args::host::HostArgs;
use crate::host::{self, Inventory, Placed, privileges};
use crate::printer::Printer;
use crate::up::connections;
use crate::up::operations::{self, Operations, Readiness};
use crate::up::stage::Stage;
use crate::{hardening, logging};

pub(crate) fn host(args: &HostArgs, printer: &Printer) -> anyhow::Result<ExitStatus> {
    let clock = SystemClock::new();
    logging::start("info");
    hardening::harden();
    hardening::quiet_panics();
    let inventory = host::read(&args.config)?;
    let kept = privileges::needed(inventory.machines.iter().map(|machine| &machine.attachment));
    let opener = Opener::start(move || {
        if let Err(error) = privileges::keep_only(kept) {
            tracing::warn!(%error, "the thread that opens listeners could not give up its rights");
        }
    })?;
    // Every other thread comes from this one.
    privileges::keep_only(CapabilitySet::empty()).context("this process can't give up its rights")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(args, printer, Arc::new(clock), inventory, opener))
}

async fn run(
    args: &HostArgs,
    printer: &Printer,
    clock: SharedClock,
    inventory: Inventory,
    opener: Opener,
) -> anyhow::Result<ExitStatus> {
    let started = clock.monotonic();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let Inventory { authority, machines, credentials, throttled, connections, metrics } = inventory;
    let recorder = operations::start_counting()?;
    let room = connections::room(hardening::raise_descriptors(), machines.len() + usize::from(metrics.is_some()));
    let source = Arc::new(Certificates::new(authority, credentials, Arc::clone(&clock)));
    let broker = Broker::new(source, Arc::clone(&clock), Freshness::default(), Counters::register("imds"));
    let host = Host::new(broker, room.clone(), connections, opener.clone());

    let (mut services, readiness) = (Stage::default(), Readiness::default());
    let metrics = match metrics {
        None => None,
        Some(address) => {
            let listener = listen::bind(address).context("the metrics can't be served")?;
            let bound = listener.local_addr()?;
            let operations = Operations { metrics: recorder, readiness: readiness.clone() };
            let config = listen::Config { room, ..listen::Config::default() };
            services.run(|ending| listen::serve(listener, operations, config, ending));
            Some(bound)
        }
    };
    let (mut attached, mut told) = (Vec::with_capacity(machines.len()), Vec::with_capacity(machines.len()));
    for Placed { name, vm, attachment } in machines {
        let listener = imds::open_now(&opener, &attachment).await.with_context(|| format!("VM '{name}'"))?;
        told.push(Told { name, id: vm.id.to_string(), attachment: attachment.to_string() });
        let throttle = if throttled { Throttle::faithful(Arc::clone(&clock)) } else { Throttle::off() };
        attached.push(Attached::start(&host, Arc::new(Vm::new(vm, throttle)), attachment, listener));
    }
    readiness.ready();
    report(args, printer, &Report { vms: told, metrics: metrics.map(url), pid: std::process::id() })?;
    tracing::info!(milliseconds = clock.monotonic().since(started).as_millis(), vms = attached.len(), "ready");

    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    readiness.ending();
    // All are told before anyone is waited for.
    let ends: Vec<_> = attached.into_iter().map(Attached::end).collect();
    for end in ends {
        end.await?;
    }
    services.end().await?;
    Ok(ExitStatus::Ok)
}

/// What a host says when it is ready.
#[derive(Serialize)]
struct Report {
    vms: Vec<Told>,
    metrics: Option<String>,
    pid: u32,
}

#[derive(Serialize)]
struct Told {
    name: String,
    id: String,
    attachment: String,
}

fn url(metrics: SocketAddr) -> String {
    format!("http://{metrics}")
}

fn report(args: &HostArgs, printer: &Printer, report: &Report) -> anyhow::Result<()> {
    if args.json {
        return printer.json(report);
    }
    let rows: Vec<_> = report.vms.iter().map(|vm| vec![vm.name.clone(), vm.attachment.clone()]).collect();
    printer.table(&["VM", "attachment"], &rows)?;
    if let Some(metrics) = &report.metrics {
        printer.line(format!("metrics at {metrics}/metrics"))?;
    }
    printer.line("ready")?;
    Ok(())
}
