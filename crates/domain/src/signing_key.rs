//! The states of a signing key.

/// Where a signing key is in its life; it only moves forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyState {
    /// Published and not yet used.
    Next,
    /// Signs.
    Active,
    /// Signs no more; still published, since its tokens live.
    Retiring,
    /// No longer published.
    Gone,
}
