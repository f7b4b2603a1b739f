//! Bodies, and what agents say that changes nothing here.

use std::sync::atomic::{AtomicBool, Ordering};

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

    /// `POST /HealthService`. That the guest can't use its metadata service is told once, and so is that it can again;
    /// whatever can't be read is left aside, as everything else is.
    pub(crate) async fn health_service(&self, body: Incoming) -> Result<Response<Body>, Refusal> {
        let body = self.read(body).await?;
        let report = serde_json::from_slice::<Report>(&body).unwrap_or_default();
        match self.metadata.changes(&report) {
            Some(true) => tracing::info!(vm = self.name(), "the guest's agent can use the metadata service again"),
            Some(false) => tracing::warn!(vm = self.name(), "the guest's agent can't use the metadata service"),
            None => {}
        }
        Ok(answer::empty(StatusCode::OK))
    }
}

/// What the guest's agent thinks of its metadata service; well until it says otherwise.
#[derive(Default)]
pub(crate) struct MetadataVerdict {
    unwell: AtomicBool,
}

impl MetadataVerdict {
    /// Whether it is well now, when a report says otherwise than the one before. Of several observations in one report
    /// the bad one counts.
    fn changes(&self, report: &Report) -> Option<bool> {
        let heartbeats = report.observations.iter().filter(|one| one.name == METADATA_HEARTBEAT);
        let healthy = heartbeats.map(|one| one.healthy).reduce(|one, other| one && other)?;
        (self.unwell.swap(!healthy, Ordering::Relaxed) == healthy).then_some(healthy)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_told_when_it_changes() {
        let verdict = MetadataVerdict::default();
        let says = |observations: &[(&str, bool)]| {
            let observations =
                observations.iter().map(|(name, healthy)| Observation { name: (*name).to_owned(), healthy: *healthy });
            verdict.changes(&Report { observations: observations.collect() })
        };
        let (well, unwell) = ((METADATA_HEARTBEAT, true), (METADATA_HEARTBEAT, false));
        assert_eq!(says(&[well]), None, "as expected");
        assert_eq!(says(&[well, unwell, unwell, well]), Some(false), "one line, however many observations");
        assert_eq!(says(&[unwell, unwell]), None);
        assert_eq!((says(&[]), says(&[("other", true)])), (None, None), "nothing of it is said");
        assert_eq!((says(&[well]), says(&[well])), (Some(true), None));
    }
}
