//! Bodies, and what agents say that changes nothing here.

use bytes::Bytes;
use contract::gate;
use http::{Response, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use serde::Deserialize;

use crate::answer;
use crate::refusal::Refusal;
use crate::service::{Body, Shared};

/// The longest body that is taken, in bytes. The listener lets no longer one through either.
const MAX: usize = 1024 * 1024;
/// The longest telemetry, in bytes; agents send it in parts below this.
const MAX_TELEMETRY: usize = 64 * 1024;

/// What the agent thinks of the metadata service.
const METADATA_HEARTBEAT: &str = "InstanceMetadataHeartbeat";

impl Shared {
    /// A whole body.
    pub(crate) async fn read(&self, body: Incoming) -> Result<Bytes, Refusal> {
        Ok(Limited::new(body, MAX).collect().await.map_err(too_large)?.to_bytes())
    }

    /// Takes a report that nothing is done with.
    pub(crate) async fn discard(&self, body: Incoming, status: StatusCode) -> Result<Response<Body>, Refusal> {
        drain(body, MAX).await?;
        Ok(answer::empty(status))
    }

    /// `POST /machine?comp=telemetrydata`
    pub(crate) async fn telemetry(&self, body: Incoming) -> Result<Response<Body>, Refusal> {
        drain(body, MAX_TELEMETRY).await?;
        Ok(answer::empty(StatusCode::OK))
    }

    /// `POST /HealthService`. That the guest can't use its metadata service is told; whatever can't be read is left
    /// aside, as everything else is.
    pub(crate) async fn health_service(&self, body: Incoming) -> Result<Response<Body>, Refusal> {
        let body = self.read(body).await?;
        let report = serde_json::from_slice::<Report>(&body).unwrap_or_default();
        for observation in report.observations.iter().filter(|one| one.name == METADATA_HEARTBEAT) {
            if observation.healthy {
                tracing::debug!(vm = self.name(), "the guest's agent finds the metadata service well");
            } else {
                tracing::warn!(vm = self.name(), "the guest's agent can't use the metadata service");
            }
        }
        Ok(answer::empty(StatusCode::OK))
    }
}

/// Reads a body and keeps none of it.
async fn drain(body: Incoming, limit: usize) -> Result<(), Refusal> {
    let mut body = Limited::new(body, limit);
    while let Some(frame) = body.frame().await {
        frame.map_err(too_large)?;
    }
    Ok(())
}

fn too_large(why: Box<dyn std::error::Error + Send + Sync>) -> Refusal {
    if why.is::<LengthLimitError>() { Refusal::BodyTooLarge } else { gate::Refusal::BodyUnreadable.into() }
}

#[derive(Default, Deserialize)]
struct Report {
    #[serde(rename = "Observations", default)]
    observations: Vec<Observation>,
}

#[derive(Deserialize)]
struct Observation {
    #[serde(rename = "ObservationName", default)]
    name: String,
    #[serde(rename = "IsHealthy", default)]
    healthy: bool,
}
