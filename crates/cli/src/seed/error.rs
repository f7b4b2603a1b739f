//! What is wrong with a seed file, and where.

use std::fmt;
use std::path::{Path, PathBuf};

use serde_saphyr::Location;

/// An error in a seed file. Its text is for the person who wrote the file.
#[derive(Debug)]
pub(crate) struct SeedError {
    file: PathBuf,
    place: Option<(u64, u64)>,
    message: String,
}

impl SeedError {
    pub(super) fn unreadable(file: &Path, why: std::io::Error) -> Self {
        Self { file: file.to_owned(), place: None, message: format!("can't be read: {why}") }
    }

    pub(super) fn syntax(file: &Path, why: &serde_saphyr::Error) -> Self {
        let place = why.location().map(|at| (at.line(), at.column()));
        let text = why.without_snippet().to_string();
        // The parser ends its text with the place, which stands in front here.
        let message = match text.find(" at line ") {
            Some(end) if place.is_some() => text.get(..end).unwrap_or(&text).to_owned(),
            Some(_) | None => text,
        };
        Self { file: file.to_owned(), place, message }
    }

    pub(super) fn at(file: &Path, at: Location, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), place: Some((at.line(), at.column())), message: message.into() }
    }
}

impl fmt::Display for SeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for SeedError {}
