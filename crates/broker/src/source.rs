//! Who makes tokens: the seam between the broker and an authority.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use domain::{ManagedIdentity, ResourceId, Timestamp};
use futures_util::future::BoxFuture;

/// A token that somebody needs.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Whose token it is.
    pub identity: Arc<ManagedIdentity>,
    /// The resource asked for, byte for byte; it becomes the audience.
    pub resource: Arc<str>,
    /// The VM that asked.
    pub vm: ResourceId,
}

/// A token that was made.
pub struct Minted {
    /// The signed token.
    pub access_token: AccessToken,
    /// The start of its life, the `nbf` claim.
    pub not_before: Timestamp,
    /// The end of its life, the `exp` claim.
    pub expires_on: Timestamp,
}

/// A signed token. It can be read only on purpose: `Debug` doesn't show it, and it has no `Display`.
pub struct AccessToken(String);

impl AccessToken {
    /// Takes a compact JWT.
    #[must_use]
    pub fn new(jwt: String) -> Self {
        Self(jwt)
    }

    /// The compact JWT, for the body of an answer.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(redacted)")
    }
}

/// Why no token was made. Cheap to clone: all who waited for one flight get the same.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SourceError {
    /// No answer from the authority within the time allowed.
    #[error("no token could be had from the authority {authority}")]
    Unreachable {
        /// Its base URL.
        authority: String,
        /// What went wrong on the way.
        #[source]
        why: Arc<dyn Error + Send + Sync>,
    },
    /// More tokens are being signed than may wait.
    #[error("too many tokens are waiting to be signed")]
    Busy {
        /// When to ask again.
        retry_after: Duration,
    },
    /// The authority said no. The words are its own and may be shown to the caller.
    #[error("the authority refused: {description}")]
    Refused {
        /// The OAuth error code.
        error: String,
        /// The text that starts with `AADSTS`.
        description: String,
    },
    /// This machine's wall clock went back further than tokens can bear.
    #[error("the wall clock is {} s behind the time this process has already seen", behind.as_secs())]
    ClockBehind {
        /// By how much.
        behind: Duration,
    },
    /// The identity was unassigned or deleted while its token was being made.
    #[error("the identity was taken away while its token was being made")]
    Withdrawn,
    /// A failure of our own.
    #[error("the token could not be made")]
    Internal(#[source] Arc<dyn Error + Send + Sync>),
}

/// Makes tokens. An implementation bounds its own time: a broker waits for it without a limit.
pub trait TokenSource: Send + Sync + 'static {
    /// Makes a new token; never one it made before.
    fn token(&self, wanted: Wanted) -> BoxFuture<'static, Result<Minted, SourceError>>;
}
