//! The cutover of one VM inside this process: from credentials on the guest's disk to its metadata service.

use anyhow::Context;
use control::arm::guest::Report;
use domain::Step;
use domain::cutover::{self, Action, Port, next_action};
use guest::causes::with_causes;
use guest::time::Time;
use guest::{Backend, Forwarding};

use super::super::extension;
use super::{Common, GuestProcess};

impl GuestProcess {
    /// What an endpoint that opens is to answer from; none when none is to open.
    ///
    /// # Errors
    /// When there are to be credentials on the disk and there are none.
    pub(super) async fn backend(&self) -> anyhow::Result<Option<Backend>> {
        let closed = cutover::Guest { port: Port::Closed, ..self.state(false)? };
        match next_action(self.step, closed) {
            Some(Action::Place) => {
                self.place().await?;
                self.serving().await.map(Some)
            }
            Some(Action::Serve) => self.serving().await.map(Some),
            Some(Action::ProveAndForward | Action::Forward) => self.forwarding().map(Backend::Forwarding).map(Some),
            Some(Action::Wipe | Action::Close) | None => Ok(None),
        }
    }

    /// Comes to the step that is wanted, and says so, or why not.
    pub(super) async fn cut_over(&mut self) {
        let failed = match self.advance().await {
            Ok(true) => None,
            Ok(false) => return,
            Err(why) => {
                let why = format!("{why:#}");
                tracing::warn!(vm = %self.guest.vm, step = self.step.as_str(), why, "the cutover does not go on");
                Some(why)
            }
        };
        let reached = if failed.is_none() { self.step } else { self.reached_step };
        if failed.is_none() && self.reached_step == reached && self.failed.is_none() {
            return;
        }
        if failed == self.failed && failed.is_some() {
            return;
        }
        self.reached_step = reached;
        self.failed.clone_from(&failed);
        self.say(Report::Cutover { vm: self.guest.vm.clone(), wanted: self.step, reached, failed }).await;
    }

    /// Does what leads to the step; whether it is reached. Where no endpoint could be opened, it isn't.
    async fn advance(&mut self) -> anyhow::Result<bool> {
        // What is on the disk may have been revoked, or have run out, since it was looked at last.
        let (mut good, mut before) = (false, None);
        while let Some(action) = next_action(self.step, self.state(good)?) {
            anyhow::ensure!(before.replace(action) != Some(action), "{action:?} was done and has changed nothing");
            match action {
                Action::Place | Action::Serve | Action::Forward if self.endpoints.is_empty() => {
                    // Where nothing was ever cut over, the extension itself says so.
                    let why = self.unopened.as_ref().filter(|_| self.since.is_some());
                    return why
                        .map_or(Ok(false), |why| Err(anyhow::anyhow!("its endpoint could not be opened: {why}")));
                }
                Action::Place => {
                    self.place().await?;
                    good = true;
                }
                Action::Serve => {
                    let backend = self.serving().await?;
                    self.switch(&backend);
                }
                Action::ProveAndForward => {
                    let identities: Vec<_> = self.guest.identities.iter().map(|identity| identity.client_id).collect();
                    let forwarding = self.forwarding()?;
                    let proved = forwarding.prove(identities, &Time::system()).await;
                    proved.map_err(|why| anyhow::anyhow!(with_causes(&why)))?;
                    self.proved = true;
                    self.switch(&Backend::Forwarding(forwarding));
                }
                Action::Forward => {
                    let forwarding = self.forwarding()?;
                    self.switch(&Backend::Forwarding(forwarding));
                }
                Action::Wipe => {
                    let disk = self.guest.disk.clone();
                    tokio::task::spawn_blocking(move || disk.wipe()).await??;
                    tracing::info!(vm = %self.guest.vm, "the credentials are gone from the disk");
                }
                Action::Close => self.close().await,
            }
        }
        Ok(true)
    }

    /// As it is now; `good` is whether the credentials have just been seen to.
    fn state(&self, good: bool) -> anyhow::Result<cutover::Guest> {
        let (port, credentials, proved) = (self.endpoints.port(), self.guest.disk.has_credentials()?, self.proved);
        Ok(cutover::Guest { port, credentials, good, proved })
    }

    async fn place(&self) -> anyhow::Result<()> {
        let Common { store, key_maker, clock, .. } = &*self.common;
        extension::place_credentials(&self.guest, store, key_maker, clock).await
    }

    async fn serving(&self) -> anyhow::Result<Backend> {
        extension::serving(&self.guest, self.common.authority.clone(), &self.common.clock).await
    }

    fn forwarding(&self) -> anyhow::Result<Forwarding> {
        let imds = self.imds.context("its metadata service can't be reached from where its extension runs")?;
        Ok(Forwarding::to(imds))
    }

    fn switch(&self, backend: &Backend) {
        let forwards = matches!(backend, Backend::Forwarding(_));
        self.endpoints.answer_from(backend);
        tracing::info!(vm = %self.guest.vm, forwards, "the extension's endpoint answers from elsewhere");
    }

    /// Whether it is to hold credentials.
    pub(super) fn holds_credentials(&self) -> bool {
        self.step == Step::Serving || self.endpoints.port() == Port::Serving
    }
}
