//! The VMs of a running `up`, kept as the store has them: machines come and go, start and stop, and get other identities
//! while it runs, and each change is in force before it is answered.

mod follow;

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use control::metadata::Metadata;
use domain::{Attachment, PowerState, ResourceId, VirtualMachine};
use guest::callers::Callers;
use guest::disk::Disk;
use imds::{Attached, ControlPlane, Description, Host, Vm};
use listen::{Listener, Opener};
use store::Cursor;
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinError, JoinSet};

use super::calls::Counted;
use super::description;
use super::guest_process::{Common, GuestProcess};
use super::guest_report;
use super::instance::{Instance, InstanceFile, InstanceVm};
use super::machines::{Machine, open_later};
use super::roster::Roster;
use super::stage::Stage;
use super::wanted::{Stored, Wanted};

/// What a fleet needs.
pub(crate) struct Setting {
    pub(crate) common: Arc<Common>,
    pub(crate) host: Host,
    pub(crate) opener: Opener,
    /// What the metadata services ask beside tokens.
    pub(crate) control_plane: Arc<dyn ControlPlane>,
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
    /// Metadata services that are closed and have something in flight.
    closing: JoinSet<Result<(), JoinError>>,
    instance: Option<(Instance, InstanceFile)>,
}

struct Running {
    number: usize,
    record: VirtualMachine,
    vm: Arc<Vm>,
    attachment: Attachment,
    /// The metadata service; none while the machine is off.
    imds: Option<Attached>,
    wanted: watch::Sender<Option<Wanted>>,
    shown: watch::Receiver<Option<String>>,
    callers: Arc<Callers>,
    gone: Gone,
    /// The other resources that its metadata was read from.
    leans_on: BTreeSet<String>,
}

/// Fails once a guest has ended.
type Gone = oneshot::Receiver<Infallible>;

/// Where this process reaches the metadata service of a VM. Elsewhere than at an address of this machine it is in the
/// VM's own world, and whoever asks at its address from here would ask somebody else.
fn reachable(attachment: &Attachment) -> Option<SocketAddr> {
    match attachment {
        Attachment::Listen(address) => Some(*address),
        Attachment::Device { .. }
        | Attachment::Namespace { .. }
        | Attachment::Source { .. }
        | Attachment::Unix { .. }
        | Attachment::Vsock { .. } => None,
    }
}

impl Fleet {
    /// A fleet of nothing, from a place in the change feed on.
    pub(crate) fn new(setting: Setting, roster: Roster, cursor: Cursor) -> Self {
        let port = super::machines::FIRST.port();
        Self {
            setting,
            roster,
            running: HashMap::new(),
            leaving: HashMap::new(),
            next: 0,
            port,
            cursor,
            behind: BTreeSet::new(),
            enrolled: false,
            closing: JoinSet::new(),
            instance: None,
        }
    }

    /// Takes a machine whose ports are open. `stage` is what its guest ends with.
    pub(crate) async fn adopt(&mut self, machine: Machine, stage: &mut Stage) -> anyhow::Result<()> {
        let id = machine.vm.id.clone();
        let stored = self.setting.common.store.read(move |tx| Stored::load(tx, &id)).await?.context("a VM is gone")?;
        if self.next == 0 {
            self.port = machine.port;
        }
        // What is told at the start is there already.
        let (vm, leans_on) = self.vm(&stored);
        let imds = self.open(&stored.vm, &vm, machine.imds, &machine.attachment);
        let mut guest = self.guest(&stored.vm, machine.own, &machine.attachment);
        if let Some((extension, port)) = machine.extension {
            guest = guest.with_port(extension, port);
        }
        guest.become_as(stored.wanted(&self.setting.common.outside)).await;
        self.start(stored, (vm, leans_on, imds, machine.attachment), guest, stage);
        Ok(())
    }

    fn guest(&self, vm: &VirtualMachine, own: Option<IpAddr>, attachment: &Attachment) -> GuestProcess {
        let Setting { common, guests, discovery, .. } = &self.setting;
        let folder = self.roster.guest(vm);
        let (disk, copy) = (Disk::new(guests.join(&folder)), discovery.as_ref().map(|copies| copies.join(&folder)));
        GuestProcess::new(Arc::clone(common), vm, disk, copy, own, reachable(attachment))
    }

    /// A machine as its metadata service sees it, and what its description leans on.
    fn vm(&self, stored: &Stored) -> (Arc<Vm>, BTreeSet<String>) {
        let control_plane = Arc::clone(&self.setting.control_plane);
        let vm = Vm::new(stored.snapshot.clone(), self.setting.common.throttle()).with_control_plane(control_plane);
        let leans_on = describe(&vm, stored.metadata.clone());
        (Arc::new(vm), leans_on)
    }

    /// Opens a machine's metadata service, unless it is off.
    fn open(
        &self,
        record: &VirtualMachine,
        vm: &Arc<Vm>,
        listener: Option<Listener>,
        attachment: &Attachment,
    ) -> Option<Attached> {
        (record.power == PowerState::Running).then(|| self.serve(vm, listener, attachment))
    }

    fn start(
        &mut self,
        stored: Stored,
        (vm, leans_on, imds, attachment): (Arc<Vm>, BTreeSet<String>, Option<Attached>, Attachment),
        guest: GuestProcess,
        stage: &mut Stage,
    ) {
        let wanted = watch::Sender::new(Some(stored.wanted(&self.setting.common.outside)));
        let Stored { vm: record, .. } = stored;
        let (shown, callers, receiver) = (guest.shown(), guest.callers(), wanted.subscribe());
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
        let number = self.next;
        self.next += 1;
        let running = Running { number, vm, attachment, imds, wanted, shown, callers, gone, record, leans_on };
        self.running.insert(running.record.id.clone(), running);
    }

