//! The file in which callers of the extension find its address: `ManagedIdentity-Settings`.
//!
//! On a VM with the Linux agent its folder is closed to all but root, and in a data directory to all but the owner: a
//! copy in a folder that everyone can read may be had.

use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::disk::{Disk, DiskError, write_atomically};

/// Its name, wherever it lies.
pub const NAME: &str = "ManagedIdentity-Settings";

/// The discovery file, there as long as this value.
#[derive(Debug)]
pub struct DiscoveryFile(PathBuf);

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
        Self::write_to(path, own, port)
    }

    /// Writes a copy into `folder`, which is made, with what is above it, where it isn't there.
    ///
    /// # Errors
    /// When the disk refuses, and when others than its owner and root may change what is in the folder.
    pub fn write_copy(folder: &Path, own: Option<IpAddr>, port: u16) -> Result<Self, DiskError> {
        if !folder.exists() {
            fs::DirBuilder::new().recursive(true).mode(0o755).create(folder).map_err(failed("made", folder))?;
            // The mode at creation is cut by the umask.
            fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).map_err(failed("made", folder))?;
        }
        let found = fs::symlink_metadata(folder).map_err(failed("read", folder))?;
        let ours = found.uid() == rustix::process::geteuid().as_raw();
        if !found.is_dir() || !ours || found.permissions().mode() & 0o022 != 0 {
            return Err(DiskError::NotOurs { path: folder.to_owned() });
        }
        Self::write_to(folder.join(NAME), own, port)
    }

    fn write_to(path: PathBuf, own: Option<IpAddr>, port: u16) -> Result<Self, DiskError> {
        let text = contract::extension::discovery_file(own, port);
        write_atomically(&path, text.as_bytes(), 0o644).map_err(failed("written", &path))?;
        Ok(Self(path))
    }
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DiskError + use<> {
    let path = path.to_owned();
    move |why| DiskError::Io { doing, path, why }
}

impl Drop for DiscoveryFile {
    fn drop(&mut self) {
        // Gone already when the whole folder went: nothing to do.
        drop(fs::remove_file(&self.0));
    }
}
