//! Role assignments.

use domain::{PrincipalId, RoleAssignment, RoleAssignmentId, Scope};

use crate::{Error, Put};

/// Looks up role assignments.
pub trait RoleAssignmentReader {
    /// By id.
    ///
    /// # Errors
    /// When the store fails.
    fn role_assignment(&self, id: RoleAssignmentId) -> Result<Option<RoleAssignment>, Error>;

    /// All of a principal, by id.
    ///
    /// # Errors
    /// When the store fails.
    fn role_assignments_of(&self, principal: PrincipalId) -> Result<Vec<RoleAssignment>, Error>;

    /// All whose scope is this or below it, by id.
    ///
    /// # Errors
    /// When the store fails.
    fn role_assignments(&self, within: &Scope) -> Result<Vec<RoleAssignment>, Error>;
}

/// Changes role assignments.
pub trait RoleAssignmentWriter {
    /// Stores a role assignment under its id. One that is new was given when it says, or else now; when and by whom one
    /// that is known was given stays as it is.
    ///
    /// # Errors
    /// [`Error::Taken`] when the same principal has the same role at the same scope under another id;
    /// [`Error::Missing`] when the principal is not there or is deleted; [`Error::Contradiction`] when the id is there
    /// with anything else.
    fn put_role_assignment(&mut self, assignment: &RoleAssignment) -> Result<Put, Error>;

    /// Removes a role assignment; says whether it was there.
    ///
    /// # Errors
    /// When the store fails.
    fn remove_role_assignment(&mut self, id: RoleAssignmentId) -> Result<bool, Error>;
}
