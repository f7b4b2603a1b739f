//! Signing keys, wrapped.

use domain::SigningKeyRecord;

use crate::{Error, Put};

/// Looks up signing keys.
pub trait SigningKeyReader {
    /// By key id.
    ///
    /// # Errors
    /// When the store fails.
    fn signing_key(&self, kid: &str) -> Result<Option<SigningKeyRecord>, Error>;

    /// All, the earliest published first.
    ///
    /// # Errors
    /// When the store fails.
    fn signing_keys(&self) -> Result<Vec<SigningKeyRecord>, Error>;
}

/// Changes signing keys.
pub trait SigningKeyWriter {
    /// Stores a key under its id. What it is for and its certificate never change.
    ///
    /// # Errors
    /// [`Error::Contradiction`] when it is there for something else, or would move back to an earlier state.
    fn put_signing_key(&mut self, key: &SigningKeyRecord) -> Result<Put, Error>;
}
