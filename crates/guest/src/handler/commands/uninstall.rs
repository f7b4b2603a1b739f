//! `uninstall`: nothing of the extension stays on the machine but its logs: no key, no address, no state.

use super::{Machine, withdraw_address};
use crate::disk::Disk;
use crate::handler::failure::Failure;
use crate::handler::launch;
use crate::handler::state::State;

pub(super) async fn uninstall(machine: &Machine, state: &State) -> Result<(), Failure> {
    launch::stop(state, &machine.time).await?;
    let disk = Disk::new(&machine.place.root);
    withdraw_address(&disk)?;
    disk.withdraw()?;
    state.remove()?;
    Ok(())
}
