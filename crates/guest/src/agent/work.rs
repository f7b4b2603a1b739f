//! What is wanted, carried out: packages fetched, commands run in the order of Azure's agent.

mod commands;
mod fetch;
mod upgrade;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use contract::guest_agent::names::compare_versions;
use contract::guest_agent::vm_settings::VmSettings;
use contract::guest_agent::{WantedExtension, WantedState};

use self::commands::Commands;
use super::folder::{HandlerFolder, HandlerState};
use super::host::Host;
use super::keys::Keys;
use super::outcome::{self, Outcome, Outcomes};
use crate::causes::with_causes;
use crate::disk::DiskError;
use crate::time::Time;

/// How often something is asked of the host before it counts as failed, and how long is waited in between.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);

/// Carries out goal states on one machine.
pub struct Work {
    root: PathBuf,
    host: Arc<Host>,
    outcomes: Arc<Outcomes>,
    keys: Keys,
    time: Time,
}

impl Work {
    /// On the machine whose files are below `root`.
    #[must_use]
    pub fn new(root: PathBuf, host: Arc<Host>, outcomes: Arc<Outcomes>, time: Time) -> Self {
        let keys = Keys::new(root.join("var/lib/waagent"));
        Self { root, host, outcomes, keys, time }
    }

    /// Carries out what is wanted of every extension, one after the other. What fails is told as its outcome. `number`
    /// is the agent's own count of what was wanted.
    pub async fn carry_out(&self, number: u64, goal: &VmSettings) {
        let wanted: Vec<_> = goal.extensions().collect();
        self.fetch_keys(&wanted).await;
        for extension in &wanted {
            self.look_after(number, extension).await;
        }
        self.outcomes.retain(|name| wanted.iter().any(|extension| extension.name == name));
        if let Err(error) = self.tidy_keys(&wanted) {
            tracing::error!(error = &error as &dyn std::error::Error, "keys that aren't wanted can't be removed");
        }
    }

    /// Whether the package of an extension couldn't be had, which may be otherwise in a moment.
    #[must_use]
    pub fn lacks_packages(&self, number: u64, goal: &VmSettings) -> bool {
        goal.extensions().any(|extension| self.lacks_package(number, &extension))
    }

    /// Tries again to get those packages, and goes on with their extensions.
    pub async fn try_again(&self, number: u64, goal: &VmSettings) {
        for extension in goal.extensions().filter(|extension| self.lacks_package(number, extension)) {
            self.look_after(number, &extension).await;
        }
    }

    fn lacks_package(&self, number: u64, extension: &WantedExtension) -> bool {
        self.outcomes.get(&extension.name, number).is_some_and(|outcome| outcome.code == outcome::DOWNLOAD)
    }

    async fn look_after(&self, number: u64, extension: &WantedExtension) {
        let (name, version, state) = (&extension.name, &extension.version, extension.state.as_str());
        tracing::info!(name, version, state, sequence = extension.sequence, "an extension is looked after");
        let done = match extension.state {
            WantedState::Enabled => self.enable(number, extension).await.map(|()| Some(Outcome::ready())),
            WantedState::Disabled => self.disable(extension).await.map(|()| Some(Outcome::disabled())),
            WantedState::Uninstall => self.uninstall(extension).await.map(|()| None),
        };
        match done {
            Ok(Some(outcome)) => self.tell(number, extension, outcome),
            Ok(None) => self.outcomes.forget(name),
            Err(outcome) => {
                tracing::warn!(name, version, code = outcome.code, why = outcome.message, "an extension failed");
                self.tell(number, extension, outcome);
            }
        }
    }

