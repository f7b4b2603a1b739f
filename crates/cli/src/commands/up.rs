//! `symbolon up`: metadata service, extension and authority in one process.

use std::net::SocketAddr;
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
use contract::gate::AllowedHosts;
use control::external_issuer::ExternalKeys;
use control::keys::{Keys, open_kek};
use control::seed::World;
use control::{App, tls};
use domain::{Clock, IdentityKind, RotationPolicy, SharedClock, SystemClock, VmSnapshot};
use guest::disk::Disk;
use imds::throttle::Throttle;
use imds::{MetadataService, Vm};
use listen::Shutdown;
use rustls::RootCertStore;
use store::{Founding, Handle};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::ExitStatus;
use crate::args::UpArgs;
use crate::data_dir::{DATABASE, DataDir};
use crate::printer::Printer;
use crate::up::connections::{self, Connections};
use crate::up::extension::{self, Guest};
use crate::up::instance::{Admin, Instance, InstanceFile, InstanceIdentity, InstanceVm};
use crate::up::machines::{self, Machine};
use crate::up::operations::{self, Operations, Readiness};
use crate::up::{report, world};
use crate::{hardening, logging, seed};

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
    runtime.block_on(run(&args, printer, Arc::new(clock)))
}

async fn run(args: &UpArgs, printer: &Printer, clock: SharedClock) -> anyhow::Result<ExitStatus> {
    let started = clock.monotonic();
    let descriptors = hardening::raise_descriptors();
    // Signals are heard from here on, so that one that comes early still ends everything in order.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut seeded = args.seed.as_deref().map(seed::read).transpose()?;
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

    // Every port before anything is changed: what can't be opened is told with nothing done.
    let machines = machines::open(world::machines(&store, &world).await?, args)?;
    let https = bind(args.https, "authority", "--https")?;
    let operations_listener = bind(args.metrics, "metrics", "--metrics")?;
    let listeners = 1 + machines.iter().map(Machine::listeners).sum::<usize>();
    let Connections { authority: at_authority, room } = connections::divide(descriptors, listeners);
    let (https_address, metrics_address) = (https.local_addr()?, operations_listener.local_addr()?);

    let kek = Arc::new(open_kek(&data.path().join("keys"))?);
    let tenant = first_tenant(&store, &world, &machines).await?;
    let admin = world::apply(&store, world, &kek, data.path(), tenant, &clock).await?;
    let issuers = Arc::new(Issuers { v1: args.issuer.clone(), ..Issuers::default() });
    let keys = Keys::open(store.clone(), kek.clone(), issuers.clone(), clock.clone(), RotationPolicy::default());
    let keys = Arc::new(keys.await?);
    let identity = tls::open(&data.path().join("tls"), &[https_address.ip()], clock.now())?;
    let authority = Authority::new(keys.ring().clone(), SigningPool::start()?, issuers, clock.clone());

    let (shutdown, mut tasks, mut background) = (Shutdown::default(), JoinSet::new(), JoinSet::new());
    let (base_url, host) = base_url(https_address);
    let app = App {
        authority: authority.clone(),
        store: store.clone(),
        secrets: SecretKey::derive(&*kek)?,
        external: ExternalKeys::new(clock.clone(), std::slice::from_ref(&identity.ca))?,
        base_url: base_url.clone(),
        host,
    };
    let mut ending = shutdown.ending();
    let ended = async move { ending.asked().await };
    let router = control::router(Arc::new(app));
    tasks.spawn(control::server::serve(https, identity.server.clone(), router, at_authority, ended));
    let readiness = Readiness::default();
    let operations = Operations { metrics, readiness: readiness.clone() };
    let config = listen::Config { room: room.clone(), ..listen::Config::default() };
    tasks.spawn(listen::serve(operations_listener, operations, config, shutdown.ending()));

    let mut roots = RootCertStore::empty();
    roots.add(identity.ca.clone())?;
    let client = AuthorityClient::new(&base_url, roots, AUTHORITY_TIMEOUT)?;
    let source = Arc::new(InProcess::new(authority, DEFAULT_LIFETIME));
    let broker = Broker::new(source, clock.clone(), Freshness::default(), Counters::register("imds"));
    let mut discovery_files = Vec::new();
    let mut vms = Vec::new();
    for machine in machines {
        let id = machine.vm.id.clone();
        let snapshot = store.read(move |tx| tx.vm_snapshot(&id)).await?.context("a VM is gone")?;
        vms.push(describe(&machine, &snapshot));
        if let Some(port) = machine.extension {
            let disk = Disk::new(data.path().join("guests").join(&machine.vm.name));
            let guest = Guest { vm: snapshot.id.clone(), identities: snapshot.identities.clone(), disk };
            extension::place_credentials(&guest, &store, &clock).await?;
            let client = client.clone();
            discovery_files.push(extension::start(&guest, port, client, &room, &clock, &shutdown, &mut tasks).await?);
            background.spawn(extension::keep_credentials(guest, store.clone(), clock.clone()));
        }
        let throttle = if args.throttle { Throttle::faithful(clock.clone()) } else { Throttle::off() };
        let vm = Arc::new(Vm::new(snapshot, throttle));
        let hosts = AllowedHosts::imds(machine.imds_address, local_names(machine.imds_address));
        let seed = Uuid::new_v4().as_u64_pair().0;
        let service = MetadataService::new(vm, broker.clone(), hosts, imds::Counters::register(), seed);
        let config = listen::Config { room: room.clone(), ..imds::listener_config() };
        tasks.spawn(listen::serve(machine.imds, service, config, shutdown.ending()));
    }
    background.spawn(keys.keep_rotating(ROTATE_EVERY));

    let instance = instance(vms, &base_url, metrics_address, tenant.to_string(), &identity.ca_file, admin);
    let file = InstanceFile::write(data.path(), &instance)?;
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
    shutdown.end();
    background.shutdown().await;
    while let Some(ended) = tasks.join_next().await {
        ended?;
    }
    drop((file, discovery_files, store));
    Ok(ExitStatus::Ok)
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

/// The name under which everything of the authority is published.
fn base_url(address: SocketAddr) -> (String, String) {
    let host = if address.ip().is_loopback() { format!("localhost:{}", address.port()) } else { address.to_string() };
    (format!("https://{host}"), host)
}

fn local_names(address: SocketAddr) -> Vec<String> {
    let localhost = address.ip() == std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    if localhost { vec![format!("localhost:{}", address.port())] } else { Vec::new() }
}

fn describe(machine: &Machine, snapshot: &VmSnapshot) -> InstanceVm {
    let authority = |address: SocketAddr| match address.port() {
        80 => address.ip().to_string(),
        _ => address.to_string(),
    };
    let identities = snapshot.identities.iter().map(|identity| InstanceIdentity {
        kind: match identity.kind {
            IdentityKind::SystemAssigned => "SystemAssigned".to_owned(),
            IdentityKind::UserAssigned => "UserAssigned".to_owned(),
        },
        name: identity.id.name().to_owned(),
        id: identity.id.to_string(),
        client_id: identity.client_id.to_string(),
        principal_id: identity.principal_id.to_string(),
    });
    InstanceVm {
        name: machine.vm.name.clone(),
        id: machine.vm.id.to_string(),
        imds: format!("http://{}", authority(machine.imds_address)),
        extension: machine.extension.as_ref().map(|port| match port.own {
            None => format!("http://localhost:{}/oauth2/token", port.port),
            Some(own) => format!("http://{own}:{}/oauth2/token", port.port),
        }),
        identities: identities.collect(),
    }
}

fn instance(
    vms: Vec<InstanceVm>,
    base_url: &str,
    metrics: SocketAddr,
    tenant_id: String,
    ca_file: &Path,
    admin: Admin,
) -> Instance {
    let first = vms.first();
    let segment = |number: usize| first.and_then(|vm| vm.id.split('/').nth(number)).unwrap_or_default().to_owned();
    Instance {
        imds: first.map(|vm| vm.imds.clone()),
        extension: first.and_then(|vm| vm.extension.clone()),
        arm: base_url.to_owned(),
        authority: base_url.to_owned(),
        metrics: format!("http://{metrics}"),
        tenant_id,
        subscription_id: segment(2),
        resource_group: segment(4),
        ca_file: std::path::absolute(ca_file).unwrap_or_else(|_| ca_file.to_owned()),
        admin: Some(admin),
        pid: std::process::id(),
        vms,
    }
}
