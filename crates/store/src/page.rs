//! A piece of a list that is ordered by id.

/// Which piece of a list that is ordered by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The last id of the piece before, in lower case; none for the first piece.
    pub after: Option<String>,
    /// How many at most.
    pub limit: usize,
}

impl Page {
    /// The whole list.
    pub const ALL: Self = Self { after: None, limit: usize::MAX };
}
