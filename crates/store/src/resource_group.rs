//! Resource groups.

use domain::{ResourceGroup, ResourceId, SubscriptionId};

use crate::{Error, Put};

/// Looks up resource groups.
pub trait ResourceGroupReader {
    /// By id.
    ///
    /// # Errors
    /// When the store fails.
    fn resource_group(&self, id: &ResourceId) -> Result<Option<ResourceGroup>, Error>;

    /// All of a subscription, by id.
    ///
    /// # Errors
    /// When the store fails.
    fn resource_groups(&self, subscription: SubscriptionId) -> Result<Vec<ResourceGroup>, Error>;
}

/// Changes resource groups.
pub trait ResourceGroupWriter {
    /// Stores a resource group under its id. The spelling of the id stays that of the first time.
    ///
    /// # Errors
    /// [`Error::Missing`] when the subscription is not there; [`Error::Contradiction`] when id, name and subscription
    /// disagree.
    fn put_resource_group(&mut self, group: &ResourceGroup) -> Result<Put, Error>;

    /// Removes a resource group; says whether it was there.
    ///
    /// # Errors
    /// [`Error::InUse`] while it holds a resource.
    fn remove_resource_group(&mut self, id: &ResourceId) -> Result<bool, Error>;
}
