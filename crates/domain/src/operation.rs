//! Long-running operations: what was asked for and is still being done, or was.

use crate::{OperationId, PrincipalId, ResourceId, Timestamp};

/// A long-running operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its id.
    pub id: OperationId,
    /// What is done, e.g. `Microsoft.Compute/virtualMachines/extensions/write`.
    pub action: String,
    /// To which resource.
    pub subject: ResourceId,
    /// Who asked for it.
    pub caller: PrincipalId,
    /// How far it has come.
    pub state: OperationState,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// How far an operation has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperationState {
    /// Something is still to happen.
    InProgress,
    /// It is done.
    Succeeded,
    /// It has failed.
    Failed(OperationError),
}

/// Why an operation failed: for the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationError {
    /// A code of the contract, e.g. `VMExtensionProvisioningError`.
    pub code: String,
    /// In words.
    pub message: String,
}

/// What an operation waits for: that the guest of a machine has come so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// An extension of the machine, or the machine itself where it is about power.
    pub on: ResourceId,
    /// The sequence number or generation that must be reached.
    pub number: u64,
}
