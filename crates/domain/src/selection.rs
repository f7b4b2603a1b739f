//! Which of a machine's identities a token request means.
//!
//! Public source: MicrosoftDocs/entra-docs `how-to-use-vm-token.md` and `managed-identities-faq.md` (default identity).

use std::sync::Arc;

use crate::{AssignedIdentities, ManagedIdentity};

/// How a request names an identity. Values are the decoded text of the request; they compare without ASCII case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selector<'a> {
    /// By application id.
    ClientId(&'a str),
    /// By principal id.
    ObjectId(&'a str),
    /// By the resource id of a user-assigned identity.
    ResourceId(&'a str),
}

/// Why no identity was selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// Nothing assigned matches, or nothing is assigned.
    #[error("Identity not found")]
    NotFound,
    /// No selector, no system-assigned identity, and several user-assigned ones.
    #[error(
        "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the \
         token request"
    )]
    Multiple,
}

/// The identity that a request means: the one a selector names; without one the system-assigned identity if enabled,
/// else the only user-assigned one. O(1) in the number of identities.
///
/// # Errors
/// [`SelectionError::NotFound`] when the selector matches nothing assigned (never another identity instead), or when
/// nothing is assigned; [`SelectionError::Multiple`] when only a selector could tell.
pub fn select<'s>(
    ids: &'s AssignedIdentities,
    sel: Option<Selector<'_>>,
) -> Result<&'s Arc<ManagedIdentity>, SelectionError> {
    match sel {
        Some(sel) => named(ids, sel).ok_or(SelectionError::NotFound),
        None => default(ids),
    }
}

fn named<'s>(ids: &'s AssignedIdentities, sel: Selector<'_>) -> Option<&'s Arc<ManagedIdentity>> {
    match sel {
        Selector::ClientId(text) => ids.by_client_id(text.parse().ok()?),
        Selector::ObjectId(text) => ids.by_principal_id(text.parse().ok()?),
        Selector::ResourceId(text) => ids.by_resource_id(text),
    }
}

fn default(ids: &AssignedIdentities) -> Result<&Arc<ManagedIdentity>, SelectionError> {
    match (ids.system_assigned(), ids.user_assigned()) {
        (Some(system), _) => Ok(system),
        (None, []) => Err(SelectionError::NotFound),
        (None, [only]) => Ok(only),
        (None, [_, _, ..]) => Err(SelectionError::Multiple),
    }
}

#[cfg(test)]
mod tests;
