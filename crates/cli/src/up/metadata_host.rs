//! What the metadata services of an `up` ask of their host.

use std::sync::Arc;

use async_trait::async_trait;
use authority::signing_pool::PoolError;
use control::App;
use control::arm::scheduled_event::{NotApproved, approve};
use control::attestation::{AttestError, Attestation};
use domain::{ResourceId, SharedClock, Timestamp};
use imds::HostError;

/// The host of the VMs of an `up`.
pub(crate) struct MetadataHost {
    pub(crate) app: Arc<App>,
    pub(crate) attestation: Attestation,
    pub(crate) clock: SharedClock,
}

#[async_trait]
impl imds::Host for MetadataHost {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn attest(&self, content: Vec<u8>) -> Result<Vec<u8>, HostError> {
        self.attestation.sign(content).await.map_err(|why| match why {
            AttestError::Pool(PoolError::Full) => HostError::Busy,
            AttestError::Pool(PoolError::Sign(_) | PoolError::Ended) | AttestError::Envelope(_) => {
                HostError::Internal(why.into())
            }
        })
    }

    async fn approve(&self, vm: &ResourceId, events: &[String]) -> Result<(), HostError> {
        approve(&self.app, vm, events).await.map_err(|why| match why {
            NotApproved::NoEvent(id) => HostError::NoEvent(id),
            NotApproved::Failed(_) | NotApproved::NotBegun(_) => HostError::Internal(why.into()),
        })
    }
}
