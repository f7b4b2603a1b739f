//! The other implementation that the tests compare with: the program `openssl`.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

/// A folder for what passes between us and `openssl`.
pub(crate) struct Scratch(TempDir);

impl Scratch {
    /// `None`, and says so past the test's capture, when there is no `openssl`.
    pub(crate) fn new() -> Option<Self> {
        if Command::new("openssl").arg("version").output().is_err() {
            let test = std::thread::current().name().unwrap_or_default().to_owned();
            let _ = writeln!(std::io::stderr(), "SKIPPED {test}: there is no program `openssl`");
            return None;
        }
        Some(Self(tempfile::tempdir().unwrap()))
    }

    /// The path of a file, which need not be there.
    pub(crate) fn path(&self, name: &str) -> String {
        self.file(name).to_str().unwrap().to_owned()
    }

    /// Writes a file and gives its path.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> String {
        std::fs::write(self.file(name), bytes).unwrap();
        self.path(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.file(name)).unwrap()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// Runs `openssl`, which must succeed.
pub(crate) fn run(args: &[&str]) -> Vec<u8> {
    let Output { status, stdout, stderr } = Command::new("openssl").args(args).output().unwrap();
    assert!(status.success(), "openssl {args:?}: {}", String::from_utf8_lossy(&stderr));
    stdout
}

/// Runs `openssl`, which must succeed and print text.
pub(crate) fn text(args: &[&str]) -> String {
    String::from_utf8(run(args)).unwrap()
}
