//! What the store wants of one machine.

use control::metadata::{self, Metadata};
use domain::{
    AssignedIdentities, Cutover, PowerState, ResourceId, Step, Timestamp, VirtualMachine, VmExtension, VmSnapshot,
};
use store::ReadTx;

use super::machines::display_name;
use super::outside::Outside;

/// What is wanted of a VM's guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) identities: AssignedIdentities,
    /// The managed-identity extensions: there may be one for each operating system.
    pub(crate) extensions: Vec<VmExtension>,
    pub(crate) power: PowerState,
    pub(crate) generation: u64,
    /// The step of the cutover that it is to come to.
    pub(crate) step: Step,
    /// Since when; later when it is to be tried again.
    pub(crate) since: Option<Timestamp>,
    /// The one that it said it has come to.
    pub(crate) reached: Step,
}

/// A machine as the store has it.
pub(crate) struct Stored {
    pub(crate) vm: VirtualMachine,
    pub(crate) snapshot: VmSnapshot,
    pub(crate) metadata: Metadata,
    pub(crate) extensions: Vec<VmExtension>,
    pub(crate) cutover: Option<Cutover>,
}

impl Stored {
    /// Looks a machine up.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) fn load(tx: &dyn ReadTx, id: &ResourceId) -> Result<Option<Self>, store::Error> {
        let (Some(mut vm), Some(snapshot)) = (tx.virtual_machine(id)?, tx.vm_snapshot(id)?) else { return Ok(None) };
        let metadata = metadata::describe(tx, &vm)?;
        vm.name = display_name(&vm);
        let mut extensions = tx.vm_extensions(id)?;
        extensions.retain(VmExtension::is_managed_identity);
        let cutover = tx.cutover(id)?;
        Ok(Some(Self { vm, snapshot, metadata, extensions, cutover }))
    }

    /// The step of the cutover that its guest is to come to.
    pub(crate) fn step(&self) -> Step {
        self.cutover.as_ref().map_or(Step::Serving, |cutover| cutover.wanted)
    }

    /// What its guest in this process has to do with it.
    pub(crate) fn wanted(&self, outside: &Outside) -> Wanted {
        // Those of a machine that has an agent of its own are that agent's. What the handler said last is no reason to do
        // anything.
        let extensions = self.extensions.iter().filter(|_| !outside.has(&self.vm.id)).cloned();
        let extensions = extensions.map(|extension| VmExtension { status: None, ..extension }).collect();
        Wanted {
            identities: self.snapshot.identities.clone(),
            extensions,
            power: self.vm.power,
            generation: self.vm.generation,
            step: self.step(),
            since: self.cutover.as_ref().map(|cutover| cutover.since),
            reached: self.cutover.as_ref().map_or(Step::Serving, |cutover| cutover.reached),
        }
    }
}
