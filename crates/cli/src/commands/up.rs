//! `symbolon up`: metadata service, extension and authority in one process.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use authority::Authority;
use authority::issuer::Issuers;
use authority::secret::SecretKey;
use authority::signing_pool::SigningPool;
use broker::http::AuthorityClient;
use broker::in_process::{DEFAULT_LIFETIME, InProcess};
use broker::{Broker, Counters, Freshness};
use contract::guest_agent::protected::Authority as ForGuests;
use control::attestation::Attestation;
use control::external_issuer::ExternalKeys;
use control::goal_state::GoalStates;
use control::keys::{Keys, open_kek};
use control::seed::World;
use control::vm_credential::KeyMaker;
use control::{Agents, App, DeviceCodes, Ids, Settled, tls};
use domain::{Clock, RotationPolicy, SharedClock, SystemClock};
use listen::Opener;
use playbook::{Playbook, Playbooks};
use rustls::RootCertStore;
use store::{Founding, Handle};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::ExitStatus;
use crate::args::UpArgs;
use crate::data_dir::{DATABASE, DataDir};
use crate::printer::Printer;
use crate::up::connections::{self, Connections};
use crate::up::control_plane::LocalControlPlane;
use crate::up::extension;
use crate::up::faults;
use crate::up::fleet::{Fleet, Setting};
use crate::up::guest_process::Common;
use crate::up::instance::Instance;
use crate::up::issuer_certificate::IssuerCertificate;
use crate::up::machines::{self, Machine};
use crate::up::moves::Moves;
use crate::up::operations::{self, Operations, Readiness};
use crate::up::outside::Outside;
use crate::up::plain::InWords;
use crate::up::roster::Roster;
use crate::up::stage::Stage;
use crate::up::wire_server::{self, OpenWireServer, Packaged, Served};
use crate::up::{description, report, world};
use crate::{hardening, logging, playbook_file, seed};

/// How long the extension waits for the authority before it says that there is no token.
const AUTHORITY_TIMEOUT: Duration = Duration::from_secs(10);
/// How often it is looked whether the signing keys are due.
const ROTATE_EVERY: Duration = Duration::from_secs(600);
/// How far this machine's clock may be behind what the store has seen.
const MAX_BEHIND: Duration = Duration::from_secs(300);

pub(crate) fn up(args: UpArgs, printer: &Printer) -> anyhow::Result<ExitStatus> {
    let clock = SystemClock::new();
    logging::start("warn");
    hardening::harden();
    hardening::quiet_panics();
    // Gathering entropy for the first time takes tens of milliseconds: let it happen meanwhile.
    let warming = std::thread::Builder::new().name("entropy".to_owned()).spawn(hardening::warm_entropy);
    drop(warming);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // Nothing is given up here: an `up` is a developer's own.
    let opener = Opener::start(|| {})?;
    runtime.block_on(run(&args, printer, Arc::new(clock), opener))
}

