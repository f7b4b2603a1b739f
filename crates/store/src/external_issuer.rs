//! External issuers.

use domain::ExternalIssuer;

use crate::{Error, Put};

/// Looks up external issuers.
pub trait ExternalIssuerReader {
    /// By its `iss`, compared exactly.
    ///
    /// # Errors
    /// When the store fails.
    fn external_issuer(&self, url: &str) -> Result<Option<ExternalIssuer>, Error>;

    /// All, by `iss`.
    ///
    /// # Errors
    /// When the store fails.
    fn external_issuers(&self) -> Result<Vec<ExternalIssuer>, Error>;
}

/// Changes external issuers.
pub trait ExternalIssuerWriter {
    /// Stores an issuer under its `iss`.
    ///
    /// # Errors
    /// When the store fails.
    fn put_external_issuer(&mut self, issuer: &ExternalIssuer) -> Result<Put, Error>;

    /// Removes an issuer; says whether it was there.
    ///
    /// # Errors
    /// When the store fails.
    fn remove_external_issuer(&mut self, url: &str) -> Result<bool, Error>;
}
