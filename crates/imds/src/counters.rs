//! How often what was answered. The handles are made once; counting is an addition.

use contract::gate::Refusal;
use metrics::Counter;

/// The counters of the metadata service.
#[derive(Clone)]
pub struct Counters {
    pub(crate) tokens: Counter,
    pub(crate) infos: Counter,
    pub(crate) documents: Counter,
}

impl Counters {
    /// Registers the counters with the recorder that is current.
    #[must_use]
    pub fn register() -> Self {
        Self {
            tokens: metrics::counter!("symbolon_imds_requests_total", "outcome" => "token"),
            infos: metrics::counter!("symbolon_imds_requests_total", "outcome" => "info"),
            documents: metrics::counter!("symbolon_imds_requests_total", "outcome" => "document"),
        }
    }

    /// Counts a refusal under its own name. Refusals are rare enough to look their counter up.
    pub(crate) fn refused(&self, refusal: &Refusal) {
        metrics::counter!("symbolon_imds_requests_total", "outcome" => refusal.label()).increment(1);
    }
}
