//! The identities of one machine, arranged for selection.

use std::collections::HashMap;
use std::sync::Arc;

use crate::{ClientId, ManagedIdentity, PrincipalId, ResourceId};

/// Up to this many identities are looked through one by one; more get an index. Most machines have a few, and a
/// hundred thousand of them should not carry three maps each.
const SCAN_AT_MOST: usize = 8;

/// The identities assigned to one machine: at most one system-assigned, any number of user-assigned. Cheap to clone;
/// every lookup is O(1).
#[derive(Clone, Debug, Default)]
pub struct AssignedIdentities {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    system: Option<Arc<ManagedIdentity>>,
    user: Box<[Arc<ManagedIdentity>]>,
    index: Option<Box<Index>>,
}

#[derive(Debug)]
struct Index {
    by_client: HashMap<ClientId, Arc<ManagedIdentity>>,
    by_principal: HashMap<PrincipalId, Arc<ManagedIdentity>>,
    by_resource: HashMap<Box<str>, Arc<ManagedIdentity>>,
}

impl AssignedIdentities {
    /// The identities of a machine. A user-assigned identity given twice counts once.
    #[must_use]
    pub fn new(system: Option<ManagedIdentity>, user: Vec<ManagedIdentity>) -> Self {
        Self::shared(system.map(Arc::new), user.into_iter().map(Arc::new).collect())
    }

    /// The same from identities that several machines share.
    #[must_use]
    pub fn shared(system: Option<Arc<ManagedIdentity>>, mut user: Vec<Arc<ManagedIdentity>>) -> Self {
        if user.len() <= SCAN_AT_MOST {
            let mut kept: Vec<Arc<ManagedIdentity>> = Vec::with_capacity(user.len());
            for identity in user {
                if !kept.iter().any(|earlier| earlier.id == identity.id) {
                    kept.push(identity);
                }
            }
            return Self { inner: Arc::new(Inner { system, user: kept.into(), index: None }) };
        }
        let mut by_resource = HashMap::with_capacity(user.len());
        user.retain(|identity| by_resource.insert(Box::from(identity.id.key()), Arc::clone(identity)).is_none());
        let all = || system.iter().chain(&user).map(Arc::clone);
        let index = Index {
            by_client: all().map(|identity| (identity.client_id, identity)).collect(),
            by_principal: all().map(|identity| (identity.principal_id, identity)).collect(),
            by_resource,
        };
        Self { inner: Arc::new(Inner { system, user: user.into(), index: Some(Box::new(index)) }) }
    }

    /// The system-assigned identity, when enabled.
    #[must_use]
    pub fn system_assigned(&self) -> Option<&Arc<ManagedIdentity>> {
        self.inner.system.as_ref()
    }

    /// The user-assigned identities, in the order they were given.
    #[must_use]
    pub fn user_assigned(&self) -> &[Arc<ManagedIdentity>] {
        &self.inner.user
    }

    /// All of them, the system-assigned one first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<ManagedIdentity>> {
        self.inner.system.iter().chain(&*self.inner.user)
    }

    /// The identity with this client id, of either kind.
    #[must_use]
    pub fn by_client_id(&self, id: ClientId) -> Option<&Arc<ManagedIdentity>> {
        match &self.inner.index {
            Some(index) => index.by_client.get(&id),
            None => self.iter().find(|identity| identity.client_id == id),
        }
    }

    /// The identity with this principal id, of either kind.
    #[must_use]
    pub fn by_principal_id(&self, id: PrincipalId) -> Option<&Arc<ManagedIdentity>> {
        match &self.inner.index {
            Some(index) => index.by_principal.get(&id),
            None => self.iter().find(|identity| identity.principal_id == id),
        }
    }

    /// The user-assigned identity with this resource id, in any case. The machine's own id is not the resource id of
    /// its system-assigned identity.
    #[must_use]
    pub fn by_resource_id(&self, id: &str) -> Option<&Arc<ManagedIdentity>> {
        match &self.inner.index {
            Some(index) if id.len() <= crate::resource_id::MAX_LENGTH => {
                index.by_resource.get(id.to_ascii_lowercase().as_str())
            }
            Some(_) => None,
            None => self.inner.user.iter().find(|identity| id.eq_ignore_ascii_case(identity.id.as_str())),
        }
    }

    /// Whether this very resource is assigned.
    #[must_use]
    pub fn contains(&self, id: &ResourceId) -> bool {
        self.by_resource_id(id.key()).is_some()
    }
}

impl PartialEq for AssignedIdentities {
    /// Same identities in the same order.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
            || (self.inner.system == other.inner.system && self.inner.user == other.inner.user)
    }
}

impl Eq for AssignedIdentities {}
