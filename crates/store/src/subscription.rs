//! Subscriptions.

use domain::{Subscription, SubscriptionId};

use crate::{Error, Put};

/// Looks up subscriptions.
pub trait SubscriptionReader {
    /// By id.
    ///
    /// # Errors
    /// When the store fails.
    fn subscription(&self, id: SubscriptionId) -> Result<Option<Subscription>, Error>;

    /// By name, without ASCII case.
    ///
    /// # Errors
    /// When the store fails.
    fn subscription_by_name(&self, name: &str) -> Result<Option<Subscription>, Error>;

    /// All, by name.
    ///
    /// # Errors
    /// When the store fails.
    fn subscriptions(&self) -> Result<Vec<Subscription>, Error>;
}

/// Changes subscriptions.
pub trait SubscriptionWriter {
    /// Stores a subscription under its id.
    ///
    /// # Errors
    /// [`Error::Taken`] when another has the name; [`Error::Missing`] when the tenant is not there;
    /// [`Error::Contradiction`] when it would move to another tenant.
    fn put_subscription(&mut self, subscription: &Subscription) -> Result<Put, Error>;

    /// Removes a subscription; says whether it was there.
    ///
    /// # Errors
    /// [`Error::InUse`] while it has a resource group.
    fn remove_subscription(&mut self, id: SubscriptionId) -> Result<bool, Error>;
}
