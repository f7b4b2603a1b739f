//! The VMs of a running `up`, kept as the store has them: machines come and go, start and stop, and get other identities
//! while it runs, and each change is in force before it is answered.

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use broker::Broker;
use contract::gate::AllowedHosts;
use domain::{Attachment, PowerState, ResourceId, VirtualMachine};
use guest::disk::Disk;
use imds::{MetadataService, Vm};
use listen::Ending;
use store::{Cursor, Noun};
use tokio::net::TcpListener;
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use super::description;
use super::guest_process::{Common, GuestProcess};
use super::guest_report;
use super::instance::{Instance, InstanceFile, InstanceVm};
use super::machines::{Machine, free_address};
use super::roster::Roster;
use super::stage::Stage;
use super::wanted::{Stored, Wanted};

/// How many changes are looked at in one go.
const CHANGES: usize = 1_000;
/// How soon it is tried again what could not be done.
const TRY_AGAIN: Duration = Duration::from_secs(2);

/// What a fleet needs.
pub(crate) struct Setting {
    pub(crate) common: Arc<Common>,
    pub(crate) broker: Broker,
    pub(crate) data: PathBuf,
    /// The folder of the guests.
    pub(crate) guests: PathBuf,
    /// Where the discovery files' copies go, when that is wanted.
    pub(crate) discovery: Option<PathBuf>,
    /// Told how far the fleet has come.
    pub(crate) seen: watch::Sender<Option<Cursor>>,
}

/// The VMs of a running `up`.
pub(crate) struct Fleet {
    setting: Setting,
    roster: Roster,
    running: HashMap<ResourceId, Running>,
    /// The guests of machines that are gone and that still tidy up, by their folders in lower case.
    leaving: HashMap<String, Gone>,
    /// The number of the next VM.
    next: usize,
    /// The port of metadata services that have an address of their own.
    port: u16,
    cursor: Cursor,
    /// Those that could not be brought to what the store says, and are tried again.
    behind: BTreeSet<ResourceId>,
    /// Whether the roster is to be written.
    enrolled: bool,
    instance: Option<(Instance, InstanceFile)>,
}

struct Running {
    number: usize,
    record: VirtualMachine,
    vm: Arc<Vm>,
    address: SocketAddr,
    /// The open metadata service; none while the machine is off.
    imds: Option<Stage>,
    wanted: watch::Sender<Option<Wanted>>,
    shown: watch::Receiver<Option<String>>,
    gone: Gone,
}

/// Fails once a guest has ended.
type Gone = oneshot::Receiver<Infallible>;

impl Fleet {
    /// A fleet of nothing, from a place in the change feed on.
    pub(crate) fn new(setting: Setting, roster: Roster, cursor: Cursor) -> Self {
        let port = super::machines::FIRST.port();
        let (running, leaving, behind) = (HashMap::new(), HashMap::new(), BTreeSet::new());
        Self { setting, roster, running, leaving, next: 0, port, cursor, behind, enrolled: false, instance: None }
    }

    /// Takes a machine whose ports are open. `stage` is what its guest ends with.
    pub(crate) async fn adopt(&mut self, machine: Machine, stage: &mut Stage) -> anyhow::Result<()> {
        let id = machine.vm.id.clone();
        let stored = self.setting.common.store.read(move |tx| Stored::load(tx, &id)).await?.context("a VM is gone")?;
        if self.next == 0 {
            self.port = machine.port;
        }
        // What is told at the start is there already.
        let mut guest = self.guest(&stored.vm, machine.own).with_port(machine.extension);
        guest.become_as(stored.wanted()).await;
        self.start(stored, machine.imds, machine.imds_address, guest, stage);
        Ok(())
    }

    fn guest(&self, vm: &VirtualMachine, own: Option<IpAddr>) -> GuestProcess {
        let Setting { common, guests, discovery, .. } = &self.setting;
        let folder = self.roster.guest(vm);
        let (disk, copy) = (Disk::new(guests.join(&folder)), discovery.as_ref().map(|copies| copies.join(&folder)));
        GuestProcess::new(Arc::clone(common), vm.id.clone(), disk, copy, own)
    }

    fn start(
        &mut self,
        stored: Stored,
        listener: TcpListener,
        address: SocketAddr,
        guest: GuestProcess,
        stage: &mut Stage,
    ) {
        let wanted = watch::Sender::new(Some(stored.wanted()));
        let Stored { vm: record, snapshot, .. } = stored;
        let (shown, receiver) = (guest.shown(), wanted.subscribe());
        let before = self.leaving.remove(&self.roster.guest(&record).to_ascii_lowercase());
        let (here, gone) = oneshot::channel();
        stage.run(async move |ending| {
            if let Some(before) = before {
                // It clears the folder that is this one's now.
                drop(before.await);
            }
            guest.run(receiver, ending).await;
            drop(here);
        });
        let vm = Arc::new(Vm::new(snapshot, self.setting.common.throttle()));
        let imds = (record.power == PowerState::Running).then(|| self.serve(&vm, listener, address));
        let number = self.next;
        self.next += 1;
        let running = Running { number, vm, address, imds, wanted, shown, gone, record };
        self.running.insert(running.record.id.clone(), running);
    }