    fn tell(&self, number: u64, extension: &WantedExtension, outcome: Outcome) {
        let folder = HandlerFolder::new(&self.root, &extension.name, &extension.version);
        // For people who look there; the host hears it in any case.
        if folder.path().is_dir()
            && let Err(error) = folder.note(outcome.status, outcome.code, &outcome.message)
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "what became of an extension can't be noted");
        }
        self.outcomes.set(&extension.name, number, outcome);
    }

    async fn enable(&self, number: u64, wanted: &WantedExtension) -> Result<(), Outcome> {
        let folder = HandlerFolder::new(&self.root, &wanted.name, &wanted.version);
        let others = HandlerFolder::versions(&self.root, &wanted.name).map_err(refused)?;
        folder.stay(&others).map_err(refused)?;
        let is_new = matches!(folder.state(), HandlerState::NotInstalled | HandlerState::FailedUpgrade);
        if folder.state() == HandlerState::NotInstalled {
            // What failed is told until it has gone well.
            if !self.lacks_package(number, wanted) {
                self.tell(number, wanted, Outcome::installing());
            }
            self.fetch(wanted, &folder).await?;
        }
        let manifest = folder.manifest().map_err(|why| told(outcome::PROCESSING, &why))?;
        folder.put_settings(wanted).map_err(refused)?;
        let commands = self.commands(wanted);
        if is_new {
            match self.begun(&folder).or(self.older(wanted)?) {
                Some(old) => self.upgrade(&commands, &old, &folder, &manifest).await?,
                None => {
                    commands.install(&folder, &manifest, None).await?;
                    folder.set_state(HandlerState::Installed).map_err(refused)?;
                }
            }
        }
        let exchange = folder.exchange();
        if let Some(exchange) = &exchange {
            HandlerFolder::new(&self.root, &wanted.name, &exchange.from).remove().map_err(refused)?;
        }
        commands.enable(&folder, &manifest, exchange.and_then(|exchange| exchange.uninstalled)).await?;
        folder.set_state(HandlerState::Enabled).map_err(refused)?;
        folder.end_exchange().map_err(refused)
    }

    async fn disable(&self, wanted: &WantedExtension) -> Result<(), Outcome> {
        let commands = self.commands(wanted);
        for folder in self.installed(&wanted.name)? {
            if folder.state() == HandlerState::Enabled {
                folder.put_settings(wanted).map_err(refused)?;
                let manifest = folder.manifest().map_err(|why| told(outcome::DISABLE, &why))?;
                commands.disable(&folder, &manifest).await?;
                folder.set_state(HandlerState::Installed).map_err(refused)?;
            }
        }
        Ok(())
    }

    /// A command that fails keeps nothing from being removed.
    async fn uninstall(&self, wanted: &WantedExtension) -> Result<(), Outcome> {
        let commands = self.commands(wanted);
        for folder in HandlerFolder::versions(&self.root, &wanted.name).map_err(refused)? {
            if let (state, Ok(manifest)) = (folder.state(), folder.manifest()) {
                if state == HandlerState::Enabled
                    && let Err(outcome) = commands.disable(&folder, &manifest).await
                {
                    tracing::warn!(why = outcome.message, "an extension that is removed can't be disabled");
                }
                if state != HandlerState::NotInstalled
                    && let Err(outcome) = commands.uninstall(&folder, &manifest).await
                {
                    tracing::warn!(why = outcome.message, "an extension that is removed can't be uninstalled");
                }
            }
            folder.remove().map_err(refused)?;
        }
        Ok(())
    }

    fn commands<'a>(&'a self, wanted: &WantedExtension) -> Commands<'a> {
        Commands::new(self.host.address(), wanted.sequence, &self.time)
    }

    /// The versions of a handler that are installed.
    fn installed(&self, name: &str) -> Result<Vec<HandlerFolder>, Outcome> {
        let mut versions = HandlerFolder::versions(&self.root, name).map_err(refused)?;
        versions.retain(|folder| folder.state() != HandlerState::NotInstalled);
        Ok(versions)
    }

    /// The version that is to give way, the one at work or the newest if there are several.
    fn older(&self, wanted: &WantedExtension) -> Result<Option<HandlerFolder>, Outcome> {
        let others = self.installed(&wanted.name)?.into_iter().filter(|folder| folder.version() != wanted.version);
        let is_enabled = |folder: &HandlerFolder| folder.state() == HandlerState::Enabled;
        Ok(others.max_by(|one, other| {
            is_enabled(one).cmp(&is_enabled(other)).then_with(|| compare_versions(one.version(), other.version()))
        }))
    }

    /// Sees to it that the keys are there by which handlers read their settings. Without one the handler says so.
    async fn fetch_keys(&self, wanted: &[WantedExtension]) {
        if thumbprints(wanted).iter().all(|one| self.keys.has(one)) {
            return;
        }
        for attempt in 1..=TRIES {
            match self.keys.fetch(&self.host, self.time.clock().now()).await {
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        attempt,
                        "the machine's keys can't be had"
                    );
                }
            }
            if attempt < TRIES {
                self.time.pause(PAUSE).await;
            }
        }
    }

    /// Removes keys that no extension needs; all of them with the last one. A handler that is installed and of which
    /// nothing is wanted any more is left alone, and so are the keys that it may need.
    fn tidy_keys(&self, wanted: &[WantedExtension]) -> Result<(), DiskError> {
        let stays = |extension: &WantedExtension| extension.state != WantedState::Uninstall;
        let is_wanted = |name: &String| wanted.iter().any(|extension| stays(extension) && extension.name == *name);
        if !HandlerFolder::installed(&self.root)?.iter().all(is_wanted) {
            return Ok(());
        }
        let gone = !wanted.iter().any(stays);
        if gone { self.keys.remove() } else { self.keys.keep_only(&thumbprints(wanted)) }
    }
}

fn thumbprints(wanted: &[WantedExtension]) -> HashSet<String> {
    let kept = wanted.iter().filter(|extension| extension.state != WantedState::Uninstall);
    kept.filter_map(|extension| Some(extension.protected.as_ref()?.thumbprint.clone())).collect()
}

/// A failure of the disk.
fn refused(error: DiskError) -> Outcome {
    told(outcome::PROCESSING, &error)
}

/// A failure with its causes, in the form of Azure's agent.
fn told(code: i32, error: &dyn std::error::Error) -> Outcome {
    Outcome::failed(code, format!("[ExtensionError] {}", with_causes(error)))
}
