//! `update`: this version takes over from an older one, which its own `disable` has stopped and its own `uninstall` is
//! about to remove.

use super::Machine;
use crate::handler::failure::Failure;
use crate::handler::sequence;
use crate::handler::status::StatusFile;

/// Carries over which settings were applied last: the folder of the older version goes.
pub(super) fn update(machine: &Machine, status: &StatusFile) -> Result<(), Failure> {
    let from = machine.updating_from.as_deref().and_then(|version| machine.place.of_version(version));
    if let Some(applied) = from.as_deref().and_then(sequence::applied) {
        sequence::set_applied(&machine.place.folder, applied)?;
    }
    tracing::info!(from = machine.updating_from, "updated");
    status.transitioning("Updated, and not enabled yet")?;
    Ok(())
}
