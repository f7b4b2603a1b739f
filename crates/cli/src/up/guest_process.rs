//! What acts for one VM inside this process: it opens, moves and closes the extension's port as the control plane wants
//! it, keeps the credentials on the guest's disk, and reports what came of it. A guest agent in a real VM does the same
//! from its side of the wire.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use broker::http::AuthorityClient;
use broker::throttle::Throttle;
use control::arm::guest::Report;
use domain::{
    AssignedIdentities, HandlerOutcome, PowerState, ProvisioningState, ResourceId, SharedClock, Step, Timestamp,
    VmExtension,
};
use guest::callers::Callers;
use guest::disk::Disk;
use listen::{Ending, Room};
use playbook::Playbooks;
use store::Handle;
use tokio::sync::watch;

use super::endpoints::{Endpoints, Place};
use super::extension::{self, Guest};
use super::guest_report::{self, FAILED, NO_IDENTITY};
use super::machines::{ExtensionPort, bind_extension};
use super::moves::Moves;
use super::outside::Outside;
use super::wanted::Wanted;

/// How often credentials are looked at. Often, because a machine that slept wakes with credentials that ran out
/// meanwhile, and because a renewal that failed is to be tried again soon.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// What all guests of an `up` have in common.
pub(crate) struct Common {
    pub(crate) store: Handle,
    pub(crate) clock: SharedClock,
    pub(crate) authority: AuthorityClient,
    /// What the connections of all listeners share.
    pub(crate) room: Room,
    /// Whether requests are limited as Azure does.
    pub(crate) throttled: bool,
    /// Whether endpoints are opened at all.
    pub(crate) extensions: bool,
    /// Told when an endpoint was opened or closed.
    pub(crate) moves: Moves,
    /// The VMs for whose extensions nothing is done here.
    pub(crate) outside: Arc<Outside>,
    /// The faults that are ordered.
    pub(crate) playbooks: Playbooks,
}

impl Common {
    /// The limits of one VM, or none.
    pub(crate) fn throttle(&self) -> Throttle {
        if self.throttled { Throttle::faithful(self.clock.clone()) } else { Throttle::off() }
    }
}

