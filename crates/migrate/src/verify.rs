//! Whether anything is left on a VM's disk with which somebody could act as one of its identities: every file of a tree is
//! searched, whatever its name, and what was looked at is said.
//!
//! What a real guest agent keeps of its own was measured: its transport key and certificate outlive every extension. They
//! open the protected settings of extensions and nothing else, so they are allowed as long as none of those are left.

mod form;
mod pattern;
mod place;
mod root;
mod search;
mod tar;

use std::io;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;
use serde::Serialize;

use self::pattern::Patterns;
use self::root::Root;
use self::search::{Looked, search};

pub use self::pattern::Kind;

/// Folders by which a machine's root is known, where it has no file.
const ROOTS: [&str; 2] = ["etc", "var"];

/// What something that was found is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Worth {
    /// Somebody could use it.
    Usable,
    /// It is to be there, and is of no use to a thief.
    Allowed,
    /// Something of the extension that opens nothing.
    Remains,
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The file, below the root.
    #[serde(serialize_with = "crate::shown::path")]
    pub path: PathBuf,
    /// Where in it, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// Whether that is in what the file unpacks to.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unpacked: bool,
    /// What it is.
    pub what: &'static str,
    /// What it is worth.
    pub worth: Worth,
    /// Why it is allowed, or what to do.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub why: &'static str,
}

/// What came of looking.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How many files were searched.
    pub files: u64,
    /// How many folders they were in.
    pub folders: u64,
    /// How long they were together, in bytes.
    pub bytes: u64,
    /// How many of them were unpacked and searched again.
    pub unpacked: u64,
    /// What was found, in the order of the paths.
    pub found: Vec<Found>,
    /// What could not be searched, or not to its end as it unpacks, and why.
    #[serde(serialize_with = "crate::shown::each")]
    pub unread: Vec<(PathBuf, String)>,
    /// What was not looked into, and in which form it is: packed otherwise than by gzip and zlib, packed twice, sealed, swap.
    #[serde(serialize_with = "crate::shown::each")]
    pub skipped: Vec<(PathBuf, String)>,
}

impl Report {
    /// Whether every file was searched to its end, as it lies and unpacked where it is gzip's, and nothing usable was found.
    #[must_use]
    pub fn proves(&self) -> bool {
        self.unread.is_empty() && self.found.iter().all(|found| found.worth != Worth::Usable)
    }
}

/// Searches a VM's tree. Links are not followed: what they lead to is either below the root too or on another disk.
///
/// # Errors
/// When the root itself isn't a folder that can be read, and when it can't be a machine's: it has no file, and none of the
/// folders that every machine has.
pub fn verify(root: &Path) -> io::Result<Report> {
    let folder = Root::open(root)?;
    let patterns = Patterns::new().map_err(io::Error::other)?;
    let mut report = Report::default();
    let walk = WalkBuilder::new(root)
        .standard_filters(false)
        .hidden(false)
        .follow_links(false)
        .sort_by_file_path(Path::cmp)
        .build();
    for entry in walk {
        let entry = match entry {
            Ok(entry) => entry,
            Err(why) => {
                report.unread.push((root.to_owned(), why.to_string()));
                continue;
            }
        };
        let below = entry.path().strip_prefix(root).unwrap_or(entry.path()).to_owned();
        let kind = entry.file_type();
        if kind.is_some_and(|kind| kind.is_dir()) {
            report.folders += 1;
        }
        if let Some(what) = place::remains(&below) {
            report.found.push(Found {
                path: below.clone(),
                offset: None,
                unpacked: false,
                what,
                worth: Worth::Remains,
                why: "",
            });
        }
        if kind.is_some_and(|kind| kind.is_file()) {
            match folder.file(&below).and_then(|file| search(file, &below, &patterns)) {
                Ok(Looked { bytes, found, unpacked, skipped, unread }) => {
                    report.files += 1;
                    report.bytes += bytes;
                    report.unpacked += u64::from(unpacked);
                    report.found.extend(found);
                    report.skipped.extend(skipped.into_iter().map(|what| (below.clone(), what)));
                    report.unread.extend(unread.map(|why| (below, why)));
                }
                Err(why) => report.unread.push((below, why.to_string())),
            }
        }
    }
    // An empty folder proves nothing: most likely the disk isn't mounted there.
    if report.files == 0 && report.unread.is_empty() && !ROOTS.iter().any(|name| root.join(name).is_dir()) {
        let why = "it has no file, neither etc nor var: it isn't the root of a machine, or its disk isn't mounted";
        return Err(io::Error::other(why));
    }
    report.skipped.extend(form::swap(&folder).into_iter().map(|what| (PathBuf::from("etc/fstab"), what)));
    judge(&mut report.found);
    Ok(report)
}

/// An agent's own key is of use where something is left that it opens; and what is sealed is of no use without it.
fn judge(found: &mut [Found]) {
    let (key, sealed) = (place::AGENTS_OWN, Kind::SealedSettings.described());
    let has_key = found.iter().any(|one| one.why == key && one.what != sealed);
    let has_sealed = found.iter().any(|one| one.what == sealed);
    for one in found {
        if one.what == sealed && !has_key {
            (one.worth, one.why) = (Worth::Remains, "the key that opens it is gone");
        } else if one.why == key && has_sealed {
            (one.worth, one.why) = (Worth::Usable, "it opens protected settings that are left");
        }
    }
}

#[cfg(test)]
mod tests;
