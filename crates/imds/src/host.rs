//! What the metadata service asks of its host: what it can't say by itself.

use async_trait::async_trait;
use contract::gate::Refusal;
use domain::{ResourceId, Timestamp};

/// The host of VMs, as their metadata service knows it.
#[async_trait]
pub trait Host: Send + Sync {
    /// The time, by the wall clock.
    fn now(&self) -> Timestamp;

    /// Signs the text of an attested document.
    ///
    /// # Errors
    /// When it can't at the moment.
    async fn attest(&self, content: Vec<u8>) -> Result<Vec<u8>, HostError>;

    /// Lets scheduled events of a VM begin at once: all of them or none. One that may already is fine.
    ///
    /// # Errors
    /// When the VM has no such event, or nothing can be changed at the moment.
    async fn approve(&self, vm: &ResourceId, events: &[String]) -> Result<(), HostError>;
}

/// Why the host doesn't do it.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// There is no such event of this VM.
    #[error("there is no scheduled event {0}")]
    NoEvent(String),
    /// Too much is to be done.
    #[error("too many requests are waiting")]
    Busy,
    /// A failure of its own.
    #[error("the host failed")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What the failure means to the caller.
pub(crate) fn refusal(error: HostError) -> Refusal {
    match error {
        HostError::NoEvent(id) => Refusal::NoEvent { id },
        HostError::Busy => Refusal::Unavailable { retry_after: 1 },
        HostError::Internal(why) => {
            tracing::error!(error = &*why as &dyn std::error::Error, "the host of a metadata service failed");
            Refusal::Internal
        }
    }
}
