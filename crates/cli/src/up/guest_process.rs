//! What acts for one VM inside this process: it opens, moves and closes the extension's port as the control plane wants
//! it, keeps the credentials on the guest's disk, and reports what came of it. A guest agent in a real VM does the same
//! from its side of the wire.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use broker::http::AuthorityClient;
use broker::throttle::Throttle;
use control::arm::guest::Report;
use domain::{AssignedIdentities, HandlerOutcome, PowerState, ProvisioningState, ResourceId, SharedClock, VmExtension};
use guest::discovery_file::DiscoveryFile;
use guest::disk::Disk;
use listen::{Ending, Room};
use store::Handle;
use tokio::sync::watch;

use super::extension::{self, Guest};
use super::guest_report::{self, FAILED, NO_IDENTITY};
use super::machines::{ExtensionPort, bind_extension};
use super::moves::Moves;
use super::stage::Stage;
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
}

impl Common {
    /// The limits of one VM, or none.
    pub(crate) fn throttle(&self) -> Throttle {
        if self.throttled { Throttle::faithful(self.clock.clone()) } else { Throttle::off() }
    }
}

/// The guest of one VM.
pub(crate) struct GuestProcess {
    common: Arc<Common>,
    vm: ResourceId,
    disk: Disk,
    discovery_copy: Option<PathBuf>,
    /// The VM's own address, where that isn't localhost.
    own: Option<IpAddr>,
    /// A port that was opened before anything was changed, for the first time; and the option that overrides the
    /// settings of that time.
    ready: Option<ExtensionPort>,
    override_port: Option<u16>,
    open: Option<Open>,
    /// The extension that was tried last and its number, whatever came of it.
    tried: Option<(ResourceId, u64)>,
    /// The change of power that was reached last.
    reached: Option<u64>,
    /// Where the endpoint is, for those who ask.
    shown: watch::Sender<Option<String>>,
}

/// An open endpoint.
struct Open {
    stage: Stage,
    files: Vec<DiscoveryFile>,
    guest: Guest,
}

impl GuestProcess {
    pub(crate) fn new(
        common: Arc<Common>,
        vm: ResourceId,
        disk: Disk,
        discovery_copy: Option<PathBuf>,
        own: Option<IpAddr>,
    ) -> Self {
        let shown = watch::Sender::new(None);
        Self {
            common,
            vm,
            disk,
            discovery_copy,
            own,
            ready: None,
            override_port: None,
            open: None,
            tried: None,
            reached: None,
            shown,
        }
    }

    /// With a port that is open already, which is where the endpoint is until it is wanted otherwise.
    pub(crate) fn with_port(mut self, port: Option<ExtensionPort>) -> Self {
        self.override_port = port.as_ref().map(|port| port.port);
        self.ready = port;
        self
    }

