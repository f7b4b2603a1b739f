//! Why a request is refused, and the one place where reasons become bytes.

use contract::answer::Answer;
use contract::gate::{self, Surface};

use crate::host::HostError;

/// When an agent may ask again what could not be answered, in seconds: its own period.
const RETRY_AFTER: u32 = 6;

/// Why a request is refused.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// For what every surface refuses in the same words.
    Gate(gate::Refusal),
    /// `x-ms-version` is missing or names another protocol.
    Version {
        /// The one that is spoken here.
        expected: &'static str,
    },
    /// The agent's certificate is missing, isn't base64, or can't be sealed to.
    Certificate,
    /// More body than the route takes.
    BodyTooLarge,
    /// It isn't a status.
    Status,
    /// The address or the headers name another container: the agent is to ask for its goal state again.
    Moved,
    /// The VM is here no longer.
    Gone,
    /// The VM has no certificates.
    NoCertificates,
    /// There is no such package, or it isn't one of ours.
    NoPackage,
    /// Something of ours failed that may do better soon.
    Unavailable(Box<dyn std::error::Error + Send + Sync>),
}

impl From<gate::Refusal> for Refusal {
    fn from(refusal: gate::Refusal) -> Self {
        Self::Gate(refusal)
    }
}

impl From<HostError> for Refusal {
    fn from(error: HostError) -> Self {
        match error {
            HostError::Gone => Self::Gone,
            HostError::Certificate => Self::Certificate,
            HostError::Failed(why) => Self::Unavailable(why),
        }
    }
}

impl From<std::io::Error> for Refusal {
    fn from(why: std::io::Error) -> Self {
        Self::Unavailable(why.into())
    }
}

impl Refusal {
    /// The answer.
    pub(crate) fn answer(&self) -> Answer {
        let invalid = |text: &str| Answer::error(400, "invalid_request", text);
        match self {
            Self::Gate(refusal) => refusal.answer(Surface::Imds),
            Self::Version { expected } => invalid(&format!("The x-ms-version header must be {expected}")),
            Self::Certificate => {
                invalid("The x-ms-guest-agent-public-x509-cert header must be the base64 of an RSA certificate")
            }
            Self::BodyTooLarge => Answer::error(413, "request_too_large", "The request body is too large"),
            Self::Status => invalid("The status can't be read"),
            Self::Moved => Answer::error(410, "gone", "The container is not this one, refresh the goal state"),
            Self::Gone => Answer::error(410, "gone", "The virtual machine is not on this host"),
            Self::NoCertificates => Answer::error(404, "not_found", "There are no certificates"),
            Self::NoPackage => Answer::error(404, "not_found", "There is no such package"),
            Self::Unavailable(_) => Answer::error(503, "service_unavailable", "Retry later").retry_after(RETRY_AFTER),
        }
    }

    /// A word for counters and logs.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Gate(refusal) => refusal.label(),
            Self::Version { .. } => "version",
            Self::Certificate => "certificate",
            Self::BodyTooLarge => "body_too_large",
            Self::Status => "status",
            Self::Moved => "moved",
            Self::Gone => "gone",
            Self::NoCertificates => "no_certificates",
            Self::NoPackage => "no_package",
            Self::Unavailable(_) => "unavailable",
        }
    }
}
