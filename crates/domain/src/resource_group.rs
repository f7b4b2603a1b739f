//! A resource group: the folder of resources in a subscription.

use std::collections::BTreeMap;

use crate::{ResourceId, SubscriptionId};

/// A resource group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceGroup {
    /// `/subscriptions/{id}/resourceGroups/{name}`.
    pub id: ResourceId,
    /// Its name; see [`crate::names::resource_group`].
    pub name: String,
    /// Its region, e.g. `westeurope`.
    pub location: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The subscription it is in.
    pub subscription: SubscriptionId,
}
