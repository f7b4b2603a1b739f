//! The file in which callers of the extension find its address: `ManagedIdentity-Settings`.
//!
//! On a VM with the Linux agent its folder is closed to all but root, and in a data directory to all but the owner: a
//! copy in a folder that everyone can read may be had.

use std::ffi::OsString;
use std::net::IpAddr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::disk::{Disk, DiskError, require_ours, write_atomically};

/// Its name, wherever it lies.
pub const NAME: &str = "ManagedIdentity-Settings";

/// The discovery file, there as long as this value.
#[derive(Debug)]
pub struct DiscoveryFile {
    path: PathBuf,
    /// Where it is noted that this is a copy.
    note: Option<PathBuf>,
}

impl DiscoveryFile {
    /// Writes it, readable for everyone: it holds a URL and nothing else. Call it once the port listens, with
    /// the address where that isn't localhost.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(disk: &Disk, own: Option<IpAddr>, port: u16) -> Result<Self, DiskError> {
        let path = disk.discovery_file();
        if let Some(folder) = path.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o755).create(folder).map_err(failed("made", folder))?;
        }
        write_to(&path, own, port)?;
        Ok(Self { path, note: None })
    }

    /// Writes a copy of what was written into `folder`, which is made, with what is above it, where it isn't there. The
    /// guest's disk remembers it, so that [`recall_copy`] finds it when it was left there.
    ///
    /// # Errors
    /// When a disk refuses, and when others than its owner and root may change what is in the folder.
    pub fn write_copy(disk: &Disk, folder: &Path, own: Option<IpAddr>, port: u16) -> Result<Self, DiskError> {
        if !folder.exists() {
            fs::DirBuilder::new().recursive(true).mode(0o755).create(folder).map_err(failed("made", folder))?;
            // The mode at creation is cut by the umask.
            fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).map_err(failed("made", folder))?;
        }
        require_ours(folder)?;
        let path = std::path::absolute(folder.join(NAME)).map_err(failed("named", folder))?;
        let note = disk.discovery_note();
        if let Some(above) = note.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(above).map_err(failed("made", above))?;
        }
        write_atomically(&note, path.as_os_str().as_bytes(), 0o600).map_err(failed("written", &note))?;
        let copy = Self { path, note: Some(note) };
        write_to(&copy.path, own, port)?;
        Ok(copy)
    }
}

/// Takes away the copy that a program left behind that could not tidy up: it leads callers to a port that may be anybody's
/// by now. One that somebody else has put there since stays. Call it before anything is written anew.
///
/// # Errors
/// When a disk refuses.
pub fn recall_copy(disk: &Disk) -> Result<(), DiskError> {
    let note = disk.discovery_note();
    let copy = match fs::read(&note) {
        Ok(path) => PathBuf::from(OsString::from_vec(path)),
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(why) => return Err(failed("read", &note)(why)),
    };
    let ours = fs::read(disk.discovery_file()).ok();
    let is_file = fs::symlink_metadata(&copy).is_ok_and(|found| found.is_file());
    if is_file && ours.is_some_and(|ours| fs::read(&copy).is_ok_and(|text| text == ours)) {
        fs::remove_file(&copy).map_err(failed("removed", &copy))?;
    }
    fs::remove_file(&note).map_err(failed("removed", &note))
}

fn write_to(path: &Path, own: Option<IpAddr>, port: u16) -> Result<(), DiskError> {
    let text = contract::extension::discovery_file(own, port);
    write_atomically(path, text.as_bytes(), 0o644).map_err(failed("written", path))
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DiskError + use<> {
    let path = path.to_owned();
    move |why| DiskError::Io { doing, path, why }
}

impl Drop for DiscoveryFile {
    fn drop(&mut self) {
        // Gone already when the whole folder went: nothing to do.
        drop(fs::remove_file(&self.path));
        drop(self.note.as_ref().map(fs::remove_file));
    }
}
