//! The way of machines from the extension to the metadata service.

use domain::{Cutover, ResourceId};

use crate::{Error, Put};

/// Looks up cutovers.
pub trait CutoverReader {
    /// That of a machine, if one was begun.
    ///
    /// # Errors
    /// When the store fails.
    fn cutover(&self, vm: &ResourceId) -> Result<Option<Cutover>, Error>;
}

/// Changes cutovers. One goes with its machine, and with the machine's last extension for managed identities.
pub trait CutoverWriter {
    /// Stores that of a machine.
    ///
    /// # Errors
    /// [`Error::Missing`] when there is no such machine.
    fn put_cutover(&mut self, cutover: &Cutover) -> Result<Put, Error>;
}
