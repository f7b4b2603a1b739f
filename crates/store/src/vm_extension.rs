//! VM extensions.

use domain::{ResourceId, VmExtension};

use crate::{Error, Put};

/// Looks up VM extensions.
pub trait VmExtensionReader {
    /// By resource id.
    ///
    /// # Errors
    /// When the store fails.
    fn vm_extension(&self, id: &ResourceId) -> Result<Option<VmExtension>, Error>;

    /// All of a machine, by id.
    ///
    /// # Errors
    /// When the store fails.
    fn vm_extensions(&self, vm: &ResourceId) -> Result<Vec<VmExtension>, Error>;

    /// All of the machines of a scale set, by id.
    ///
    /// # Errors
    /// When the store fails.
    fn vm_extensions_of_scale_set(&self, scale_set: &ResourceId) -> Result<Vec<VmExtension>, Error>;
}

/// Changes VM extensions.
pub trait VmExtensionWriter {
    /// Stores an extension under its resource id. Limits are the caller's to check ([`domain::limits`]).
    ///
    /// # Errors
    /// [`Error::Missing`] when the machine is not there; [`Error::Contradiction`] when id, machine and name disagree.
    fn put_vm_extension(&mut self, extension: &VmExtension) -> Result<Put, Error>;

    /// Removes an extension with what is attached to it, and every role over it; says whether it was there.
    ///
    /// # Errors
    /// When the store fails.
    fn remove_vm_extension(&mut self, id: &ResourceId) -> Result<bool, Error>;
}
