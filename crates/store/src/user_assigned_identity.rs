//! User-assigned identities.

use domain::{ResourceId, Scope, UserAssignedIdentity};

use crate::{Error, Page, Put};

/// Looks up user-assigned identities.
pub trait UserAssignedIdentityReader {
    /// By resource id.
    ///
    /// # Errors
    /// When the store fails.
    fn user_assigned_identity(&self, id: &ResourceId) -> Result<Option<UserAssignedIdentity>, Error>;

    /// Those within a scope, by id.
    ///
    /// # Errors
    /// When the store fails.
    fn user_assigned_identities(&self, within: &Scope, page: &Page) -> Result<Vec<UserAssignedIdentity>, Error>;
}

/// Changes user-assigned identities.
pub trait UserAssignedIdentityWriter {
    /// Stores an identity under its resource id, with its service principal.
    ///
    /// # Errors
    /// [`Error::Taken`] when its principal id or client id is or was another's; [`Error::Missing`] when its resource
    /// group or tenant is not there; [`Error::Contradiction`] when it exists with other ids.
    fn put_user_assigned_identity(&mut self, identity: &UserAssignedIdentity) -> Result<Put, Error>;

    /// Removes an identity: it leaves every machine, its service principal is tombstoned with its roles and
    /// certificates, and what lies below it goes with every role over it. Says whether it was there.
    ///
    /// # Errors
    /// When the store fails.
    fn remove_user_assigned_identity(&mut self, id: &ResourceId) -> Result<bool, Error>;
}
