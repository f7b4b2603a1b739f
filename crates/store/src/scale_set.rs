//! Virtual machine scale sets. Their machines are virtual machines ([`domain::VirtualMachine::instance`]).

use domain::{ResourceId, ScaleSet, Scope};

use crate::{Error, Page, Put};

/// Looks up scale sets.
pub trait ScaleSetReader {
    /// By resource id.
    ///
    /// # Errors
    /// When the store fails.
    fn scale_set(&self, id: &ResourceId) -> Result<Option<ScaleSet>, Error>;

    /// Those within a scope, by id.
    ///
    /// # Errors
    /// When the store fails.
    fn scale_sets(&self, within: &Scope, page: &Page) -> Result<Vec<ScaleSet>, Error>;

    /// The ids of the scale sets that a user-assigned identity is assigned to, by id.
    ///
    /// # Errors
    /// When the store fails.
    fn scale_sets_with(&self, identity: &ResourceId) -> Result<Vec<ResourceId>, Error>;
}

/// Changes scale sets.
pub trait ScaleSetWriter {
    /// Stores a scale set under its resource id, with its service principal, its assigned identities and its model's
    /// extensions. A system-assigned identity that is no longer given, or has another principal id, is tombstoned.
    /// Limits are the caller's to check ([`domain::limits`]). When its identities change its machines are noted as
    /// changed too, and the certificates on their disks of those that went are revoked.
    ///
    /// # Errors
    /// [`Error::Taken`] when its principal or client id is or was another's; [`Error::Missing`] when its resource
    /// group, tenant or an identity is not there; [`Error::Contradiction`] when it exists with another unique id or
    /// tenant.
    fn put_scale_set(&mut self, scale_set: &ScaleSet) -> Result<Put, Error>;

    /// Removes a scale set with its machines and whatever lies below it, and every role over those; its service principal is tombstoned with its roles. Says whether it was
    /// there.
    ///
    /// # Errors
    /// When the store fails.
    fn remove_scale_set(&mut self, id: &ResourceId) -> Result<bool, Error>;
}
