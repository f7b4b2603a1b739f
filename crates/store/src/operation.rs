//! Long-running operations, and what they wait for.

use domain::{Operation, OperationError, OperationId, ResourceId, Timestamp, Wait};

use crate::Error;

/// Looks up operations.
pub trait OperationReader {
    /// By id.
    ///
    /// # Errors
    /// When the store fails.
    fn operation(&self, id: OperationId) -> Result<Option<Operation>, Error>;

    /// Those that haven't ended, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    fn operations_under_way(&self) -> Result<Vec<Operation>, Error>;

    /// Whether one that hasn't ended is about this resource.
    ///
    /// # Errors
    /// When the store fails.
    fn operation_on(&self, subject: &ResourceId) -> Result<Option<Operation>, Error>;

    /// What operations that began at an instant or before it still wait for, each once.
    ///
    /// # Errors
    /// When the store fails.
    fn overdue_waits(&self, began: Timestamp) -> Result<Vec<Wait>, Error>;
}

/// Changes operations.
pub trait OperationWriter {
    /// Begins an operation. Without anything to wait for it has to be ended by whoever began it.
    ///
    /// # Errors
    /// [`Error::Taken`] when there is one of this id.
    fn begin_operation(&mut self, operation: &Operation, waits: &[Wait]) -> Result<(), Error>;

    /// Says that something has come to a number: whatever waited for that, or for less, waits for it no more, and an
    /// operation that waits for nothing more has succeeded. With `failed` they all fail. Says how many ended.
    ///
    /// # Errors
    /// When the store fails.
    fn reach(&mut self, on: &ResourceId, number: u64, failed: Option<&OperationError>) -> Result<usize, Error>;

    /// Ends an operation that has not ended; says whether it did.
    ///
    /// # Errors
    /// When the store fails.
    fn end_operation(&mut self, id: OperationId, failed: Option<&OperationError>) -> Result<bool, Error>;

    /// Forgets operations that ended before an instant, unless a deployment names them; says how many.
    ///
    /// # Errors
    /// When the store fails.
    fn prune_operations(&mut self, before: Timestamp) -> Result<usize, Error>;
}
