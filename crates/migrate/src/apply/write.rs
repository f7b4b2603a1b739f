//! Replaces a file: whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// Why a file wasn't written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// It isn't what was read.
    #[error("it was changed in the meantime, and is left as it is")]
    Changed,
    /// It, or its folder, can't be written.
    #[error("it can't be written")]
    Io(#[from] io::Error),
}

/// Writes a file through a new one beside it, if it still is what was read. It keeps its mode; a link keeps leading to it.
pub(super) fn replace(path: &Path, before: &[u8], after: &[u8]) -> Result<(), WriteError> {
    let path = fs::canonicalize(path)?;
    let metadata = fs::metadata(&path)?;
    if metadata.permissions().readonly() {
        return Err(WriteError::Io(io::Error::new(io::ErrorKind::PermissionDenied, "the file is read-only")));
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut new = tempfile::Builder::new().prefix(".symbolon-").tempfile_in(folder)?;
    new.write_all(after)?;
    new.as_file().set_permissions(metadata.permissions())?;
    new.as_file().sync_all()?;
    // As late as can be: what is written between here and the rename is lost.
    if fs::read(&path)? != before {
        return Err(WriteError::Changed);
    }
    new.persist(&path).map_err(|error| error.error)?;
    fs::File::open(folder)?.sync_all()?;
    Ok(())
}
