//! `install`: the handler was unpacked and is about to be enabled for the first time.

use super::Machine;
use crate::handler::failure::Failure;
use crate::handler::status::StatusFile;

/// There is nothing to make ready but the folder of the state, which stands by now. A machine on which it can't be made
/// is told so here and not when tokens are wanted.
pub(super) fn install(machine: &Machine, status: &StatusFile) -> Result<(), Failure> {
    tracing::info!(folder = %machine.place.folder.display(), "installed");
    status.transitioning("Installed, and not enabled yet")?;
    Ok(())
}
