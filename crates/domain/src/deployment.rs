//! Deployments of templates.

use crate::{OperationId, PrincipalId, ResourceId, Sealed, Timestamp};

/// A deployment: `Microsoft.Resources/deployments`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// Its resource id.
    pub id: ResourceId,
    /// How far it has come.
    pub state: DeploymentState,
    /// Its `properties` as a client sees them, a JSON object; nothing of a secret is in it.
    pub document: String,
    /// What was asked for, secrets and all, until it has ended.
    pub request: Option<Sealed>,
    /// On whose behalf resources are written.
    pub caller: PrincipalId,
    /// The operation that clients follow.
    pub operation: OperationId,
    /// When it began.
    pub started_at: Timestamp,
}

/// How far a deployment has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeploymentState {
    /// Its template is sound; nothing was done yet.
    Accepted,
    /// Resources are being written.
    Running,
    /// All of them are there.
    Succeeded,
    /// One of them could not be written.
    Failed,
    /// Somebody ended it.
    Canceled,
}

/// What a deployment did to one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentOperation {
    /// Its place in the order of the plan.
    pub number: u32,
    /// The resource, by its id.
    pub target: String,
    /// Its `properties` as a client sees them, a JSON object.
    pub document: String,
    /// The long-running operation that it waits for, while it does.
    pub operation: Option<OperationId>,
    /// Whether nothing more happens to it.
    pub ended: bool,
}

impl DeploymentState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Accepted, Self::Running, Self::Succeeded, Self::Failed, Self::Canceled];

    /// Its name on the wire and in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Canceled => "Canceled",
        }
    }

    /// Whether something is still to happen.
    #[must_use]
    pub fn is_under_way(self) -> bool {
        match self {
            Self::Accepted | Self::Running => true,
            Self::Succeeded | Self::Failed | Self::Canceled => false,
        }
    }
}
