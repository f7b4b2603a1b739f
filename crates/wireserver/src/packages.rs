//! The folder that the packages of extensions lie in.

use std::collections::HashMap;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest::{Context, SHA256};
use contract::guest_agent::names::{compare_versions, is_handler_name, is_version};
use contract::guest_agent::package_manifest::{Package, PackageManifest};
use rustix::fs::OFlags;
use rustix::io::Errno;

/// A folder of packages, each a file `<Publisher.Type>-<version>.zip`; anything else in it is passed over. The folder is
/// looked at for each question, so what is put there or taken away is seen at once.
///
/// Names are compared without case, as the control plane does. A file is only opened by the name under which it was
/// found in the folder: no request can lead out of it. Links aren't followed.
pub struct PackageStore {
    folder: PathBuf,
    /// SHA-256 in hexadecimal, by file name.
    digests: Mutex<HashMap<String, (Stamp, String)>>,
}

/// A package that is there.
pub(crate) struct OpenPackage {
    pub(crate) file: File,
    /// In bytes.
    pub(crate) length: u64,
}

/// A package's file.
struct Found {
    file_name: String,
    version: String,
}

/// Changes whenever a file does.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    length: u64,
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        let changed = (metadata.ctime(), metadata.ctime_nsec());
        Self { inode: metadata.ino(), length: metadata.len(), changed }
    }
}

impl PackageStore {
    /// The packages in a folder, which must be there.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn open_folder(folder: impl Into<PathBuf>) -> io::Result<Self> {
        let store = Self { folder: folder.into(), digests: Mutex::default() };
        store.find("")?;
        Ok(store)
    }

    /// The versions of an extension (`Publisher.Type`), the oldest first; none when there is no package of it. Reads the
    /// disk.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn versions(&self, name: &str) -> io::Result<Vec<String>> {
        Ok(self.find(name)?.into_iter().map(|found| found.version).collect())
    }

    /// The manifest of an extension whose packages lie below `base`; none when there is no package of it. Reads each
    /// package through, once.
    pub(crate) fn manifest(&self, name: &str, base: &str) -> io::Result<Option<PackageManifest>> {
        let mut packages = Vec::new();
        for Found { file_name, version } in self.find(name)? {
            // One that went meanwhile is left out.
            let Some(package) = self.open_file(&file_name)? else { continue };
            let sha256 = Some(self.digest(&file_name, package)?);
            let uris = vec![format!("{base}/{name}/{name}-{version}.zip")];
            packages.push(Package { version, uris, sha256 });
        }
        Ok((!packages.is_empty()).then_some(PackageManifest { packages }))
    }

    /// A package.
    pub(crate) fn open(&self, name: &str, version: &str) -> io::Result<Option<OpenPackage>> {
        match self.find(name)?.into_iter().find(|found| found.version == version) {
            Some(found) => self.open_file(&found.file_name),
            None => Ok(None),
        }
    }

    /// The packages of an extension, the oldest version first.
    fn find(&self, name: &str) -> io::Result<Vec<Found>> {
        let mut found: Vec<Found> = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let Ok(file_name) = entry.file_name().into_string() else { continue };
            let Some((of, version)) = take_apart(&file_name) else { continue };
            if !of.eq_ignore_ascii_case(name) || !entry.file_type()?.is_file() {
                continue;
            }
            let version = version.to_owned();
            found.push(Found { file_name, version });
        }
        // By text where the numbers are the same, so that the order is always one.
        let key = |found: &Found| (found.version.clone(), found.file_name.clone());
        found.sort_by(|one, other| compare_versions(&one.version, &other.version).then(key(one).cmp(&key(other))));
        found.dedup_by(|one, other| one.version == other.version);
        Ok(found)
    }

    /// The file may be gone by now, or be another that isn't one: then there is none.
    fn open_file(&self, file_name: &str) -> io::Result<Option<OpenPackage>> {
        // Nor does it wait for whoever would write to a pipe.
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let file = match OpenOptions::new().read(true).custom_flags(flags).open(self.folder.join(file_name)) {
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(why) if why.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => return Ok(None),
            opened => opened?,
        };
        let metadata = file.metadata()?;
        Ok(metadata.is_file().then(|| OpenPackage { file, length: metadata.len() }))
    }

    fn digest(&self, file_name: &str, package: OpenPackage) -> io::Result<String> {
        let stamp = Stamp::of(&package.file.metadata()?);
        // Held while it reads: others that want the same wait for it instead of reading too.
        let mut digests = self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, digest)) = digests.get(file_name)
            && *of == stamp
        {
            return Ok(digest.clone());
        }
        let digest = sha256(package.file)?;
        digests.insert(file_name.to_owned(), (stamp, digest.clone()));
        Ok(digest)
    }
}

/// Name and version of a file that is a package's.
fn take_apart(file_name: &str) -> Option<(&str, &str)> {
    let (name, version) = file_name.strip_suffix(".zip")?.rsplit_once('-')?;
    (is_handler_name(name) && is_version(version)).then_some((name, version))
}

fn sha256(mut file: impl Read) -> io::Result<String> {
    let (mut context, mut piece) = (Context::new(&SHA256), vec![0; 64 * 1024]);
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            break;
        }
        context.update(piece.get(..read).unwrap_or_default());
    }
    Ok(context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// As if it had become so between the look at the folder and the opening.
    #[test]
    fn what_is_no_file_any_more_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "text").unwrap();
        symlink(at("file"), at("link")).unwrap();
        fs::create_dir(at("folder")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, at("pipe"), rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
        let store = PackageStore::open_folder(folder.path()).unwrap();
        assert_eq!(store.open_file("file").unwrap().map(|found| found.length), Some(4));
        for name in ["link", "folder", "pipe", "nothing"] {
            assert!(store.open_file(name).unwrap().is_none(), "{name}");
        }
    }
}
