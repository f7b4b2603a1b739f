//! Facts about the installation itself, and small named values.

use uuid::Uuid;

use crate::Error;

/// What a new store is given at its birth; of no effect on one that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Founding {
    /// The installation's id: random, made by whoever founds it.
    pub installation: Uuid,
    /// The epoch of its change feed: random too.
    pub epoch: Uuid,
}

/// Looks up facts about the installation.
pub trait MetaReader {
    /// The installation's id, the same for ever.
    ///
    /// # Errors
    /// When the store fails.
    fn installation(&self) -> Result<Uuid, Error>;

    /// The number of the stored format: how many migrations have run.
    ///
    /// # Errors
    /// When the store fails.
    fn format_version(&self) -> Result<u32, Error>;

    /// A named value.
    ///
    /// # Errors
    /// When the store fails.
    fn value(&self, name: &str) -> Result<Option<String>, Error>;
}

/// Changes named values.
pub trait MetaWriter {
    /// Sets a named value.
    ///
    /// # Errors
    /// When the store fails.
    fn put_value(&mut self, name: &str, value: &str) -> Result<crate::Put, Error>;

    /// Removes a named value; says whether it was there.
    ///
    /// # Errors
    /// When the store fails.
    fn remove_value(&mut self, name: &str) -> Result<bool, Error>;
}
