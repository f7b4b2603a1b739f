//! Issuers outside this installation whose tokens federated credentials may name.

use std::path::PathBuf;

/// An external issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalIssuer {
    /// Its `iss`, compared exactly.
    pub url: String,
    /// Where its keys are.
    pub jwks: JwksSource,
}

/// Where the keys of an external issuer are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JwksSource {
    /// The JWKS document itself.
    Inline(String),
    /// A file that holds the document.
    File(PathBuf),
    /// An address that serves the document.
    Url(String),
}
