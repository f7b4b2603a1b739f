//! A package, unpacked: whole or not at all, within bounds, and nowhere but into its folder.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

use zip::ZipArchive;
use zip::result::ZipError;

use crate::disk::UNFINISHED;
use crate::files;

/// How much a package may hold when unpacked, in bytes.
pub const MAX_UNPACKED: u64 = 256 << 20;
/// How many times as much as it is long itself, besides what it may hold in any case.
const MAX_RATIO: u64 = 100;
const IN_ANY_CASE: u64 = 1 << 20;
/// How many files and folders it may hold.
pub const MAX_ENTRIES: usize = 1_000;

/// Why a package can't be unpacked. Nothing of it is left.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// It is no zip file, or a damaged one.
    #[error("the package is no sound zip file")]
    Malformed(#[source] ZipError),
    /// A file in it is damaged, or the disk refuses.
    #[error("'{name}' of the package can't be unpacked")]
    Entry {
        /// Its name.
        name: String,
        /// Why.
        #[source]
        why: io::Error,
    },
    /// It would write elsewhere.
    #[error("the package holds '{0}', which isn't a place in its own folder")]
    Outside(String),
    /// It holds something else than files and folders.
    #[error("the package holds '{0}', which is neither a file nor a folder, or is encrypted")]
    Kind(String),
    /// It holds two files of one name, which readers don't read alike.
    #[error("the package holds two files of one name")]
    Twice,
    /// It is larger than packages are.
    #[error(
        "the package holds more than {MAX_ENTRIES} entries, more than {} MiB, or {MAX_RATIO} times as much as it is long",
        MAX_UNPACKED >> 20
    )]
    TooLarge,
    /// The disk refuses.
    #[error("{} can't be made or read", path.display())]
    Folder {
        /// The folder, or the package.
        path: PathBuf,
        /// Why.
        #[source]
        why: io::Error,
    },
}

/// Unpacks a package into the folder `into`, which is there when all of it is; what was in its place goes. Everything
/// is for the owner alone, and everything can be run: modes in a zip file don't count.
///
/// # Errors
/// When it is damaged or larger than packages are, when it would write elsewhere, or when the disk refuses.
pub fn unpack(mut package: impl Read + Seek, into: &Path) -> Result<(), PackageError> {
    let length = package.seek(SeekFrom::End(0)).map_err(|why| PackageError::Malformed(why.into()))?;
    unpack_bounded(package, into, MAX_UNPACKED.min(length.saturating_mul(MAX_RATIO).saturating_add(IN_ANY_CASE)))
}

fn unpack_bounded(package: impl Read + Seek, into: &Path, bytes: u64) -> Result<(), PackageError> {
    let mut new = into.as_os_str().to_owned();
    new.push(UNFINISHED);
    let new = PathBuf::from(new);
    let folder = |path: &Path| {
        let path = path.to_owned();
        move |why| PackageError::Folder { path, why }
    };
    files::remove_all(&new).map_err(folder(&new))?;
    DirBuilder::new().mode(0o700).create(&new).map_err(folder(&new))?;
    let placed = extract(package, &new, bytes).and_then(|()| {
        files::remove_all(into).map_err(folder(into))?;
        fs::rename(&new, into).map_err(folder(into))?;
        into.parent().map_or(Ok(()), files::sync_folder).map_err(folder(into))
    });
    if placed.is_err() {
        // Why it couldn't be unpacked is what counts.
        drop(files::remove_all(&new));
    }
    placed
}

fn extract(mut package: impl Read + Seek, into: &Path, mut left: u64) -> Result<(), PackageError> {
    let told = told_entries(&mut package).map_err(|why| PackageError::Malformed(why.into()))?;
    if told.is_some_and(|told| told > MAX_ENTRIES) {
        return Err(PackageError::TooLarge);
    }
    let mut archive = ZipArchive::new(package).map_err(PackageError::Malformed)?;
    // Of entries of one name only the last is listed.
    if told != Some(archive.len()) {
        return Err(PackageError::Twice);
    }
    for number in 0..archive.len() {
        let mut entry = archive.by_index(number).map_err(PackageError::Malformed)?;
        let name = entry.name().map_err(PackageError::Malformed)?.into_owned();
        if entry.is_symlink() || entry.encrypted() {
            return Err(PackageError::Kind(name));
        }
        let path = into.join(inside(&name).ok_or_else(|| PackageError::Outside(name.clone()))?);
        let failed = |why| PackageError::Entry { name: name.clone(), why };
        let folder = if entry.is_dir() { Some(path.as_path()) } else { path.parent() };
        if let Some(folder) = folder {
            DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        }
        if entry.is_dir() {
            continue;
        }
        // What it says of its own length isn't asked.
        let file = OpenOptions::new().write(true).create_new(true).mode(0o700).open(&path).map_err(failed)?;
        let written = copy(&mut entry, file, left).map_err(failed)?;
        left = written.and_then(|written| left.checked_sub(written)).ok_or(PackageError::TooLarge)?;
    }
    Ok(())
}

/// How many entries a zip file says that it has, at its very end (APPNOTE.TXT 4.3.16); none when it has no such end.
fn told_entries(package: &mut (impl Read + Seek)) -> io::Result<Option<usize>> {
    const END: usize = 22;
    let length = package.seek(SeekFrom::End(0))?;
    let tail = length.min(u64::try_from(END).unwrap_or_default() + u64::from(u16::MAX));
    package.seek(SeekFrom::Start(length - tail))?;
    let mut bytes = Vec::new();
    package.take(tail).read_to_end(&mut bytes)?;
    let number = |at: usize| Some(usize::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)));
    let ends = |at: &usize| {
        let comment = bytes.len() - at - END;
        bytes.get(*at..at + 4) == Some(b"PK\x05\x06") && number(at + END - 2) == Some(comment)
    };
    let end = (0..=bytes.len().saturating_sub(END)).rev().filter(|at| at + END <= bytes.len()).find(ends);
    Ok(end.and_then(|end| number(end + 10)))
}

/// How many bytes were written; none when there are more than `most`. The end of an entry is where its checksum is
/// compared, so it is read to the end.
fn copy(entry: &mut impl Read, mut file: File, most: u64) -> io::Result<Option<u64>> {
    let written = io::copy(&mut entry.by_ref().take(most), &mut file)?;
    if written == most && entry.read(&mut [0])? > 0 {
        return Ok(None);
    }
    file.sync_all()?;
    Ok(Some(written))
}

/// The place that a name means in a folder; none when it leads out of it, or may be read in two ways.
fn inside(name: &str) -> Option<PathBuf> {
    let plain = !name.is_empty() && !name.contains(['\\', '\0']) && !name.starts_with('/');
    let path = Path::new(name);
    let sound = path.components().all(|part| matches!(part, Component::Normal(_)));
    (plain && sound).then(|| path.to_owned())
}

#[cfg(test)]
mod tests;
