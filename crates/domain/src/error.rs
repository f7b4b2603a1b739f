//! Why an operation failed, with no idea of any protocol. Each surface turns it into its own status and body.

use std::fmt;
use std::time::Duration;

use crate::limits::LimitExceeded;
use crate::names::InvalidName;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why an operation failed.
///
/// What [`Display`](fmt::Display) writes may be shown to the client. What went on inside is in [`Detail::internal`],
/// which cannot be displayed by accident.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request says something that cannot be.
    #[error("{0}")]
    Invalid(Detail),
    /// What the request names is not there.
    #[error("{0}")]
    NotFound(Detail),
    /// It is there already, or its id belongs to something else.
    #[error("{0}")]
    Conflict(Detail),
    /// The change would break a limit.
    #[error("{0}")]
    Limit(Detail),
    /// Who asks is not known.
    #[error("{0}")]
    Unauthenticated(Detail),
    /// Who asks may not do this.
    #[error("{0}")]
    Forbidden(Detail),
    /// The state the request counts on has changed since.
    #[error("{0}")]
    Stale(Detail),
    /// It was there and is no more, and nothing will bring it back.
    #[error("{0}")]
    Gone(Detail),
    /// Too many requests.
    #[error("{detail}")]
    Throttled {
        /// What to say.
        detail: Detail,
        /// When to come back.
        retry_after: Duration,
    },
    /// Something needed is not reachable just now.
    #[error("{detail}")]
    Unavailable {
        /// What to say.
        detail: Detail,
        /// When to come back.
        retry_after: Duration,
    },
    /// Our own fault.
    #[error("{0}")]
    Internal(Detail),
}

/// The two texts of an error.
#[derive(Debug)]
pub struct Detail {
    client: String,
    internal: Internal,
}

/// What went on inside: for the log of whoever handles the error. Has no `Display`.
#[derive(Debug, Default)]
pub struct Internal {
    /// What was being done.
    pub context: Option<String>,
    /// What failed underneath.
    pub source: Option<Source>,
}

impl Detail {
    /// A text for the client, and nothing to add inside.
    #[must_use]
    pub fn new(client: impl Into<String>) -> Self {
        Self { client: client.into(), internal: Internal::default() }
    }

    /// Adds what was being done.
    #[must_use]
    pub fn context(mut self, context: impl Into<String>) -> Self {
        self.internal.context = Some(context.into());
        self
    }

    /// Adds what failed underneath.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Source>) -> Self {
        self.internal.source = Some(source.into());
        self
    }

    /// What the client may read.
    #[must_use]
    pub fn client(&self) -> &str {
        &self.client
    }

    /// What only we may read.
    #[must_use]
    pub fn internal(&self) -> &Internal {
        &self.internal
    }
}

impl fmt::Display for Detail {
    /// The client's text alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.client)
    }
}

impl Error {
    /// The request says something that cannot be.
    pub fn invalid(client: impl Into<String>) -> Self {
        Self::Invalid(Detail::new(client))
    }

    /// What the request names is not there.
    pub fn not_found(client: impl Into<String>) -> Self {
        Self::NotFound(Detail::new(client))
    }

    /// It is there already.
    pub fn conflict(client: impl Into<String>) -> Self {
        Self::Conflict(Detail::new(client))
    }

    /// Our own fault; the client learns only that.
    pub fn internal(context: impl Into<String>, source: impl Into<Source>) -> Self {
        Self::Internal(Detail::new("An internal error occurred.").context(context).caused_by(source))
    }

    /// Something needed is not reachable; the client learns when to come back.
    pub fn unavailable(retry_after: Duration, context: impl Into<String>, source: impl Into<Source>) -> Self {
        let detail = Detail::new("The service is temporarily unavailable.").context(context).caused_by(source);
        Self::Unavailable { detail, retry_after }
    }

    /// The two texts.
    #[must_use]
    pub fn detail(&self) -> &Detail {
        match self {
            Self::Invalid(detail)
            | Self::NotFound(detail)
            | Self::Conflict(detail)
            | Self::Limit(detail)
            | Self::Unauthenticated(detail)
            | Self::Forbidden(detail)
            | Self::Stale(detail)
            | Self::Gone(detail)
            | Self::Internal(detail)
            | Self::Throttled { detail, .. }
            | Self::Unavailable { detail, .. } => detail,
        }
    }

    /// Whether the same request may succeed later without anybody changing anything.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::Throttled { .. } | Self::Unavailable { .. } => true,
            Self::Invalid(_)
            | Self::NotFound(_)
            | Self::Conflict(_)
            | Self::Limit(_)
            | Self::Unauthenticated(_)
            | Self::Forbidden(_)
            | Self::Stale(_)
            | Self::Gone(_)
            | Self::Internal(_) => false,
        }
    }

    /// The variant's name, for a metric label.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "Invalid",
            Self::NotFound(_) => "NotFound",
            Self::Conflict(_) => "Conflict",
            Self::Limit(_) => "Limit",
            Self::Unauthenticated(_) => "Unauthenticated",
            Self::Forbidden(_) => "Forbidden",
            Self::Stale(_) => "Stale",
            Self::Gone(_) => "Gone",
            Self::Throttled { .. } => "Throttled",
            Self::Unavailable { .. } => "Unavailable",
            Self::Internal(_) => "Internal",
        }
    }
}

impl From<LimitExceeded> for Error {
    fn from(exceeded: LimitExceeded) -> Self {
        Self::Limit(Detail::new(exceeded.to_string()))
    }
}

impl From<InvalidName> for Error {
    fn from(invalid: InvalidName) -> Self {
        Self::Invalid(Detail::new(invalid.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inside_is_never_displayed() {
        let error = Error::internal("read table x of /secret/path", std::io::Error::other("disk"));
        assert_eq!(error.to_string(), "An internal error occurred.");
        let internal = error.detail().internal();
        assert_eq!(internal.context.as_deref(), Some("read table x of /secret/path"));
        assert_eq!(internal.source.as_ref().unwrap().to_string(), "disk");
    }

    #[test]
    fn only_what_passes_by_itself_is_retryable() {
        assert!(Error::unavailable(Duration::from_secs(1), "x", std::io::Error::other("y")).retryable());
        assert!(!Error::internal("x", std::io::Error::other("y")).retryable());
        assert!(!Error::from(LimitExceeded::IdentitiesWithExtension { wanted: 33 }).retryable());
    }
}