    /// Where the endpoint is, now and later.
    pub(crate) fn shown(&self) -> watch::Receiver<Option<String>> {
        self.shown.subscribe()
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
                    _ = ticks.tick() => self.renew().await,
                }
            }
        }
    }

    /// Does what is wanted now.
    pub(crate) async fn become_as(&mut self, wanted: Wanted) {
        let Wanted { identities, extension, power, generation } = wanted;
        let restarted = self.reached.is_some_and(|reached| reached != generation);
        if power != PowerState::Running || restarted {
            self.close().await;
            self.tried = None;
        }
        if power != PowerState::Running {
            // Nobody would answer there.
            self.ready = None;
        }
        if power == PowerState::Running {
            match extension {
                None => {
                    self.forget_port();
                    if self.open.is_some() || self.tried.take().is_some() {
                        self.close().await;
                        self.withdraw();
                    }
                }
                Some(extension) if extension.state == ProvisioningState::Deleting => {
                    self.forget_port();
                    self.close().await;
                    self.withdraw();
                    self.tried = None;
                    self.say(Report::Gone { extension: extension.id }).await;
                }
                Some(extension) => {
                    let wanted = (extension.id.clone(), extension.sequence);
                    if self.tried.as_ref() == Some(&wanted) {
                        self.identify(identities).await;
                    } else {
                        self.tried = Some(wanted);
                        self.enable(identities, &extension).await;
                    }
                }
            }
        }
        if self.reached.replace(generation) != Some(generation) {
            self.say(Report::Power { vm: self.vm.clone(), generation }).await;
        }
    }

    /// Opens the endpoint as the extension's settings say, and says what came of it.
    async fn enable(&mut self, identities: AssignedIdentities, extension: &VmExtension) {
        self.close().await;
        let (outcome, message) = match self.open(identities, extension).await {
            Ok(message) => (HandlerOutcome::Success, message),
            Err(failed) => failed,
        };
        match outcome {
            HandlerOutcome::Success => {}
            HandlerOutcome::Transitioning | HandlerOutcome::Error(_) | HandlerOutcome::Terminal(_) => {
                tracing::warn!(vm = %self.vm, message, "the extension could not be enabled");
            }
        }
        // What is done already needs no report: the endpoint was only opened again.
        if extension.state.is_under_way() {
            self.common.moves.told().await;
            guest_report::handled(&self.common, extension, outcome, message).await;
        }
    }

    async fn open(
        &mut self,
        identities: AssignedIdentities,
        extension: &VmExtension,
    ) -> Result<String, (HandlerOutcome, String)> {
        let failed = |why: String| (HandlerOutcome::Error(FAILED), why);
        // Whatever comes of this, it doesn't stay open with nobody to answer.
        let ready = self.ready.take();
        if !self.common.extensions {
            return Err(failed("extension endpoints are switched off (--no-extension)".to_owned()));
        }
        if identities.iter().next().is_none() {
            let why = "no identity is assigned to the virtual machine; assign one and provision the extension again";
            return Err((HandlerOutcome::Terminal(NO_IDENTITY), why.to_owned()));
        }
        let port = match ready {
            Some(port) => port,
            None => {
                let settings = extension.spec.settings.as_deref().unwrap_or_default();
                let settings = contract::extension::Settings::parse(settings).map_err(|why| failed(why.to_string()))?;
                let first = extension.sequence <= 1;
                let port = self.override_port.filter(|_| first).unwrap_or(settings.port);
                bind_extension(self.own, port).map_err(|why| failed(chain(&why)))?
            }
        };
        let guest = Guest {
            vm: self.vm.clone(),
            identities,
            disk: self.disk.clone(),
            discovery_copy: self.discovery_copy.clone(),
        };
        let Common { store, clock, authority, room, .. } = &*self.common;
        extension::place_credentials(&guest, store, clock).await.map_err(|why| failed(format!("{why:#}")))?;
        let mut stage = Stage::default();
        let (number, address) = (port.port, port.own);
        let throttle = self.common.throttle();
        let started = extension::start(&guest, port, authority.clone(), throttle, room, clock, &mut stage);
        let files = started.await.map_err(|why| failed(format!("{why:#}")))?;
        let url = match address {
            None => format!("http://localhost:{number}/oauth2/token"),
            Some(own) => format!("http://{}/oauth2/token", SocketAddr::new(own, number)),
        };
        self.open = Some(Open { stage, files, guest });
        self.show(Some(url.clone()));
        Ok(format!("Tokens are served at {url}."))
    }

    /// Brings the credentials on the disk to the identities that are assigned; the endpoint reads them by itself.
    async fn identify(&mut self, identities: AssignedIdentities) {
        let changed = self.open.as_mut().is_some_and(|open| {
            let changed = open.guest.identities != identities;
            open.guest.identities = identities;
            changed
        });
        if changed {
            self.renew().await;
        }
    }

    /// Renews what is due. A failure is told and tried again.
    async fn renew(&mut self) {
        let Some(open) = &self.open else { return };
        let Common { store, clock, .. } = &*self.common;
        if let Err(error) = extension::place_credentials(&open.guest, store, clock).await {
            tracing::error!(error = format!("{error:#}"), "the extension's credentials could not be renewed");
        }
    }

    /// Forgets the start's port: it was that of an extension that is gone.
    fn forget_port(&mut self) {
        (self.ready, self.override_port) = (None, None);
    }

    async fn close(&mut self) {
        let Some(Open { stage, files, .. }) = self.open.take() else { return };
        drop(files);
        if let Err(error) = stage.end().await {
            tracing::error!(%error, "the extension's endpoint ended badly");
        }
        self.show(None);
    }

    /// Takes everything of the extension from the guest's disk.
    fn withdraw(&self) {
        if let Err(error) = self.disk.withdraw() {
            tracing::error!(error = &error as &dyn std::error::Error, "the guest's disk could not be cleared");
        }
    }

    fn show(&self, url: Option<String>) {
        self.shown.send_replace(url);
        self.common.moves.make();
    }

    async fn say(&self, what: Report) {
        self.common.moves.told().await;
        guest_report::say(&self.common, what).await;
    }
}

/// An error with what lies below it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(error) = below {
        text.push_str(": ");
        text.push_str(&error.to_string());
        below = error.source();
    }
    text
}
