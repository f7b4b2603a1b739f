//! A subscription: what resource groups belong to.

use crate::{SubscriptionId, TenantId};

/// A subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Its id, the first GUID of every resource id in it.
    pub id: SubscriptionId,
    /// Its display name; unique in an installation.
    pub name: String,
    /// The tenant whose service principals it may use.
    pub tenant: TenantId,
}
