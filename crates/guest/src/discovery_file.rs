//! The file in which callers of the extension find its address: `ManagedIdentity-Settings`.

use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use crate::disk::{Disk, DiskError, write_atomically};

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
        let failed = |doing| {
            let path = path.clone();
            move |why| DiskError::Io { doing, path, why }
        };
        if let Some(folder) = path.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o755).create(folder).map_err(failed("written"))?;
        }
        let text = contract::extension::discovery_file(own, port);
        write_atomically(&path, text.as_bytes(), 0o644).map_err(failed("written"))?;
        Ok(Self(path))
    }
}

impl Drop for DiscoveryFile {
    fn drop(&mut self) {
        // Gone already when the whole folder went: nothing to do.
        drop(fs::remove_file(&self.0));
    }
}
