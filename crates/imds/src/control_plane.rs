//! What the metadata service asks beside tokens: what it can't say by itself.

use async_trait::async_trait;
use contract::gate::Refusal;
use domain::{ResourceId, Timestamp};

/// The control plane of VMs, as their metadata service knows it.
#[async_trait]
pub trait ControlPlane: Send + Sync {
    /// The time, by the wall clock.
    fn now(&self) -> Timestamp;

    /// Signs the text of an attested document.
    ///
    /// # Errors
    /// When it can't at the moment.
    async fn attest(&self, content: Vec<u8>) -> Result<Vec<u8>, ControlPlaneError>;

    /// Lets scheduled events of a VM begin at once: all of them or none. One that may already is fine.
    ///
    /// # Errors
    /// When the VM has no such event, or nothing can be changed at the moment.
    async fn approve(&self, vm: &ResourceId, events: &[String]) -> Result<(), ControlPlaneError>;
}

/// Why it isn't done.
#[derive(Debug, thiserror::Error)]
pub enum ControlPlaneError {
    /// There is no such event of this VM.
    #[error("there is no scheduled event {0}")]
    NoEvent(String),
    /// Nobody signs for this VM.
    #[error("nobody signs attested documents here")]
    NoSigner,
    /// Too much is to be done.
    #[error("too many requests are waiting")]
    Busy,
    /// A failure of its own.
    #[error("the control plane failed")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What the failure means to the caller.
pub(crate) fn refusal(error: ControlPlaneError) -> Refusal {
    match error {
        ControlPlaneError::NoEvent(id) => Refusal::NoEvent { id },
        // Whoever runs the host may come to name a signer.
        ControlPlaneError::NoSigner => Refusal::Unavailable { retry_after: 60 },
        ControlPlaneError::Busy => Refusal::Unavailable { retry_after: 1 },
        ControlPlaneError::Internal(why) => {
            tracing::error!(error = &*why as &dyn std::error::Error, "the control plane failed a metadata service");
            Refusal::Internal
        }
    }
}
