//! Resources of types that nothing here is known about: kept as they were given.

use std::collections::BTreeMap;

use crate::{ResourceId, Timestamp};

/// A resource of any type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Its resource id.
    pub id: ResourceId,
    /// Its region, where it has one.
    pub location: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Everything else that its owner said of it: a JSON object, kept as it was given but for secrets.
    pub document: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub changed_at: Timestamp,
}

/// What a list of resources of all types says of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceSummary {
    /// Its resource id.
    pub id: ResourceId,
    /// Its region, where it has one.
    pub location: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// When it was made; none where nobody noted it.
    pub created_at: Option<Timestamp>,
}
