//! Opens the files of a tree that somebody else filled: no link leads out of it, and nothing waits.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Component, Path};

use rustix::fs::{Mode, OFlags, open, openat};

/// The root of a machine's tree.
pub(super) struct Root(OwnedFd);

impl Root {
    /// Opens it. It may itself be reached by a link: whoever runs this names it.
    ///
    /// # Errors
    /// When it isn't a folder that can be read.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(open(path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?))
    }

    /// Opens a regular file below it, folder by folder, so that none of them can be made a link in the meantime.
    ///
    /// # Errors
    /// When a part of the path is a link or leads upwards, when the last is no regular file, and when one can't be opened.
    pub(super) fn file(&self, below: &Path) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut folder: Option<OwnedFd> = None;
        let mut parts = below.components().peekable();
        while let Some(part) = parts.next() {
            let Component::Normal(name) = part else { break };
            let within = folder.as_ref().unwrap_or(&self.0);
            if parts.peek().is_some() {
                folder = Some(openat(within, name, flags | OFlags::DIRECTORY, Mode::empty())?);
                continue;
            }
            // A pipe that nobody writes to would be waited for.
            let file = File::from(openat(within, name, flags | OFlags::NONBLOCK, Mode::empty())?);
            if file.metadata()?.is_file() {
                return Ok(file);
            }
            return Err(io::Error::other("it is no regular file"));
        }
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no path below the root"))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn no_link_is_followed_and_no_pipe_waited_for() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "x").unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("a/b")).unwrap();
        fs::write(folder.path().join("a/b/c"), "x").unwrap();
        symlink(outside.path(), folder.path().join("a/out")).unwrap();
        symlink(outside.path().join("secret"), folder.path().join("a/link")).unwrap();
        symlink("b/c", folder.path().join("a/within")).unwrap();
        let made = std::process::Command::new("mkfifo").arg(folder.path().join("a/pipe")).status().unwrap();
        assert!(made.success());
        let root = Root::open(folder.path()).unwrap();
        assert!(root.file(Path::new("a/b/c")).is_ok());
        let up = format!("../{}/secret", outside.path().file_name().unwrap().display());
        for path in ["a/out/secret", "a/link", "a/within", "a/pipe", "a/b", "a/none", "a/b/c/d", "", "/etc", &up] {
            assert!(root.file(Path::new(path)).is_err(), "{path}");
        }
        assert!(Root::open(&folder.path().join("a/b/c")).is_err());
    }
}