    fn serve(&self, vm: &Arc<Vm>, listener: TcpListener, address: SocketAddr) -> Stage {
        let hosts = AllowedHosts::imds(address, local_names(address));
        let seed = Uuid::new_v4().as_u64_pair().0;
        let broker = self.setting.broker.clone();
        let service = MetadataService::new(Arc::clone(vm), broker, hosts, imds::Counters::register(), seed);
        let config = listen::Config { room: self.setting.common.room.clone(), ..imds::listener_config() };
        let mut stage = Stage::default();
        stage.run(|ending| listen::serve(listener, service, config, ending));
        stage
    }

    /// What is told of each VM, in their order.
    pub(crate) fn described(&self) -> Vec<InstanceVm> {
        let mut running: Vec<&Running> = self.running.values().collect();
        running.sort_by_key(|running| running.number);
        let described = running.into_iter().map(|running| {
            let extension = running.shown.borrow().clone();
            description::vm(&running.record, running.address, extension, &running.vm.snapshot())
        });
        described.collect()
    }

    /// Keeps a file up to date in which other commands find the VMs.
    pub(crate) fn tell(&mut self, instance: Instance) -> anyhow::Result<()> {
        let file = InstanceFile::write(&self.setting.data, &instance)?;
        self.instance = Some((Instance { admin: None, ..instance }, file));
        Ok(())
    }

