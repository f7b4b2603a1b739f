//! The folder of a handler: what the agent puts there, and what it finds there.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use contract::guest_agent::WantedExtension;
use contract::guest_agent::handler::{HandlerEnvironment, HandlerManifest, InvalidFile};
use contract::guest_agent::names::is_version;
use serde_json::json;

use crate::disk::{DiskError, UNFINISHED, write_atomically};
use crate::files;
use crate::handler::place::ENVIRONMENT;

const MANIFEST: &str = "HandlerManifest.json";
/// The longest manifest or heartbeat.
pub(super) const MAX: u64 = 1024 * 1024;
/// How far down in a package its manifest may be.
const DEPTH: usize = 4;

/// What became of a handler, in one word of a file (Azure/WALinuxAgent `ga/exthandlers.py`, `HandlerState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandlerState {
    /// It isn't, or not whole.
    NotInstalled,
    /// Its `install` is done.
    Installed,
    /// Its `enable` is done.
    Enabled,
    /// An older version gave way to it, and then something failed.
    FailedUpgrade,
}

impl HandlerState {
    const ALL: [Self; 4] = [Self::NotInstalled, Self::Installed, Self::Enabled, Self::FailedUpgrade];

    fn as_str(self) -> &'static str {
        match self {
            Self::NotInstalled => "NotInstalled",
            Self::Installed => "Installed",
            Self::Enabled => "Enabled",
            Self::FailedUpgrade => "FailedUpgrade",
        }
    }
}

/// The folder of one version of a handler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandlerFolder {
    name: String,
    version: String,
    home: PathBuf,
    logs: PathBuf,
}

