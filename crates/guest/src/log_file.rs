//! A file of log lines that doesn't grow for ever, for its owner alone, and that no link leads elsewhere.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// How long the file may get, in bytes. Then its lines go into one that ends with `.1`, and what was there before is
/// forgotten.
const FULL: u64 = 256 * 1024;

/// A log file in a folder, both made when there is something to say.
#[derive(Clone, Debug)]
pub struct LogFile {
    folder: PathBuf,
    name: &'static str,
}

impl LogFile {
    /// The file of that name in a folder.
    #[must_use]
    pub fn new(folder: PathBuf, name: &'static str) -> Self {
        Self { folder, name }
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Adds to it.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn append(&self, bytes: &[u8]) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let path = self.folder.join(self.name);
        if fs::symlink_metadata(&path).is_ok_and(|file| file.len() > FULL) {
            fs::rename(&path, self.folder.join(format!("{}.1", self.name)))?;
        }
        let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(no_follow).open(path)?;
        file.write_all(bytes)
    }
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.append(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_not_grow_for_ever_nor_follow_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let log = LogFile::new(folder.path().to_owned(), "x.log");
        let line = [b'x'; 1_000];
        for _ in 0..600 {
            log.append(&line).unwrap();
        }
        let sizes = ["x.log", "x.log.1"].map(|name| fs::metadata(folder.path().join(name)).unwrap().len());
        assert!(sizes.iter().sum::<u64>() < 2 * FULL + 2_000, "{sizes:?}");
        let target = folder.path().join("target");
        fs::write(&target, "kept").unwrap();
        fs::remove_file(folder.path().join("x.log")).unwrap();
        std::os::unix::fs::symlink(&target, folder.path().join("x.log")).unwrap();
        assert!(log.append(&line).is_err());
        assert_eq!(fs::read_to_string(target).unwrap(), "kept");
    }
}