async fn run(args: &UpArgs, printer: &Printer, clock: SharedClock, opener: Opener) -> anyhow::Result<ExitStatus> {
    let started = clock.monotonic();
    let descriptors = hardening::raise_descriptors();
    // Signals are heard from here on, so that one that comes early still ends everything in order.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut seeded = args.seed.as_deref().map(seed::read).transpose()?;
    let ordered = args.playbook.as_deref().map(playbook_file::read).transpose()?;
    let data = if args.ephemeral {
        DataDir::temporary(&format!("symbolon-{}", Uuid::new_v4()))?
    } else {
        DataDir::open(args.data.data_dir.as_deref())?
    };
    let metrics = operations::start_counting()?;
    let store = open_store(data.path(), clock.as_ref()).await?;
    if seeded.is_none() && store.read(|tx| tx.tenants()).await?.is_empty() {
        seeded = Some(seed::sample()?);
    }
    let world = seeded.unwrap_or_default();

    // Every port before anything is made in the store: what can't be opened is told with the store as it was.
    let mut roster = Roster::read(data.path())?;
    let mut described = world::machines(&store, &world, &roster).await?;
    let outside = wire_server::remembered(&store, &args.wireserver, described.first().map(|(vm, _)| &vm.id)).await?;
    for (_, extension) in described.iter_mut().filter(|(vm, _)| outside.has(&vm.id)) {
        // Neither port nor credential of it is this process's.
        *extension = None;
    }
    let machines = machines::open(described, args, &opener).await?;
    let playbooks = Playbooks::new(clock.clone());
    if let Some((_, playbook)) = ordered {
        order(&playbooks, playbook, machines.first())?;
    }
    let https = bind(args.https, "authority", "--https")?;
    let operations_listener = bind(args.metrics, "metrics", "--metrics")?;
    let issuer_listener = args.attested.attested_issuer_listen;
    let issuer_listener =
        issuer_listener.map(|at| bind(at, "issuer's certificate", "--attested-issuer-listen")).transpose()?;
    let wire_servers = args.wireserver.iter().map(OpenWireServer::open).collect::<anyhow::Result<Vec<_>>>()?;
    let listeners = 1
        + usize::from(issuer_listener.is_some())
        + machines.iter().map(Machine::listeners).sum::<usize>()
        + wire_servers.iter().map(OpenWireServer::listeners).sum::<usize>();
    let Connections { authority: at_authority, room } = connections::divide(descriptors, listeners);
    let (https_address, metrics_address) = (https.local_addr()?, operations_listener.local_addr()?);

    let kek = Arc::new(open_kek(&data.path().join("keys"), &store).await?);
    let tenant = first_tenant(&store, &world, &machines).await?;
    let admin = world::apply(&store, world, &kek, data.path(), tenant, &clock).await?;
    roster.enrol(machines.iter().map(|machine| &machine.vm));
    roster.write(data.path())?;
    let issuers = Arc::new(Issuers { v1: args.issuer.clone(), ..Issuers::default() });
    let with_extension = machines.iter().filter(|machine| machine.extension.is_some());
    let with_extension: Vec<_> =
        with_extension.map(|machine| (machine.vm.id.clone(), roster.guest(&machine.vm))).collect();
    let guests = extension::open_guests(data.path(), &with_extension)?;
    // Making keys takes the longest by far: all that are missing are made side by side.
    let keys = Keys::open(store.clone(), kek.clone(), issuers.clone(), clock.clone(), RotationPolicy::default());
    let (folder, ip, now) = (data.path().join("tls"), https_address.ip(), clock.now());
    let (pool, naming) = (SigningPool::start()?, args.attested.naming());
    let (signing, said) = (pool.clone(), naming.clone());
    let identity = tokio::task::spawn_blocking(move || {
        let identity = tls::open(&folder, &[ip], now)?;
        // The documents are signed on the threads that sign tokens.
        let attestation = Attestation::open(&folder, &said, signing, now)?;
        Ok::<_, tls::TlsError>((identity, attestation))
    });
    let key_maker = KeyMaker::default();
    let credentials = extension::prepare(&guests, &with_extension, &store, &key_maker, &clock);
    let (keys, identity, ()) = tokio::join!(keys, identity, credentials);
    let (keys, (identity, attestation)) = (Arc::new(keys?), identity??);
    let past = (keys.ring().clone(), pool.clone(), Arc::clone(&issuers));
    let authority = Authority::new(keys.ring().clone(), pool, issuers, clock.clone());

    // The data planes end first: what they have in flight may still need the authority.
    let (mut data_planes, mut services, mut background) = (Stage::default(), Stage::default(), JoinSet::new());
    let base_url = base_url(https_address);
    let (seen, watching) = watch::channel(None);
    let app = App {
        authority: authority.clone(),
        store: store.clone(),
        secrets: SecretKey::derive(&*kek)?,
        external: ExternalKeys::new(clock.clone(), std::slice::from_ref(&identity.ca))?,
        base_url: base_url.clone(),
        hosts: tls::hosts(&[https_address]),
        kek: Arc::clone(&kek),
        key_maker: key_maker.clone(),
        ids: Ids::Derived,
        device_codes: DeviceCodes::default(),
        agents: Arc::new(Agents::new(clock.now())),
        settled: Settled::after(watching),
        playbooks: playbooks.clone(),
    };
    let app = Arc::new(app);
    let (server, router) = (identity.server.clone(), control::router(Arc::clone(&app)));
    services.run(|mut ending| {
        control::server::serve(https, server, router, at_authority, async move { ending.asked().await })
    });
    let readiness = Readiness::default();
    let operations = InWords(Operations { metrics, readiness: readiness.clone() });
    let config = listen::Config { room: room.clone(), ..listen::Config::default() };
    services.run(|ending| listen::serve(operations_listener, operations, config.clone(), ending));
    let mut issuer_certificate = None;
    if let Some((listener, certificate)) = issuer_listener.zip(IssuerCertificate::of(&naming, &identity.ca)) {
        issuer_certificate = Some(certificate.url(listener.local_addr()?));
        services.run(|ending| listen::serve(listener, InWords(certificate), config, ending));
    }

    let mut roots = RootCertStore::empty();
    roots.add(identity.ca.clone())?;
    let client = AuthorityClient::new(&base_url, roots, AUTHORITY_TIMEOUT)?;
    let tenants = store.read(|tx| tx.tenants()).await?;
    let created: HashMap<_, _> =
        tenants.into_iter().filter_map(|tenant| Some((tenant.id, tenant.created_at?))).collect();
    let expired = faults::expired(past, created.clone(), clock.clone());
    let faults = imds::Faults { playbooks: playbooks.clone(), expired: Some(expired) };
    let source = Arc::new(InProcess::new(authority, DEFAULT_LIFETIME, created));
    let broker = Broker::new(source, clock.clone(), Freshness::default(), Counters::register("imds"));
    let common = Common {
        store: store.clone(),
        key_maker,
        clock: clock.clone(),
        authority: client,
        room,
        throttled: args.throttle,
        extensions: !args.no_extension,
        moves: Moves::new(),
        outside,
        playbooks,
    };
    let host = imds::Host::new(broker, common.room.clone(), usize::MAX, opener.clone()).with_faults(faults);
    let setting = Setting {
        common: Arc::new(common),
        host,
        opener,
        control_plane: Arc::new(LocalControlPlane { app: Arc::clone(&app), attestation, clock: clock.clone() }),
        data: data.path().to_owned(),
        guests,
        discovery: args.discovery_dir.clone(),
        seen,
    };
    let served = match wire_servers.is_empty() {
        true => None,
        false => Some(serve_agents(args, data.path(), &app, &identity, Arc::clone(&setting.common.outside))?),
    };
    let mut told = Vec::new();
    if let Some(served) = &served {
        let first = machines.first().map(|machine| machine.vm.id.to_string()).unwrap_or_default();
        for server in wire_servers {
            told.push(server.told());
            let name = server.vm().map_or_else(|| first.clone(), str::to_owned);
            server.serve(name, served, &setting.common.room, &mut data_planes);
        }
    }
    let mut fleet = Fleet::new(setting, roster, store.read(|tx| tx.cursor()).await?);
    for machine in machines {
        fleet.adopt(machine, &mut data_planes).await?;
    }
    let vms = fleet.described();
    let instance = description::instance(vms, &base_url, metrics_address, tenant.to_string(), &identity.ca_file, admin);
    let instance = Instance { wire_servers: told, issuer_certificate, ..instance };
    fleet.tell(instance.clone())?;
    data_planes.run(|ending| fleet.run(ending));
    background.spawn(keys.keep_rotating(ROTATE_EVERY));
    background.spawn(control::arm::scheduled_event::keep_happening(Arc::clone(&app)));
    background.spawn(control::arm::keep_deploying(app));

    readiness.ready();
    if args.json {
        printer.json(&instance)?;
    } else {
        let kept = if data.is_temporary() { "nothing is kept" } else { "kept for the next start" };
        let place = format!("{} ({kept})", data.path().display());
        report::print(printer, &instance, &place, clock.monotonic().since(started))?;
    }

    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    readiness.ending();
    data_planes.end().await?;
    background.shutdown().await;
    services.end().await?;
    drop(store);
    Ok(ExitStatus::Ok)
}

