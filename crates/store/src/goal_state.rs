//! The goal states of VMs.

use domain::{GoalState, ResourceId};

use crate::{Error, Put};

/// Looks up goal states.
pub trait GoalStateReader {
    /// That of a machine.
    ///
    /// # Errors
    /// When the store fails.
    fn goal_state(&self, vm: &ResourceId) -> Result<Option<GoalState>, Error>;
}

/// Changes goal states. One goes with its machine.
pub trait GoalStateWriter {
    /// Stores that of a machine; its incarnation only grows.
    ///
    /// # Errors
    /// [`Error::Missing`] when there is no such machine; [`Error::Contradiction`] when it changes without a greater
    /// incarnation.
    fn put_goal_state(&mut self, goal_state: &GoalState) -> Result<Put, Error>;
}
