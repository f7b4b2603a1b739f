//! Bytes that only the holder of a key-encryption key can read.

use std::fmt;

/// Bytes that only the holder of a key-encryption key can read, bound to what they belong to.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The key-encryption key.
    pub kek_id: String,
    /// Nonce, ciphertext and tag.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Sealed {
    /// Without the bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed").field("kek_id", &self.kek_id).finish_non_exhaustive()
    }
}