/// What the hosts of guest agents serve from.
fn serve_agents(
    args: &UpArgs,
    data: &Path,
    app: &Arc<App>,
    identity: &tls::Identity,
    outside: Arc<Outside>,
) -> anyhow::Result<Served> {
    let folder = args.packages.clone().unwrap_or_else(|| data.join("packages"));
    let packages = wire_server::packages(&folder)?;
    let certificates =
        std::fs::read_to_string(&identity.ca_file).context("the local CA's certificate can't be read")?;
    let authority = ForGuests { url: app.base_url.clone(), certificates };
    let versions = Arc::new(Packaged(Arc::clone(&packages)));
    let goal_states = Arc::new(GoalStates::new(Arc::clone(app), authority, versions));
    Ok(Served { store: app.store.clone(), goal_states, outside, packages })
}

/// Begins the playbook of the command line, for the first VM and those in its subscription.
fn order(playbooks: &Playbooks, playbook: Playbook, first: Option<&Machine>) -> anyhow::Result<()> {
    let subscription = first.and_then(|machine| machine.vm.id.subscription());
    let subscription = subscription.context("there is no VM that the playbook could be for")?;
    tracing::warn!(steps = playbook.steps.len(), "a playbook runs: requests fail on purpose");
    playbooks.run(subscription, playbook);
    Ok(())
}

