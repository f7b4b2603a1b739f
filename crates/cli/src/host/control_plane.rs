//! What the metadata services of a host's VMs ask of a control plane, where there is none.

use async_trait::async_trait;
use control::attestation::Attestation;
use domain::{ResourceId, SharedClock, Timestamp};
use imds::{ControlPlane, ControlPlaneError};

use crate::up::control_plane::not_attested;

/// The host itself. It signs where its configuration says with what; and nobody makes scheduled events here.
pub(crate) struct NoControlPlane {
    pub(crate) attestation: Option<Attestation>,
    pub(crate) clock: SharedClock,
}

impl NoControlPlane {
    /// Looks after what signs, whether or not anybody asks for a document.
    pub(crate) async fn look_after(&self) {
        if let Some(attestation) = &self.attestation {
            attestation.look_after(self.clock.now()).await;
        }
    }
}

#[async_trait]
impl ControlPlane for NoControlPlane {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn attest(&self, content: Vec<u8>) -> Result<Vec<u8>, ControlPlaneError> {
        let attestation = self.attestation.as_ref().ok_or(ControlPlaneError::NoSigner)?;
        attestation.sign(content, self.clock.now()).await.map_err(not_attested)
    }

    async fn approve(&self, _: &ResourceId, events: &[String]) -> Result<(), ControlPlaneError> {
        events.first().map_or(Ok(()), |event| Err(ControlPlaneError::NoEvent(event.clone())))
    }
}
