//! Resources of types that nothing is known about here, and lists of resources of all types.

use domain::{Resource, ResourceId, ResourceSummary, Scope};

use crate::{Error, Page, Put};

/// Looks up resources.
pub trait ResourceReader {
    /// By resource id. Resources of known types aren't found here.
    ///
    /// # Errors
    /// When the store fails.
    fn resource(&self, id: &ResourceId) -> Result<Option<Resource>, Error>;

    /// Those within a scope, of unknown types, by id.
    ///
    /// # Errors
    /// When the store fails.
    fn resources(&self, within: &Scope, page: &Page) -> Result<Vec<Resource>, Error>;

    /// Resources of all types within a scope, by id.
    ///
    /// # Errors
    /// When the store fails.
    fn resource_summaries(&self, within: &Scope, page: &Page) -> Result<Vec<ResourceSummary>, Error>;
}

/// Changes resources.
pub trait ResourceWriter {
    /// Stores a resource under its id. The spelling of the id and the time it was made stay those of the first time;
    /// when nothing but the time of the change differs, nothing is stored.
    ///
    /// # Errors
    /// When the store fails.
    fn put_resource(&mut self, resource: &Resource) -> Result<Put, Error>;

    /// Removes a resource and everything of unknown type below it, with every role over those; says whether it was there.
    ///
    /// # Errors
    /// When the store fails.
    fn remove_resource(&mut self, id: &ResourceId) -> Result<bool, Error>;
}
