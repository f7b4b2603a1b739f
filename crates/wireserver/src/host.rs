//! What stands behind the protocol.

use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;
use contract::guest_agent::GoalState;
use contract::guest_agent::status_blob::StatusBlob;

/// What a host knows of one VM, and what it takes from that VM's agent.
#[async_trait]
pub trait Host: Send + Sync {
    /// The goal state as it is now.
    ///
    /// # Errors
    /// [`HostError::Gone`] when the VM is here no longer.
    async fn goal_state(&self) -> Result<Arc<GoalState>, HostError>;

    /// The VM's certificates as a PFX, sealed to the certificate (DER) that its agent showed: base64 of the envelope.
    /// `None` when it has none.
    ///
    /// # Errors
    /// [`HostError::Certificate`] when nothing can be sealed to what the agent showed.
    async fn certificates(&self, transport_certificate_der: &[u8]) -> Result<Option<String>, HostError>;

    /// Takes what the agent says of the VM.
    ///
    /// # Errors
    /// When it could not be kept; the agent says it again.
    async fn status(&self, blob: StatusBlob) -> Result<(), HostError>;

    /// An agent asked for its goal state, so there is one.
    async fn joined(&self);
}

/// Why a host doesn't answer.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The VM is here no longer, or doesn't run here now.
    #[error("the VM is gone from this host")]
    Gone,
    /// The certificate that the agent showed is none, or not one with a usable RSA key.
    #[error("the agent's certificate can't be used")]
    Certificate,
    /// Something of ours failed.
    #[error("the host could not answer")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}
