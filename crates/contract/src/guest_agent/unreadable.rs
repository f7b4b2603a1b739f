//! JSON that can't be read, told without what stands in it.

use serde::Deserialize;

/// JSON that can't be read. It holds a place and nothing of what stands there, which may be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It isn't JSON of the right shape.
    #[error("line {line}, column {column} isn't what stands there")]
    At {
        /// Counted from 1.
        line: usize,
        /// Counted from 1; 0 where a line's end is missing something.
        column: usize,
    },
    /// Too long.
    #[error("it is longer than {0} bytes")]
    Long(usize),
    /// It isn't JSON that could be read, but it isn't what was expected.
    #[error("something is missing or of another kind")]
    Shape,
}

impl From<serde_json::Error> for Unreadable {
    fn from(why: serde_json::Error) -> Self {
        match why.line() {
            0 => Self::Shape,
            line => Self::At { line, column: why.column() },
        }
    }
}

/// Reads JSON of at most so many bytes.
pub(super) fn read<T: for<'de> Deserialize<'de>>(bytes: &[u8], max: usize) -> Result<T, Unreadable> {
    if bytes.len() > max {
        return Err(Unreadable::Long(max));
    }
    Ok(serde_json::from_slice(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes))?)
}
