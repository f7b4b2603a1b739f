//! One version of a handler in the place of another, in the order of Azure's agent: the old one's `disable`, `update`, the
//! old one's `uninstall`, the new one's `install`.

use contract::guest_agent::handler::HandlerManifest;
use contract::guest_agent::names::compare_versions;

use super::commands::{self, Commands};
use super::{Work, refused, told};
use crate::agent::exchange::{Exchange, Step};
use crate::agent::folder::{HandlerFolder, HandlerState};
use crate::agent::outcome::{self, Outcome};

impl Work {
    /// The version that is giving way to this one already.
    pub(super) fn begun(&self, new: &HandlerFolder) -> Option<HandlerFolder> {
        let exchange = new.exchange()?;
        let old = HandlerFolder::new(&self.root, new.name(), &exchange.from);
        // Whoever took it away meanwhile took its commands too.
        (exchange.step >= Step::Uninstalled || old.state() != HandlerState::NotInstalled).then_some(old)
    }

    /// Begins an exchange, or goes on with one. Its note stays until the new version is enabled.
    pub(super) async fn upgrade(
        &self,
        commands: &Commands<'_>,
        old: &HandlerFolder,
        new: &HandlerFolder,
        manifest: &HandlerManifest,
    ) -> Result<(), Outcome> {
        let known = new.exchange().filter(|exchange| exchange.from == old.version());
        let mut exchange = known.unwrap_or_else(|| Exchange::of(old));
        new.note_exchange(&exchange).map_err(refused)?;
        // It is unpacked, and what `update` brings into it must not be lost.
        new.set_state(HandlerState::FailedUpgrade).map_err(refused)?;
        if exchange.step < Step::Uninstalled {
            give_way(commands, old, new, manifest, &mut exchange).await?;
        }
        if old.path().is_dir() {
            old.set_state(HandlerState::NotInstalled).map_err(refused)?;
        }
        if manifest.update_mode != "UpdateWithoutInstall" {
            commands.install(new, manifest, exchange.uninstalled).await?;
        }
        new.set_state(HandlerState::Installed).map_err(refused)
    }
}

/// The steps of which the old version is part.
async fn give_way(
    commands: &Commands<'_>,
    old: &HandlerFolder,
    new: &HandlerFolder,
    manifest: &HandlerManifest,
    exchange: &mut Exchange,
) -> Result<(), Outcome> {
    let olds = old.manifest().map_err(|why| told(outcome::UPDATE, &why))?;
    let go_on = manifest.continue_on_update_failure;
    let note = |exchange: &mut Exchange, step| {
        exchange.step = step;
        new.note_exchange(exchange).map_err(refused)
    };
    if exchange.step < Step::Disabled {
        if old.state() == HandlerState::Enabled {
            exchange.disabled = commands.old(old, &olds.disable_command, commands::LONG, go_on).await?;
        }
        note(exchange, Step::Disabled)?;
        old.set_state(HandlerState::Installed).map_err(refused)?;
    }
    if exchange.step < Step::Updated {
        new.copy_statuses(old).map_err(refused)?;
        // It is the newer one that knows how.
        let newer = compare_versions(new.version(), old.version()).is_gt();
        let (updating, by) = if newer { (new, manifest) } else { (old, &olds) };
        let from = if newer { old } else { new };
        let updated = commands.update(updating, by, from.version(), new.version(), exchange.disabled).await;
        if let Err(outcome) = updated
            && !go_on
        {
            return Err(outcome);
        }
        note(exchange, Step::Updated)?;
    }
    exchange.uninstalled = commands.old(old, &olds.uninstall_command, commands::SHORT, go_on).await?;
    note(exchange, Step::Uninstalled)
}
