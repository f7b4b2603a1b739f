//! `POST …/virtualMachines/{vm}/start`, `restart`, `powerOff`, `deallocate`.

use domain::{PowerState, ResourceId, VirtualMachine, Wait};
use store::Tx;

use super::authorization::Authorized;
use super::failure::Failure;
use super::reply::Reply;
use super::route::PowerAction;
use super::work::Work;
use super::{operation, virtual_machine};

pub(crate) fn change(
    tx: &mut dyn Tx,
    work: &Work,
    authorized: &Authorized,
    action: PowerAction,
    id: &ResourceId,
) -> Result<Reply, Failure> {
    let before = virtual_machine::find(tx, id)?;
    let power = match action {
        PowerAction::Start | PowerAction::Restart => PowerState::Running,
        PowerAction::PowerOff => PowerState::Stopped,
        PowerAction::Deallocate => PowerState::Deallocated,
    };
    let wanted = VirtualMachine { power, generation: before.generation + 1, ..before };
    tx.put_virtual_machine(&wanted)?;
    let wait = Wait { on: wanted.id.clone(), number: wanted.generation };
    let name = format!("Microsoft.Compute/virtualMachines/{}/action", action.word());
    let mut reply = operation::accepted(tx, work, authorized, &name, &wanted.id, &wanted.location, &[wait])?;
    match action {
        // These clients go on to `Location`, also after success.
        PowerAction::PowerOff | PowerAction::Deallocate => {}
        // These need a result to read at the end, which `Location` wouldn't give.
        PowerAction::Start | PowerAction::Restart => reply.follow.result = None,
    }
    Ok(reply)
}
