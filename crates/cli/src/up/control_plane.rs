//! What the metadata services of an `up` ask of the control plane beside them.

use std::sync::Arc;

use async_trait::async_trait;
use authority::signing_pool::PoolError;
use control::App;
use control::arm::scheduled_event::{NotApproved, approve};
use control::attestation::{AttestError, Attestation};
use domain::{ResourceId, SharedClock, Timestamp};
use imds::ControlPlaneError;

/// The control plane in this process.
pub(crate) struct LocalControlPlane {
    pub(crate) app: Arc<App>,
    pub(crate) attestation: Attestation,
    pub(crate) clock: SharedClock,
}

#[async_trait]
impl imds::ControlPlane for LocalControlPlane {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn attest(&self, content: Vec<u8>) -> Result<Vec<u8>, ControlPlaneError> {
        self.attestation.sign(content, self.clock.now()).await.map_err(not_attested)
    }

    async fn approve(&self, vm: &ResourceId, events: &[String]) -> Result<(), ControlPlaneError> {
        approve(&self.app, vm, events).await.map_err(|why| match why {
            NotApproved::NoEvent(id) => ControlPlaneError::NoEvent(id),
            NotApproved::Failed(_) | NotApproved::NotBegun(_) => ControlPlaneError::Internal(why.into()),
        })
    }
}

/// Why a document isn't signed, as a metadata service knows it.
pub(crate) fn not_attested(why: AttestError) -> ControlPlaneError {
    match why {
        AttestError::Ended => ControlPlaneError::NoSigner,
        AttestError::Pool(PoolError::Full) => ControlPlaneError::Busy,
        AttestError::Pool(PoolError::Sign(_) | PoolError::Ended) | AttestError::Envelope(_) => {
            ControlPlaneError::Internal(why.into())
        }
    }
}