    /// Follows the store until the end is asked for; what is in flight then is finished.
    pub(crate) async fn run(mut self, mut ending: Ending) {
        let mut saved = self.setting.common.store.saved();
        let mut guests = Stage::default();
        let mut again = tokio::time::interval(TRY_AGAIN);
        again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            saved.borrow_and_update();
            let caught_up = self.catch_up(&mut guests).await;
            if let Err(error) = &caught_up {
                tracing::error!(error = error as &dyn std::error::Error, "the VMs could not be brought up to date");
            }
            self.describe_again();
            let common = Arc::clone(&self.setting.common);
            tokio::select! {
                biased;
                () = ending.asked() => break,
                changed = saved.changed() => if changed.is_err() { break },
                () = common.moved.notified() => {}
                _ = again.tick(), if caught_up.is_err() || self.enrolled || !self.behind.is_empty() => {
                    for id in std::mem::take(&mut self.behind) {
                        self.bring(id, true, &mut guests).await;
                    }
                }
            }
        }
        let mut services: Vec<Stage> = self.running.drain().filter_map(|(_, running)| running.imds).collect();
        services.push(guests);
        let mut ends: JoinSet<_> = services.into_iter().map(Stage::end).collect();
        while let Some(ended) = ends.join_next().await {
            if let Err(error) = ended.and_then(|ended| ended) {
                tracing::error!(%error, "a listener ended badly");
            }
        }
    }

    /// Does what the store says since the last time. What can't be done for one machine keeps nothing else back.
    async fn catch_up(&mut self, guests: &mut Stage) -> Result<(), store::Error> {
        loop {
            let cursor = self.cursor;
            let changes = self.setting.common.store.read(move |tx| tx.changes(&cursor, CHANGES)).await?;
            let machines: BTreeSet<ResourceId> = changes.changes.iter().filter_map(machine_of).collect();
            for id in machines {
                let again = self.behind.remove(&id);
                self.bring(id, again, guests).await;
            }
            self.write_roster();
            let done = changes.changes.is_empty();
            self.cursor = changes.next;
            self.describe_again();
            self.setting.seen.send_replace(Some(self.cursor));
            if done {
                return Ok(());
            }
        }
    }

    /// Brings one machine to what the store says, now or later; `again` when it could not be done before.
    async fn bring(&mut self, id: ResourceId, again: bool, guests: &mut Stage) {
        match self.refresh(&id, guests).await {
            Ok(()) if again => tracing::info!(vm = %id, "the VM is up to date again"),
            Ok(()) => {}
            Err(error) => {
                if !again {
                    tracing::error!(vm = %id, error = format!("{error:#}"), "the VM can't be as it should; trying again");
                }
                self.behind.insert(id);
            }
        }
    }

    fn write_roster(&mut self) {
        if self.enrolled {
            match self.roster.write(&self.setting.data) {
                Ok(()) => self.enrolled = false,
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "the VMs' order could not be kept; trying again"
                    );
                }
            }
        }
    }

    async fn refresh(&mut self, id: &ResourceId, guests: &mut Stage) -> anyhow::Result<()> {
        let of = id.clone();
        let stored = self.setting.common.store.read(move |tx| Stored::load(tx, &of)).await?;
        let is_there = |there: &Running| stored.as_ref().is_some_and(|stored| there.record.vm_id == stored.vm.vm_id);
        // A machine made anew under the same name is another one.
        if !self.running.get(id).is_some_and(is_there)
            && let Some(gone) = self.running.remove(id)
        {
            self.dismiss(gone);
        }
        let Some(stored) = stored else { return Ok(()) };
        if self.running.contains_key(id) {
            return self.change(id, stored).await;
        }
        let listen = stored.vm.attachment.map(|Attachment::Listen(address)| address);
        match free_address(listen, self.next, self.port).context("it gets no metadata service") {
            Ok((listener, address, own)) => {
                self.roster.admit(&stored.vm);
                self.enrolled = true;
                let guest = self.guest(&stored.vm, own);
                self.start(stored, listener, address, guest, guests);
                Ok(())
            }
            Err(error) => {
                guest_report::absent(&self.setting.common, &stored, &format!("{error:#}")).await;
                Err(error)
            }
        }
    }

    /// Lets a machine go that is gone.
    fn dismiss(&mut self, machine: Running) {
        let Running { record, imds, wanted, gone, .. } = machine;
        self.leaving.retain(|_, gone| gone.try_recv() == Err(TryRecvError::Empty));
        self.leaving.insert(self.roster.guest(&record).to_ascii_lowercase(), gone);
        self.roster.dismiss(&record.id);
        self.enrolled = true;
        wanted.send_replace(None);
        end(imds);
    }

    async fn change(&mut self, id: &ResourceId, stored: Stored) -> anyhow::Result<()> {
        let switched = self.switch(id, stored.vm.power == PowerState::Running);
        if let Err(error) = &switched {
            // Before its guest says that it runs.
            guest_report::not_started(&self.setting.common, &stored.vm, &format!("{error:#}")).await;
        }
        let Some(running) = self.running.get_mut(id) else { return Ok(()) };
        let wanted = stored.wanted();
        running.vm.update(stored.snapshot);
        running.wanted.send_if_modified(|before| {
            let changed = before.as_ref() != Some(&wanted);
            *before = Some(wanted);
            changed
        });
        running.record = stored.vm;
        switched
    }

    /// Opens or closes a machine's metadata service.
    fn switch(&mut self, id: &ResourceId, on: bool) -> anyhow::Result<()> {
        let Some(running) = self.running.get_mut(id) else { return Ok(()) };
        if !on {
            end(running.imds.take());
        } else if running.imds.is_none() {
            let (vm, address) = (Arc::clone(&running.vm), running.address);
            let listener = listen::bind(address).context("its metadata service does not open again")?;
            let stage = self.serve(&vm, listener, address);
            if let Some(running) = self.running.get_mut(id) {
                running.imds = Some(stage);
            }
        }
        Ok(())
    }

    fn describe_again(&mut self) {
        let vms = self.described();
        let Some((instance, file)) = &mut self.instance else { return };
        if instance.vms == vms {
            return;
        }
        instance.imds = vms.first().map(|vm| vm.imds.clone());
        instance.extension = vms.first().and_then(|vm| vm.extension.clone());
        instance.vms = vms;
        if let Err(error) = file.rewrite(instance) {
            tracing::error!(%error, "the list of VMs could not be written");
        }
    }
}

/// Ends a metadata service without waiting for what is in flight.
fn end(stage: Option<Stage>) {
    if let Some(ended) = stage.map(Stage::end) {
        tokio::spawn(async move { drop(ended.await) });
    }
}

/// The machine that a change is about.
fn machine_of(change: &store::Change) -> Option<ResourceId> {
    let id = ResourceId::parse(&change.key).ok();
    match change.noun {
        Noun::VirtualMachine => id,
        Noun::VmExtension => id?.parent(),
        Noun::Meta
        | Noun::Tenant
        | Noun::Subscription
        | Noun::ResourceGroup
        | Noun::UserAssignedIdentity
        | Noun::ServicePrincipal
        | Noun::Application
        | Noun::CertificateCredential
        | Noun::RoleAssignment
        | Noun::SigningKey
        | Noun::ExternalIssuer
        | Noun::Resource
        | Noun::ScaleSet
        | Noun::Operation
        | Noun::Deployment => None,
    }
}

fn local_names(address: SocketAddr) -> Vec<String> {
    let localhost = address.ip() == IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    if localhost { vec![format!("localhost:{}", address.port())] } else { Vec::new() }
}
