//! Virtual machines with their assigned identities.

use domain::{ResourceId, Scope, VirtualMachine, VmId, VmSnapshot};

use crate::{Error, Page, Put};

/// Looks up virtual machines.
pub trait VirtualMachineReader {
    /// By resource id.
    ///
    /// # Errors
    /// When the store fails.
    fn virtual_machine(&self, id: &ResourceId) -> Result<Option<VirtualMachine>, Error>;

    /// Whether a machine has or had this `vmId`.
    ///
    /// # Errors
    /// When the store fails.
    fn is_vm_id_taken(&self, id: VmId) -> Result<bool, Error>;

    /// Those within a scope, by id; the machines of scale sets are not among them.
    ///
    /// # Errors
    /// When the store fails.
    fn virtual_machines(&self, within: &Scope, page: &Page) -> Result<Vec<VirtualMachine>, Error>;

    /// The machines of a scale set, by number.
    ///
    /// # Errors
    /// When the store fails.
    fn virtual_machines_of_scale_set(&self, scale_set: &ResourceId) -> Result<Vec<VirtualMachine>, Error>;

    /// The ids of the machines that a user-assigned identity is assigned to, by id.
    ///
    /// # Errors
    /// When the store fails.
    fn virtual_machines_with(&self, identity: &ResourceId) -> Result<Vec<ResourceId>, Error>;

    /// What a metadata service needs to know about one machine.
    ///
    /// # Errors
    /// When the store fails.
    fn vm_snapshot(&self, id: &ResourceId) -> Result<Option<VmSnapshot>, Error>;

    /// The same for every machine, by id, in a fixed number of queries; machines share the identities they share.
    ///
    /// # Errors
    /// When the store fails.
    fn vm_snapshots(&self) -> Result<Vec<VmSnapshot>, Error>;
}

/// Changes virtual machines.
pub trait VirtualMachineWriter {
    /// Stores a machine under its resource id, with its system-assigned identity's service principal and its assigned
    /// identities. A system-assigned identity that is no longer given, or has another principal id, is tombstoned.
    /// Limits on the number of identities are the caller's to check ([`domain::limits`]).
    ///
    /// # Errors
    /// [`Error::Taken`] when its `vmId`, attachment, or a principal or client id is (or for ids: was) another's;
    /// [`Error::Missing`] when its resource group, tenant or an identity is not there; [`Error::Contradiction`] when it
    /// exists with another `vmId` or tenant.
    fn put_virtual_machine(&mut self, vm: &VirtualMachine) -> Result<Put, Error>;

    /// Removes a machine with its extensions and whatever lies below it, and every role over those; its system-assigned identity's service principal is tombstoned with its
    /// roles, and every certificate on its disk is revoked. Says whether it was there.
    ///
    /// # Errors
    /// When the store fails.
    fn remove_virtual_machine(&mut self, id: &ResourceId) -> Result<bool, Error>;
}
