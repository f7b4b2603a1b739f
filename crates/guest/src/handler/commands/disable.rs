//! `disable`: no tokens until the extension is enabled again. The credentials stay.

use super::{Machine, withdraw_address};
use crate::disk::Disk;
use crate::handler::failure::Failure;
use crate::handler::heartbeat::Heartbeat;
use crate::handler::launch;
use crate::handler::state::State;
use crate::handler::status::StatusFile;

pub(super) async fn disable(machine: &Machine, state: &State, status: &StatusFile) -> Result<(), Failure> {
    launch::stop(state, &machine.time).await?;
    // A process that was ended the hard way has left them.
    withdraw_address(&Disk::new(&machine.place.root))?;
    Heartbeat::new(machine.place.heartbeat.clone()).not_ready("The extension is disabled");
    status.success("Disabled", &[])?;
    Ok(())
}
