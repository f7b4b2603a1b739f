//! Replaces a file: whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::Path;

/// Why a file wasn't written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// It isn't what was read.
    #[error("it was changed in the meantime, and is left as it is")]
    Changed,
    /// It has more than one name, and a new file would take only one of them.
    #[error("it has other hard links, which would keep what it was: change it by hand")]
    Linked,
    /// It, or its folder, can't be written.
    #[error("it can't be written")]
    Io(#[from] io::Error),
}

/// Writes a file through a new one beside it, if it still is what was read. It keeps its owner, group and mode; a
/// symbolic link keeps leading to it.
pub(super) fn replace(path: &Path, before: &[u8], after: &[u8]) -> Result<(), WriteError> {
    let path = fs::canonicalize(path)?;
    let metadata = fs::metadata(&path)?;
    if metadata.permissions().readonly() {
        return Err(WriteError::Io(io::Error::new(io::ErrorKind::PermissionDenied, "the file is read-only")));
    }
    if metadata.nlink() > 1 {
        return Err(WriteError::Linked);
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut new = tempfile::Builder::new().prefix(".symbolon-").tempfile_in(folder)?;
    new.write_all(after)?;
    keep_owner(new.as_file(), &metadata)?;
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

/// Gives a new file the owner and group of the old one, where they aren't its own already: those who may do so are few.
fn keep_owner(new: &fs::File, old: &fs::Metadata) -> io::Result<()> {
    let own = new.metadata()?;
    let (user, group) = (old.uid(), old.gid());
    if (own.uid(), own.gid()) == (user, group) {
        return Ok(());
    }
    fchown(new, Some(user), Some(group))
        .map_err(|error| io::Error::new(error.kind(), format!("its owner {user}:{group} can't be kept: {error}")))
}