/// The guest of one VM.
pub(crate) struct GuestProcess {
    pub(super) common: Arc<Common>,
    pub(super) guest: Guest,
    /// The VM's own address, where that isn't localhost.
    own: Option<IpAddr>,
    /// Where the VM's metadata service is, if this process reaches it.
    pub(super) imds: Option<SocketAddr>,
    start: Option<StartPort>,
    pub(super) endpoints: Endpoints,
    callers: Arc<Callers>,
    /// The step of the cutover that is wanted.
    pub(super) step: Step,
    /// Since when; none when nothing is to be cut over.
    pub(super) since: Option<Timestamp>,
    /// The one that was said to be reached.
    pub(super) reached_step: Step,
    /// Why it wasn't, as it was said last.
    pub(super) failed: Option<String>,
    /// Why the extension that was tried last has no endpoint, if it should have one.
    pub(super) unopened: Option<String>,
    /// Whether the metadata service has answered for this VM.
    pub(super) proved: bool,
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
        vm: ResourceId,
        disk: Disk,
        discovery_copy: Option<PathBuf>,
        own: Option<IpAddr>,
        imds: Option<SocketAddr>,
    ) -> Self {
        let guest = Guest { vm, identities: AssignedIdentities::default(), disk, discovery_copy };
        let callers = Arc::new(Callers::new(common.clock.clone()));
        Self {
            common,
            guest,
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

    /// Opens the endpoint as the extension's settings say, unless it is disabled, and says what came of it.
    async fn enable(&mut self, extension: &VmExtension) {
        self.leave(&extension.id).await;
        let (outcome, message) = match self.open(extension).await {
            Ok(Some(place)) => (HandlerOutcome::Success, format!("Tokens are served at {}.", place.url())),
            Ok(None) if extension.disabled => (HandlerOutcome::Success, "Disabled".to_owned()),
            Ok(None) => (
                HandlerOutcome::Success,
                "The endpoint is closed: tokens are to be had from the metadata service.".to_owned(),
            ),
            Err(failed) => failed,
        };
        match outcome {
            HandlerOutcome::Success => self.unopened = None,
            HandlerOutcome::Transitioning | HandlerOutcome::Error(_) | HandlerOutcome::Terminal(_) => {
                self.unopened = Some(message.clone());
                tracing::warn!(vm = %self.guest.vm, message, "the extension could not be enabled");
            }
        }
        // What is done already needs no report: the endpoint was only opened again.
        if extension.state.is_under_way() && !self.common.outside.has(&self.guest.vm) {
            self.common.moves.told().await;
            guest_report::handled(&self.common, extension, outcome, message).await;
        }
    }

    /// Where it is open; nowhere when the extension is disabled or its cutover closed it.
    async fn open(&mut self, extension: &VmExtension) -> Result<Option<Place>, (HandlerOutcome, String)> {
        let failed = |why: String| (HandlerOutcome::Error(FAILED), why);
        // Whatever comes of this, it doesn't stay open with nobody to answer.
        let start = self.start.as_mut().filter(|start| start.extension == extension.id);
        let (number, ready) = start.map(|start| (start.number, start.ready.take())).unzip();
        if extension.disabled || self.step == Step::Closed {
            return Ok(None);
        }
        if !self.common.extensions {
            return Err(failed("extension endpoints are switched off (--no-extension)".to_owned()));
        }
        if self.guest.identities.iter().next().is_none() {
            let why = "no identity is assigned to the virtual machine; assign one and provision the extension again";
            return Err((HandlerOutcome::Terminal(NO_IDENTITY), why.to_owned()));
        }
        let settings = extension.spec.settings.as_deref().unwrap_or_default();
        let wanted = contract::extension::Settings::parse(settings).map_err(|why| failed(why.to_string()))?.port;
        if let Some(place) = self.endpoints.share(&extension.id, wanted) {
            return Ok(Some(place));
        }
        let port = match ready.flatten() {
            Some(port) => port,
            None => {
                let port = number.filter(|_| extension.sequence <= 1).unwrap_or(wanted);
                bind_extension(self.own, port).map_err(|why| failed(chain(&why)))?
            }
        };
        let backend = self.backend().await.map_err(|why| failed(format!("{why:#}")))?;
        let Some(backend) = backend else { return Ok(None) };
        let place = Place { own: port.own, port: port.port };
        let started = extension::start(&self.guest, port, backend, &self.common, self.callers());
        self.endpoints.add(extension.id.clone(), wanted, place, started);
        if let Err(why) = self.tell() {
            self.leave(&extension.id).await;
            return Err(failed(format!("{why:#}")));
        }
        Ok(Some(place))
    }

    /// Renews what is due. A failure is told and tried again.
    async fn renew(&mut self) {
        if self.endpoints.is_empty() || !self.holds_credentials() {
            return;
        }
        let Common { store, clock, .. } = &*self.common;
        if let Err(error) = extension::place_credentials(&self.guest, store, clock).await {
            tracing::error!(error = format!("{error:#}"), "the extension's credentials could not be renewed");
        }
    }

    /// Closes what an extension has alone.
    async fn leave(&mut self, extension: &ResourceId) {
        self.endpoints.leave(extension).await;
        if let Err(error) = self.tell() {
            tracing::error!(error = format!("{error:#}"), "it could not be told where the extension is");
        }
    }

    pub(super) async fn close(&mut self) {
        self.endpoints.close().await;
        self.show();
    }

    /// Takes everything of the extension from the guest's disk.
    fn withdraw(&self) {
        if let Err(error) = self.guest.disk.withdraw() {
            tracing::error!(error = &error as &dyn std::error::Error, "the guest's disk could not be cleared");
        }
    }

    /// Tells callers and commands where the first endpoint is.
    fn tell(&mut self) -> anyhow::Result<()> {
        self.show();
        self.endpoints.tell(&self.guest)
    }

    fn show(&self) {
        let url = self.endpoints.first().map(Place::url);
        let moved = self.shown.send_if_modified(|shown| {
            let moved = *shown != url;
            *shown = url;
            moved
        });
        if moved {
            self.common.moves.make();
        }
    }

    pub(super) async fn say(&self, what: Report) {
        self.common.moves.told().await;
        guest_report::say(&self.common, what).await;
    }
}

/// An error with what lies below it.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(error) = below {
        text.push_str(": ");
        text.push_str(&error.to_string());
        below = error.source();
    }
    text
}
