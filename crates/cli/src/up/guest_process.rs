//! What acts for one VM inside this process: it opens, moves and closes the extension's port as the control plane wants
//! it, keeps the credentials on the guest's disk, and reports what came of it. A guest agent in a real VM does the same
//! from its side of the wire.

mod common;
mod cutover;
mod endpoint;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use control::arm::guest::Report;
use domain::{
    AssignedIdentities, PowerState, ProvisioningState, ResourceId, Step, Timestamp, VirtualMachine, VmExtension, VmId,
};
use guest::callers::Callers;
use guest::disk::Disk;
use listen::Ending;
use tokio::sync::watch;

pub(crate) use self::common::Common;
use super::endpoints::Endpoints;
use super::extension::Guest;
use super::guest_report;
use super::machines::ExtensionPort;
use super::wanted::Wanted;

/// How often credentials are looked at. Often, because a machine that slept wakes with credentials that ran out
/// meanwhile, and because a renewal that failed is to be tried again soon.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// The guest of one VM.
pub(crate) struct GuestProcess {
    common: Arc<Common>,
    guest: Guest,
    /// The VM's unique id: a VM made anew under the same name has another guest.
    vm_id: VmId,
    /// The VM's own address, where that isn't localhost.
    own: Option<IpAddr>,
    /// Where the VM's metadata service is, if this process reaches it.
    imds: Option<SocketAddr>,
    start: Option<StartPort>,
    endpoints: Endpoints,
    callers: Arc<Callers>,
    /// The step of the cutover that is wanted.
    step: Step,
    /// Since when; none when nothing is to be cut over.
    since: Option<Timestamp>,
    /// The one that was said to be reached.
    reached_step: Step,
    /// Why it wasn't, as it was said last.
    failed: Option<String>,
    /// Why the extension that was tried last has no endpoint, if it should have one.
    unopened: Option<String>,
    /// Whether the metadata service has answered for this VM.
    proved: bool,
    /// The extensions that were tried, each with its number, whatever came of it.
    tried: HashMap<ResourceId, u64>,
    /// The change of power that was reached last.
    reached: Option<u64>,
    /// Where the endpoint is, for those who ask.
    shown: watch::Sender<Option<String>>,
}

/// The port that the start has for an extension as it was then: the one of its settings, or the option's.
struct StartPort {
    extension: ResourceId,
    number: u16,
    /// It was opened before anything was changed, for the first time.
    ready: Option<ExtensionPort>,
}

impl GuestProcess {
    pub(crate) fn new(
        common: Arc<Common>,
        vm: &VirtualMachine,
        disk: Disk,
        discovery_copy: Option<PathBuf>,
        own: Option<IpAddr>,
        imds: Option<SocketAddr>,
    ) -> Self {
        let guest = Guest { vm: vm.id.clone(), identities: AssignedIdentities::default(), disk, discovery_copy };
        let callers = Arc::new(Callers::new(common.clock.clone()));
        Self {
            common,
            guest,
            vm_id: vm.vm_id,
            own,
            imds,
            start: None,
            endpoints: Endpoints::default(),
            callers,
            step: Step::Serving,
            since: None,
            reached_step: Step::Serving,
            failed: None,
            unopened: None,
            proved: false,
            tried: HashMap::new(),
            reached: None,
            shown: watch::Sender::new(None),
        }
    }

    /// With a port that is open already, which is where the extension's endpoint is until it is wanted otherwise.
    pub(crate) fn with_port(mut self, extension: ResourceId, port: ExtensionPort) -> Self {
        self.start = Some(StartPort { extension, number: port.port, ready: Some(port) });
        self
    }

    /// Where the endpoint is, now and later.
    pub(crate) fn shown(&self) -> watch::Receiver<Option<String>> {
        self.shown.subscribe()
    }

    /// Who asks at its endpoints.
    pub(crate) fn callers(&self) -> Arc<Callers> {
        Arc::clone(&self.callers)
    }

    /// Does what is wanted until the VM is gone or the end is asked for.
    pub(crate) async fn run(mut self, mut wanted: watch::Receiver<Option<Wanted>>, mut ending: Ending) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        loop {
            let now = wanted.borrow_and_update().clone();
            match now {
                Some(now) => self.become_as(now).await,
                None => {
                    self.close().await;
                    self.withdraw();
                    return;
                }
            }
            loop {
                tokio::select! {
                    biased;
                    () = ending.asked() => {
                        self.close().await;
                        return;
                    }
                    changed = wanted.changed() => {
                        if changed.is_err() {
                            self.close().await;
                            return;
                        }
                        break;
                    }
                    _ = ticks.tick() => {
                        if self.since.is_some() && self.endpoints.is_empty() && self.unopened.take().is_some() {
                            // It can't be cut over before it is open.
                            self.tried.clear();
                            break;
                        }
                        self.renew().await;
                        if !self.tried.is_empty() {
                            self.cut_over().await;
                        }
                    }
                }
            }
        }
    }

    /// Does what is wanted now.
    pub(crate) async fn become_as(&mut self, wanted: Wanted) {
        let Wanted { identities, extensions, power, generation, step, since, reached } = wanted;
        let restarted = self.reached.is_some_and(|reached| reached != generation);
        if power != PowerState::Running || restarted {
            self.close().await;
            self.tried.clear();
        }
        if self.step == Step::Closed && step != Step::Closed {
            // Their endpoints open again.
            self.tried.clear();
        }
        if (self.step, self.since) != (step, since) {
            self.failed = None;
        }
        (self.step, self.since, self.reached_step) = (step, since, reached);
        self.proved |= reached >= Step::Forwarding;
        let others = !self.endpoints.is_empty() && self.guest.identities != identities;
        self.guest.identities = identities;
        if power == PowerState::Running {
            self.install(&extensions).await;
            if others {
                // The endpoints read the disk by themselves.
                self.renew().await;
            }
            if !self.tried.is_empty() {
                self.cut_over().await;
            }
        } else if let Some(start) = &mut self.start {
            // Nobody would answer there.
            start.ready = None;
        }
        if self.reached.replace(generation) != Some(generation) {
            self.say(Report::Power { vm: self.guest.vm.clone(), generation }).await;
        }
    }

    /// Comes to have these extensions and no others.
    async fn install(&mut self, extensions: &[VmExtension]) {
        let (going, staying): (Vec<_>, Vec<_>) =
            extensions.iter().partition(|extension| extension.state == ProvisioningState::Deleting);
        let stays = |id: &ResourceId| staying.iter().any(|extension| extension.id == *id);
        let gone: Vec<ResourceId> = self.tried.keys().filter(|id| !stays(id)).cloned().collect();
        for id in &gone {
            self.tried.remove(id);
            self.leave(id).await;
        }
        if self.start.as_ref().is_some_and(|start| !stays(&start.extension)) {
            // It was that of an extension that is gone.
            self.start = None;
        }
        if staying.is_empty() && !(gone.is_empty() && going.is_empty()) {
            self.withdraw();
        }
        for extension in going {
            self.say(Report::Gone { extension: extension.id.clone() }).await;
        }
        for extension in staying {
            let number = self.tried.insert(extension.id.clone(), extension.sequence);
            if number != Some(extension.sequence) {
                self.enable(extension).await;
            }
        }
    }

    pub(super) async fn say(&self, what: Report) {
        self.common.moves.told().await;
        guest_report::say(&self.common, self.vm_id, what).await;
    }
}
