//! The endpoint of a guest in this process: opened as its extension's settings say, moved, closed, told of.

use domain::{HandlerOutcome, ResourceId, Step, VmExtension};
use guest::causes::with_causes;

use super::super::endpoints::Place;
use super::super::extension;
use super::super::guest_report::{self, FAILED, NO_IDENTITY};
use super::super::machines::bind_extension;
use super::{Common, GuestProcess};

impl GuestProcess {
    /// Opens the endpoint as the extension's settings say, unless it is disabled, and says what came of it.
    pub(super) async fn enable(&mut self, extension: &VmExtension) {
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
            guest_report::handled(&self.common, self.vm_id, extension, outcome, message).await;
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
                bind_extension(self.own, port).map_err(|why| failed(with_causes(&why)))?
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
    pub(super) async fn renew(&mut self) {
        if self.endpoints.is_empty() || !self.holds_credentials() {
            return;
        }
        let Common { store, key_maker, clock, .. } = &*self.common;
        if let Err(error) = extension::place_credentials(&self.guest, store, key_maker, clock).await {
            tracing::error!(error = format!("{error:#}"), "the extension's credentials could not be renewed");
        }
    }

    /// Closes what an extension has alone.
    pub(super) async fn leave(&mut self, extension: &ResourceId) {
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
    pub(super) fn withdraw(&self) {
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
}
