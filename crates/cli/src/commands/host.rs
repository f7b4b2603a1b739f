//! `symbolon host`: the metadata service of a host's VMs, with tokens from an authority across the network.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use anyhow::{Context, bail};
use broker::certificates::Certificates;
use broker::{Broker, Counters, Freshness, TokenSource};
use domain::{SharedClock, SystemClock};
use imds::Host;
use listen::{Endpoint, Opener, Tcp};
use rustix::thread::CapabilitySet;
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use super::ExitStatus;
use crate::args::host::HostArgs;
use crate::host::{self, HostPlaybook, Inventory, Machines, NoControlPlane, Placed, Serving, Signers, privileges};
use crate::printer::Printer;
use crate::up::connections;
use crate::up::operations::{self, Operations, Readiness};
use crate::up::plain::InWords;
use crate::up::stage::Stage;
use crate::{hardening, logging};

/// How often it is looked whether the certificate of attested documents ends soon.
const LOOK_EVERY: Duration = Duration::from_secs(3_600);

pub(crate) fn host(args: &HostArgs, printer: &Printer) -> anyhow::Result<ExitStatus> {
    let clock = SystemClock::new();
    logging::start("info");
    hardening::harden();
    hardening::quiet_panics();
    let inventory = host::read(&args.config)?;
    let kept = inventory.rights();
    let (told, gave_up) = mpsc::sync_channel(1);
    let opener = Opener::start(move || told.send(privileges::keep_only(kept)).unwrap_or_default())?;
    gave_up.recv()?.context("the thread that opens listeners can't give up its rights")?;
    // Every other thread comes from this one.
    privileges::keep_only(CapabilitySet::empty()).context("this process can't give up its rights")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(args, printer, Arc::new(clock), inventory, kept, opener))
}

async fn run(
    args: &HostArgs,
    printer: &Printer,
    clock: SharedClock,
    inventory: Inventory,
    kept: CapabilitySet,
    opener: Opener,
) -> anyhow::Result<ExitStatus> {
    let started = clock.monotonic();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut again = signal(SignalKind::hangup())?;
    let Inventory { authority, machines, credentials, throttled, connections, metrics, signing, playbook } = inventory;
    let now = clock.now();
    let signers = signing.map(|signing| tokio::task::spawn_blocking(move || signing.open(now)));
    let signers = match signers {
        Some(opening) => Some(opening.await??),
        None => None,
    };
    let recorder = operations::start_counting()?;
    let issuer = signers.as_ref().and_then(|signers| signers.issuer.as_ref());
    let listeners = machines.len() + usize::from(metrics.is_some()) + usize::from(issuer.is_some());
    let descriptors = hardening::raise_descriptors();
    let room = connections::room(descriptors, listeners);
    if room.own() == 0 {
        tracing::warn!(
            descriptors,
            listeners,
            "too few files may be open for each VM to have a connection of its own, so one can keep another waiting; \
             raise the hard limit of open files (LimitNOFILE= of the unit)"
        );
    }
    let source = Arc::new(Certificates::new(authority, [], Arc::clone(&clock)));
    let tokens: Arc<dyn TokenSource> = source.clone();
    let broker = Broker::new(tokens, Arc::clone(&clock), Freshness::default(), Counters::register("imds"));
    let host = Host::new(broker, room.clone(), connections, opener.clone());
    let playbook = playbook.map(|playbook| HostPlaybook::new(playbook, Arc::clone(&clock)));
    let host = match &playbook {
        None => host,
        Some(playbook) => host.with_faults(playbook.faults()),
    };
    let begin = |machines: &[Placed]| playbook.iter().for_each(|playbook| playbook.begin(machines));

    let (mut services, readiness) = (Stage::default(), Readiness::default());
    let metrics = match metrics {
        None => None,
        Some(address) => {
            let listener = opener.open(&Endpoint::Tcp(Tcp::at(address))).await;
            let listener = listener.context("the metrics can't be served")?;
            let bound = listener.address().unwrap_or(address);
            let operations = InWords(Operations { metrics: recorder, readiness: readiness.clone() });
            let config = listen::Config { room: room.clone(), ..listen::Config::default() };
            services.run(|ending| listen::serve(listener, operations, config, ending));
            Some(bound)
        }
    };
    let Signers { attestation, issuer, data: _held } = signers.unwrap_or_default();
    let issuer = match issuer {
        None => None,
        Some((address, certificate)) => {
            let listener = opener.open(&Endpoint::Tcp(Tcp::at(address))).await;
            let listener = listener.context("the CA's certificate can't be served")?;
            let served = certificate.url(listener.address().unwrap_or(address));
            let config = listen::Config { room, ..listen::Config::default() };
            services.run(|ending| listen::serve(listener, InWords(certificate), config, ending));
            Some(served)
        }
    };
    let control_plane = Arc::new(NoControlPlane { attestation, clock: Arc::clone(&clock) });
    let mut look = tokio::time::interval(LOOK_EVERY);
    let told = machines.iter().map(Told::of).collect();
    let mut serving = Serving::new(host, source, opener, Arc::clone(&control_plane), throttled);
    begin(&machines);
    if let Some(why) = serving.become_as(machines, credentials).await.into_iter().next() {
        return Err(why);
    }
    readiness.ready();
    report(
        args,
        printer,
        &Report { vms: told, metrics: metrics.map(url), issuer_certificate: issuer, pid: std::process::id() },
    )?;
    tracing::info!(milliseconds = clock.monotonic().since(started).as_millis(), "ready");

    loop {
        tokio::select! {
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
            _ = look.tick() => control_plane.look_after().await,
            _ = again.recv() => match read_again(&args.config, kept).await {
                Ok(Machines { machines, credentials }) => {
                    begin(&machines);
                    for why in serving.become_as(machines, credentials).await {
                        tracing::error!(error = format!("{why:#}"), "a VM can't be served; trying again");
                    }
                    tracing::info!("the configuration was read again");
                }
                Err(why) => tracing::error!(error = format!("{why:#}"), "the configuration is left as it was"),
            },
        }
    }
    readiness.ending();
    serving.end().await;
    services.end().await?;
    Ok(ExitStatus::Ok)
}

/// Reads the VMs of the configuration once more. What their attachments need must not have been given up.
async fn read_again(config: &Path, kept: CapabilitySet) -> anyhow::Result<Machines> {
    let path = config.to_owned();
    let read = tokio::task::spawn_blocking(move || host::read_machines(&path)).await??;
    let attachments = read.machines.iter().map(|machine| &machine.attachment);
    if !privileges::missing(privileges::needed(attachments), kept).is_empty() {
        bail!("its attachments need rights that were given up at the start; start it again");
    }
    Ok(read)
}

/// What a host says when it is ready.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    vms: Vec<Told>,
    metrics: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer_certificate: Option<String>,
    pid: u32,
}

#[derive(Serialize)]
struct Told {
    name: String,
    id: String,
    attachment: String,
}

impl Told {
    fn of(placed: &Placed) -> Self {
        let Placed { name, vm, attachment } = placed;
        Self { name: name.clone(), id: vm.id.to_string(), attachment: attachment.to_string() }
    }
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
    if let Some(issuer) = &report.issuer_certificate {
        printer.line(format!("the CA's certificate at {issuer}"))?;
    }
    printer.line("ready")?;
    Ok(())
}
