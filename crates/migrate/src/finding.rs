//! What was found, and what could not be looked at.

use std::path::PathBuf;

use serde::Serialize;

use crate::rule::Rule;

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// A use of the extension.
    Error,
    /// Most likely a use of the extension; somebody should look.
    Warning,
    /// A mention: in prose, in a comment, or in what removes the extension. It doesn't count.
    Note,
}

/// A use of the extension, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub rule: Rule,
    /// How sure.
    pub level: Level,
    /// The file, as it was reached from the given path.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: u64,
    /// The column in characters, from 1.
    pub column: u64,
    /// Where in the file it begins, in bytes.
    pub offset: u64,
    /// How long it is, in bytes.
    pub length: usize,
    /// Its line, cut where that is very long.
    pub text: String,
    /// Where it begins in `text`, in bytes.
    pub start: usize,
    /// Where it ends in `text`, in bytes.
    pub end: usize,
    /// What is special about this one; empty when nothing is.
    pub detail: String,
}

impl Finding {
    /// The order of a report: by place, then by rule.
    #[must_use]
    pub fn order(&self, other: &Self) -> std::cmp::Ordering {
        (&self.path, self.offset, self.rule).cmp(&(&other.path, other.offset, other.rule))
    }

    /// Whether it is more than a mention.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.level != Level::Note
    }
}

/// Something that could not be looked at or changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// The file or folder, where it is known.
    #[serde(serialize_with = "crate::shown::known")]
    pub path: Option<PathBuf>,
    /// What happened.
    pub what: String,
}
