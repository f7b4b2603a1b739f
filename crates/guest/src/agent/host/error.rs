//! Why the host can't be asked or understood.

use std::error::Error;
use std::io;

use contract::guest_agent::Unreadable;
use contract::guest_agent::vm_settings::InvalidVmSettings;
use http::StatusCode;

use crate::agent::wire::InvalidDocument;

/// Why the host can't be understood.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// Not a URL.
    #[error("'{0}' is not the URL of a host")]
    Address(String),
    /// No answer.
    #[error("{url} can't be reached")]
    Unreachable {
        /// What was asked, without what lets somebody in.
        url: String,
        /// Why.
        #[source]
        why: Box<dyn Error + Send + Sync>,
    },
    /// An answer that isn't one.
    #[error("{url} answered {status}")]
    Status {
        /// What was asked, without what lets somebody in.
        url: String,
        /// The answer.
        status: StatusCode,
    },
    /// What is wanted came without the mark by which it is told from what was wanted before.
    #[error("the host's vmSettings have no ETag")]
    NoEtag,
    /// What is wanted can't be read.
    #[error(transparent)]
    VmSettings(#[from] InvalidVmSettings),
    /// XML that can't be read.
    #[error(transparent)]
    Document(#[from] InvalidDocument),
    /// The disk doesn't take what it sends.
    #[error("what was downloaded can't be written")]
    Kept(#[source] io::Error),
    /// A status that can't be written.
    #[error("the status can't be written")]
    StatusBlob(#[source] Unreadable),
}

pub(super) fn unreachable(url: &str, why: Box<dyn Error + Send + Sync>) -> HostError {
    HostError::Unreachable { url: told(url), why }
}

pub(super) fn status_of(url: &str, status: StatusCode) -> HostError {
    HostError::Status { url: told(url), status }
}

/// A URL as it may be told: without its query, which may be signed and is then as good as a password, and without a
/// user's name.
pub(crate) fn told(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lets_somebody_in_is_not_told_of_a_url() {
        for (url, wanted) in [
            ("https://a.b/c/d.zip?sr=b&sig=secret", "https://a.b/c/d.zip"),
            ("http://me:secret@a.b:80/c@d#secret", "http://a.b:80/c@d"),
            ("http://a.b?sig=secret", "http://a.b"),
            ("a b?secret", "a b"),
        ] {
            let why = || io::Error::other("no").into();
            assert_eq!(unreachable(url, why()).to_string(), format!("{wanted} can't be reached"));
            let status = status_of(url, StatusCode::NOT_FOUND).to_string();
            assert_eq!(status, format!("{wanted} answered 404 Not Found"));
        }
    }
}
