//! What is wrong with a seed file, and where.

use std::fmt;
use std::path::{Path, PathBuf};

use playbook::Mistake;
use serde_saphyr::Location;

/// An error in a seed file. Its text is for the person who wrote the file.
#[derive(Debug)]
pub(crate) struct SeedError {
    file: PathBuf,
    mistake: Mistake,
}

impl SeedError {
    pub(super) fn unreadable(file: &Path, why: std::io::Error) -> Self {
        Self { file: file.to_owned(), mistake: Mistake::whole(format!("can't be read: {why}")) }
    }

    pub(super) fn syntax(file: &Path, why: &serde_saphyr::Error) -> Self {
        Self { file: file.to_owned(), mistake: Mistake::syntax(why) }
    }

    pub(super) fn at(file: &Path, at: Location, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), mistake: Mistake::at(at, message) }
    }
}

impl fmt::Display for SeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.mistake.in_file(&self.file))
    }
}

impl std::error::Error for SeedError {}