/// A package without a manifest that can be read.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// There is none.
    #[error("the package has no {MANIFEST}")]
    Missing,
    /// It isn't one.
    #[error("the package's {MANIFEST} can't be used: {0}")]
    Invalid(#[from] InvalidFile),
    /// The disk refuses.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

impl HandlerFolder {
    /// That of a version of a handler below the root of a machine.
    #[must_use]
    pub fn new(root: &Path, name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            home: root.join("var/lib/waagent"),
            logs: root.join("var/log/azure").join(name),
        }
    }

    /// Every version of a handler that is on the disk, whole or not.
    ///
    /// # Errors
    /// When the disk can't be read.
    pub fn versions(root: &Path, name: &str) -> Result<Vec<Self>, DiskError> {
        let mut found = Vec::new();
        for file in listed(&root.join("var/lib/waagent"))? {
            let version = file.strip_prefix(name).and_then(|rest| rest.strip_prefix('-'));
            let version = version.map(|version| version.strip_suffix(UNFINISHED).unwrap_or(version));
            if let Some(version) = version.filter(|version| is_version(version)) {
                found.push(Self::new(root, name, version));
            }
        }
        found.sort_by(|one, other| one.version.cmp(&other.version));
        found.dedup();
        Ok(found)
    }

    /// The names of the handlers of which a version is installed, wanted or not.
    ///
    /// # Errors
    /// When the disk can't be read.
    pub fn installed(root: &Path) -> Result<BTreeSet<String>, DiskError> {
        let mut names = BTreeSet::new();
        for file in listed(&root.join("var/lib/waagent"))? {
            let Some((name, version)) = file.rsplit_once('-').filter(|(_, version)| is_version(version)) else {
                continue;
            };
            if Self::new(root, name, version).state() != HandlerState::NotInstalled {
                names.insert(name.to_owned());
            }
        }
        Ok(names)
    }

    /// `Publisher.Type`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The full version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.home.join(format!("{}-{}", self.name, self.version))
    }

    /// Where its package is kept.
    #[must_use]
    pub fn package(&self) -> PathBuf {
        self.home.join(format!("{}__{}.zip", self.name, self.version))
    }

    /// Where its commands' words go. It has no version and stays when the handler goes.
    #[must_use]
    pub fn logs(&self) -> &Path {
        &self.logs
    }

    /// Where it says that it lives.
    #[must_use]
    pub fn heartbeat(&self) -> PathBuf {
        self.path().join("heartbeat.log")
    }

    /// Where it says what came of settings.
    #[must_use]
    pub fn status(&self, sequence: u64) -> PathBuf {
        self.path().join("status").join(format!("{sequence}.status"))
    }

    /// What became of it. What can't be read isn't installed.
    #[must_use]
    pub fn state(&self) -> HandlerState {
        let text = files::read(&self.path().join("config/HandlerState"), 64).ok().flatten().unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let known = HandlerState::ALL.into_iter().find(|state| state.as_str() == text.trim());
        known.unwrap_or(HandlerState::NotInstalled)
    }

    /// Notes what became of it.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn set_state(&self, state: HandlerState) -> Result<(), DiskError> {
        write(&self.path().join("config/HandlerState"), state.as_str())
    }

    /// Notes what the agent says of it, for people who look into the folder.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn note(&self, status: &str, code: i32, message: &str) -> Result<(), DiskError> {
        let noted = json!({
            "name": self.name, "version": self.version, "status": status, "code": code, "message": message,
            "supports_multi_config": false, "extension_status": null,
        });
        write(&self.path().join("config/HandlerStatus"), &noted.to_string())
    }

    /// Makes what a handler finds when its first command runs, besides its package.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn prepare(&self) -> Result<(), DiskError> {
        let path = self.path();
        let events = self.logs.join("events");
        for folder in [&path.join("config"), &path.join("status"), &self.logs, &events] {
            make(folder)?;
        }
        let text = |path: PathBuf| path.display().to_string();
        let environment = HandlerEnvironment {
            log_folder: text(self.logs.clone()),
            config_folder: text(path.join("config")),
            status_folder: text(path.join("status")),
            heartbeat_file: text(self.heartbeat()),
            events_folder: Some(text(events)),
        };
        write(&path.join(ENVIRONMENT), &environment.text(&self.name))
    }

    /// Its manifest, which may be anywhere in its package and is put where it is looked for.
    ///
    /// # Errors
    /// When there is none, or it isn't one.
    pub fn manifest(&self) -> Result<HandlerManifest, ManifestError> {
        let path = self.path().join(MANIFEST);
        let read = |path: &Path| {
            files::read(path, MAX).map_err(|why| DiskError::Io { doing: "read", path: path.to_owned(), why })
        };
        if let Some(text) = read(&path)? {
            return Ok(HandlerManifest::parse(&text)?);
        }
        let found = find(&self.path(), MANIFEST, DEPTH).ok_or(ManifestError::Missing)?;
        let text = read(&found)?.ok_or(ManifestError::Missing)?;
        let manifest = HandlerManifest::parse(&text)?;
        write_atomically(&path, &text, 0o600).map_err(|why| DiskError::Io { doing: "written", path, why })?;
        Ok(manifest)
    }

    /// Puts settings where the handler looks for them. Where nothing is set the file is empty, as agents do.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn put_settings(&self, wanted: &WantedExtension) -> Result<(), DiskError> {
        let none = wanted.settings.is_none() && wanted.protected.is_none();
        let text = if none { String::new() } else { wanted.settings_file() };
        write(&self.path().join("config").join(format!("{}.settings", wanted.sequence)), &text)
    }

    /// Takes over what an older version said of itself, so that it isn't silent until it speaks.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn copy_statuses(&self, from: &Self) -> Result<(), DiskError> {
        let failed = |path: &Path, why| DiskError::Io { doing: "copied", path: path.to_owned(), why };
        let old = from.path().join("status");
        let Ok(entries) = fs::read_dir(&old) else { return Ok(()) };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|kind| kind == "status")
                && let Some(text) = files::read(&path, MAX).map_err(|why| failed(&path, why))?
            {
                let new = self.path().join("status").join(entry.file_name());
                write_atomically(&new, &text, 0o600).map_err(|why| failed(&new, why))?;
            }
        }
        Ok(())
    }

    /// Removes it with its package, unfinished or not. The logs stay.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn remove(&self) -> Result<(), DiskError> {
        for path in [self.path(), self.package()] {
            let mut unfinished = path.clone().into_os_string();
            unfinished.push(UNFINISHED);
            files::remove_all(Path::new(&unfinished)).map_err(|why| DiskError::Io {
                doing: "removed",
                path: PathBuf::from(&unfinished),
                why,
            })?;
            files::remove_all(&path).map_err(|why| DiskError::Io { doing: "removed", path, why })?;
        }
        Ok(())
    }
}

/// Makes a folder for its owner alone, with what is above it.
pub(super) fn make(folder: &Path) -> Result<(), DiskError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|why| DiskError::Io { doing: "made", path: folder.to_owned(), why })
}

/// The names in a folder, those that are text; none when there is no such folder.
fn listed(folder: &Path) -> Result<Vec<String>, DiskError> {
    let failed = |why| DiskError::Io { doing: "listed", path: folder.to_owned(), why };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(why) => return Err(failed(why)),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry.map_err(failed)?.file_name().into_string().ok());
    }
    Ok(names)
}

pub(super) fn write(path: &Path, text: &str) -> Result<(), DiskError> {
    let written = write_atomically(path, text.as_bytes(), 0o600);
    written.map_err(|why| DiskError::Io { doing: "written", path: path.to_owned(), why })
}

/// The first file of that name below a folder, the nearest first.
fn find(folder: &Path, name: &str, depth: usize) -> Option<PathBuf> {
    let path = folder.join(name);
    if fs::symlink_metadata(&path).is_ok_and(|found| found.is_file()) {
        return Some(path);
    }
    let below = depth.checked_sub(1)?;
    let mut folders: Vec<_> = fs::read_dir(folder)
        .ok()?
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .collect();
    folders.sort_by_key(fs::DirEntry::file_name);
    folders.iter().find_map(|folder| find(&folder.path(), name, below))
}

#[cfg(test)]
mod tests;