    fn serve(&self, vm: &Arc<Vm>, listener: Option<Listener>, attachment: &Attachment) -> Attached {
        Attached::start(&self.setting.host, Arc::clone(vm), attachment.clone(), listener)
    }

    /// What is told of each VM, in their order.
    pub(crate) fn described(&self) -> Vec<InstanceVm> {
        let mut running: Vec<&Running> = self.running.values().collect();
        running.sort_by_key(|running| running.number);
        let described = running.into_iter().map(|running| {
            let extension = running.shown.borrow().clone();
            description::vm(&running.record, &running.attachment, extension, &running.vm.snapshot())
        });
        described.collect()
    }

    /// Where it is counted who calls.
    fn counted(&self) -> Counted {
        let machines = self.running.values();
        let machines =
            machines.map(|running| (running.record.id.clone(), Arc::clone(&running.callers), Arc::clone(&running.vm)));
        Counted { common: Arc::clone(&self.setting.common), machines: machines.collect() }
    }

    /// Keeps a file up to date in which other commands find the VMs.
    pub(crate) fn tell(&mut self, instance: Instance) -> anyhow::Result<()> {
        let file = InstanceFile::write(&self.setting.data, &instance)?;
        self.instance = Some((Instance { admin: None, ..instance }, file));
        Ok(())
    }

    async fn refresh(&mut self, id: &ResourceId, guests: &mut Stage) -> anyhow::Result<()> {
        let of = id.clone();
        let stored = self.setting.common.store.read(move |tx| Stored::load(tx, &of)).await?;
        let is_there = |there: &Running| stored.as_ref().is_some_and(|stored| there.record.vm_id == stored.vm.vm_id);
        // A machine made anew under the same name is another one.
        if !self.running.get(id).is_some_and(is_there)
            && let Some(gone) = self.running.remove(id)
        {
            self.dismiss(gone).await;
        }
        let Some(stored) = stored else { return Ok(()) };
        if self.running.contains_key(id) {
            return self.change(id, stored).await;
        }
        let wanted = stored.vm.attachment.clone();
        let opened = open_later(wanted, self.next, self.port, &self.setting.opener).await;
        match opened.context("it gets no metadata service") {
            Ok((listener, attachment, own)) => {
                self.roster.admit(&stored.vm);
                self.enrolled = true;
                let guest = self.guest(&stored.vm, own, &attachment);
                let (vm, leans_on) = self.vm(&stored);
                let imds = self.open(&stored.vm, &vm, listener, &attachment);
                self.start(stored, (vm, leans_on, imds, attachment), guest, guests);
                Ok(())
            }
            Err(error) => {
                guest_report::absent(&self.setting.common, &stored, &format!("{error:#}")).await;
                Err(error)
            }
        }
    }

    /// Lets a machine go that is gone.
    async fn dismiss(&mut self, machine: Running) {
        let Running { record, imds, wanted, gone, .. } = machine;
        self.leaving.retain(|_, gone| gone.try_recv() == Err(TryRecvError::Empty));
        self.leaving.insert(self.roster.guest(&record).to_ascii_lowercase(), gone);
        self.roster.dismiss(&record.id);
        self.setting.common.outside.leave(&record.id);
        self.enrolled = true;
        wanted.send_replace(None);
        self.close(imds).await;
    }

    /// Closes a metadata service. Nobody is answered there from then on, though what is in flight goes on.
    async fn close(&mut self, imds: Option<Attached>) {
        while let Some(ended) = self.closing.try_join_next() {
            follow::told(ended);
        }
        if let Some(imds) = imds {
            self.closing.spawn(imds.close().await);
        }
    }

    async fn change(&mut self, id: &ResourceId, stored: Stored) -> anyhow::Result<()> {
        let switched = self.switch(id, stored.vm.power == PowerState::Running).await;
        if let Err(error) = &switched {
            // Before its guest says that it runs.
            guest_report::not_started(&self.setting.common, &stored.vm, &format!("{error:#}")).await;
        }
        let Some(running) = self.running.get_mut(id) else { return Ok(()) };
        let wanted = stored.wanted(&self.setting.common.outside);
        running.vm.update(stored.snapshot);
        running.leans_on = describe(&running.vm, stored.metadata);
        running.wanted.send_if_modified(|before| {
            let changed = before.as_ref() != Some(&wanted);
            *before = Some(wanted);
            changed
        });
        running.record = stored.vm;
        switched
    }

    /// Opens or closes a machine's metadata service.
    async fn switch(&mut self, id: &ResourceId, on: bool) -> anyhow::Result<()> {
        let Some(running) = self.running.get_mut(id) else { return Ok(()) };
        if !on {
            let imds = running.imds.take();
            self.close(imds).await;
        } else if running.imds.is_none() {
            let (vm, attachment) = (Arc::clone(&running.vm), running.attachment.clone());
            let listener = imds::open_now(&self.setting.opener, &attachment).await;
            let stage = self.serve(&vm, listener.context("its metadata service does not open again")?, &attachment);
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
        instance.imds = vms.first().and_then(InstanceVm::metadata_service).map(str::to_owned);
        instance.extension = vms.first().and_then(|vm| vm.extension.clone());
        instance.vms = vms;
        if let Err(error) = file.rewrite(instance) {
            tracing::error!(%error, "the list of VMs could not be written");
        }
    }
}

/// Tells a machine's metadata service what it is told beside its tokens; which resources that was read from.
fn describe(vm: &Vm, metadata: Metadata) -> BTreeSet<String> {
    let Metadata { instance, load_balancer, scheduled_events, leans_on } = metadata;
    vm.describe(Description { instance, load_balancer, scheduled_events });
    leans_on
}
