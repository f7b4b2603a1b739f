//! Who did what: one entry for each saved transaction that changed something.

use domain::Timestamp;

use crate::Error;

/// What a transaction is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// Who acts: a principal id, or a word such as `seed` or `operator`.
    pub actor: String,
    /// What is done, e.g. `virtualMachine.put`.
    pub action: String,
    /// To what: a resource id or another key.
    pub target: String,
    /// When.
    pub at: Timestamp,
}

impl Act {
    /// An act.
    pub fn new(actor: impl Into<String>, action: impl Into<String>, target: impl Into<String>, at: Timestamp) -> Self {
        Self { actor: actor.into(), action: action.into(), target: target.into(), at }
    }
}

/// A kept act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its number: entries are numbered in the order of their commits.
    pub seq: u64,
    /// The act.
    pub act: Act,
}

/// Reads the audit.
pub trait AuditReader {
    /// At most `limit` entries with a number above `after`, in order. `0` is before the first.
    ///
    /// # Errors
    /// When the store fails.
    fn audit(&self, after: u64, limit: usize) -> Result<Vec<AuditEntry>, Error>;

    /// The newest, if there is one.
    ///
    /// # Errors
    /// When the store fails.
    fn latest_act(&self) -> Result<Option<Act>, Error>;
}
