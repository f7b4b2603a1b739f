//! What is wrong with a host's configuration, and where.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// An error in the file. Its text is for the person who wrote it.
#[derive(Debug)]
pub(crate) struct ConfigError {
    file: PathBuf,
    /// Line and column, from 1.
    place: Option<(usize, usize)>,
    message: String,
}

impl ConfigError {
    pub(super) fn unreadable(file: &Path, why: &std::io::Error) -> Self {
        Self { file: file.to_owned(), place: None, message: format!("can't be read: {why}") }
    }

    pub(super) fn syntax(file: &Path, text: &str, why: &toml::de::Error) -> Self {
        let place = why.span().map(|span| place(text, &span));
        Self { file: file.to_owned(), place, message: why.message().to_owned() }
    }

    pub(super) fn at(file: &Path, text: &str, span: &Range<usize>, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), place: Some(place(text, span)), message: message.into() }
    }
}

fn place(text: &str, span: &Range<usize>) -> (usize, usize) {
    let before = text.get(..span.start).unwrap_or(text);
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count());
    (before.matches('\n').count() + 1, column + 1)
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for ConfigError {}
