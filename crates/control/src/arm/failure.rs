//! Why a request of the control plane fails, and what the client learns of it.

use authority::kek::KekError;
use contract::arm::{ArmError, Code};

/// Why a request fails.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The client's fault, or the state of things.
    Refused(Box<ArmError>),
    /// The store's.
    Store(store::Error),
    /// Something else of ours.
    Internal {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        why: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl From<ArmError> for Failure {
    fn from(error: ArmError) -> Self {
        Self::Refused(Box::new(error))
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<KekError> for Failure {
    fn from(error: KekError) -> Self {
        Self::Internal { doing: "seal or open a secret", why: error.into() }
    }
}

impl Failure {
    /// Whether the caller may not do it.
    pub(crate) fn is_forbidden(&self) -> bool {
        matches!(self, Self::Refused(error) if error.code.status() == 403)
    }

    /// What the client learns. What is ours is told once in the log, and to the client without its inside.
    pub(crate) fn told(self) -> ArmError {
        match self {
            Self::Refused(error) => *error,
            Self::Store(error) if error.retryable() => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the store is busy");
                ArmError::new(Code::ServiceUnavailable, "The service is busy. Please try again.")
            }
            Self::Store(error) => match conflict(&error) {
                Some(told) => told,
                None => {
                    tracing::error!(error = &error as &dyn std::error::Error, "the control plane failed");
                    internal()
                }
            },
            Self::Internal { doing, why } => {
                tracing::error!(error = &*why as &dyn std::error::Error, doing, "the control plane failed");
                internal()
            }
        }
    }
}

/// What another request did meanwhile is no failure of ours.
fn conflict(error: &store::Error) -> Option<ArmError> {
    match error {
        store::Error::Taken { .. } | store::Error::InUse { .. } | store::Error::Contradiction { .. } => {
            Some(ArmError::new(Code::Conflict, error.to_string()))
        }
        store::Error::Missing { .. } => Some(ArmError::new(Code::NotFound, error.to_string())),
        store::Error::Driver { .. }
        | store::Error::Busy { .. }
        | store::Error::Stored { .. }
        | store::Error::Rows { .. }
        | store::Error::Spoilt
        | store::Error::Cursor(_)
        | store::Error::File { .. }
        | store::Error::Io { .. }
        | store::Error::Stopped => None,
    }
}

fn internal() -> ArmError {
    ArmError::new(Code::InternalServerError, "The server encountered an internal error. Please retry the request.")
}