async fn open_store(data: &Path, clock: &dyn Clock) -> anyhow::Result<Handle> {
    let founding = Founding { installation: Uuid::new_v4(), epoch: Uuid::new_v4() };
    let path = data.join(DATABASE);
    let store = tokio::task::spawn_blocking(move || store::sqlite::open(&path, &founding)).await??;
    let store = Handle::new(Arc::new(store));
    if let Some(last) = store.read(|tx| tx.latest_act()).await? {
        let behind = last.at.since(clock.now());
        if behind > MAX_BEHIND {
            bail!(
                "this machine's clock is {} s behind the last change in {}; set the clock, or tokens would begin in \
                 the past",
                behind.as_secs(),
                data.display()
            );
        }
    }
    Ok(store)
}

fn bind(address: SocketAddr, what: &str, option: &str) -> anyhow::Result<TcpListener> {
    if address.ip().is_unspecified() {
        bail!("the {what} endpoint listens on one address and not on {address}; name it with {option}");
    }
    listen::bind(address)
        .with_context(|| format!("the {what} endpoint can't be opened; say another address with {option}"))
}

/// The tenant of the first VM, or the first there is.
async fn first_tenant(store: &Handle, world: &World, machines: &[Machine]) -> anyhow::Result<domain::TenantId> {
    if let Some(machine) = machines.first() {
        return Ok(machine.vm.tenant);
    }
    if let Some(tenant) = world.tenants.first() {
        return Ok(tenant.id);
    }
    let stored = store.read(|tx| tx.tenants()).await?;
    stored.first().map(|tenant| tenant.id).context("there is no tenant")
}

/// The name under which everything of the authority is published: one that leads to where it listens.
fn base_url(address: SocketAddr) -> String {
    let localhost = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)].contains(&address.ip());
    let host = if localhost { "localhost".to_owned() } else { bracketed(address.ip()) };
    // As clients write it, who leave the port of https out.
    if address.port() == 443 { format!("https://{host}") } else { format!("https://{host}:{}", address.port()) }
}

fn bracketed(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_published_leads_to_where_it_listens() {
        for (address, url) in [
            ("127.0.0.1:16926", "https://localhost:16926"),
            ("[::1]:16926", "https://localhost:16926"),
            ("127.0.0.2:16926", "https://127.0.0.2:16926"),
            ("192.0.2.1:443", "https://192.0.2.1"),
            ("[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ] {
            assert_eq!(base_url(address.parse().unwrap()), url);
        }
    }
}
