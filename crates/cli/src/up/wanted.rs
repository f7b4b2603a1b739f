//! What the store wants of one machine.

use domain::{AssignedIdentities, PowerState, ResourceId, VirtualMachine, VmExtension, VmSnapshot};
use store::ReadTx;

use super::machines::display_name;

/// What is wanted of a VM's guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) identities: AssignedIdentities,
    pub(crate) extension: Option<VmExtension>,
    pub(crate) power: PowerState,
    pub(crate) generation: u64,
}

/// A machine as the store has it.
pub(crate) struct Stored {
    pub(crate) vm: VirtualMachine,
    pub(crate) snapshot: VmSnapshot,
    pub(crate) extension: Option<VmExtension>,
}

impl Stored {
    /// Looks a machine up.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) fn load(tx: &dyn ReadTx, id: &ResourceId) -> Result<Option<Self>, store::Error> {
        let (Some(mut vm), Some(snapshot)) = (tx.virtual_machine(id)?, tx.vm_snapshot(id)?) else { return Ok(None) };
        vm.name = display_name(&vm);
        let extension = acted_for(tx.vm_extensions(id)?);
        Ok(Some(Self { vm, snapshot, extension }))
    }

    /// What its guest has to do with it.
    pub(crate) fn wanted(&self) -> Wanted {
        // What the handler said last is no reason to do anything.
        let extension = self.extension.clone().map(|extension| VmExtension { status: None, ..extension });
        Wanted {
            identities: self.snapshot.identities.clone(),
            extension,
            power: self.vm.power,
            generation: self.vm.generation,
        }
    }
}

/// A guest has one endpoint. Where several extensions want it, each that something was asked of has its turn, so that
/// whoever asked is told what came of it; then it is the first one's.
fn acted_for(extensions: Vec<VmExtension>) -> Option<VmExtension> {
    let mut ours: Vec<_> = extensions.into_iter().filter(VmExtension::is_managed_identity).collect();
    let turn = ours.iter().position(|extension| extension.state.is_under_way()).unwrap_or_default();
    (turn < ours.len()).then(|| ours.swap_remove(turn))
}
