//! Where a handler is: the folder that the agent unpacked it into, and what its `HandlerEnvironment.json` names.
//!
//! All of it is found from the place of the program, so that the commands work by hand, without an agent's
//! environment.

use std::path::{Path, PathBuf};

use contract::guest_agent::handler::HandlerEnvironment;
use contract::guest_agent::names::is_version;

use super::failure::{Code, Failure};
use crate::files;

/// What the agent writes into a handler's folder.
pub const ENVIRONMENT: &str = "HandlerEnvironment.json";
/// The longest such file.
const MAX: u64 = 64 * 1024;
/// Where an agent keeps handlers, below the root of the machine.
const LIBRARY: &str = "var/lib/waagent";
/// How far up from the program its handler's folder may be: `bin/symbolon-guest`.
const DEPTH: usize = 2;

/// A handler's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The root of the machine's files: `/`, but for tests.
    pub root: PathBuf,
    /// The folder of the agent, `/var/lib/waagent`.
    pub home: PathBuf,
    /// The handler's own folder.
    pub folder: PathBuf,
    /// The handler's name, `Publisher.Type`.
    pub name: String,
    /// Where the handler may log.
    pub logs: PathBuf,
    /// Where the settings are.
    pub config: PathBuf,
    /// Where the statuses go.
    pub status: PathBuf,
    /// The heartbeat.
    pub heartbeat: PathBuf,
}

impl Place {
    /// The place of the handler that a program is part of.
    ///
    /// # Errors
    /// When no agent wrote there what its handlers need to know.
    pub fn of(program: &Path) -> Result<Self, Failure> {
        let wrong = |path: &Path, why: &dyn std::error::Error| {
            Failure::new(Code::Place, format!("{}: {}", path.display(), Failure::of(Code::Place, why)))
        };
        for folder in program.ancestors().skip(1).take(DEPTH) {
            let path = folder.join(ENVIRONMENT);
            let text = files::read(&path, MAX).map_err(|why| wrong(&path, &why))?;
            let Some(text) = text else { continue };
            let environment = HandlerEnvironment::parse(&text).map_err(|why| wrong(&path, &why))?;
            return Self::new(folder, &environment).ok_or_else(|| {
                Failure::new(Code::Place, format!("{} isn't that of a handler's folder", path.display()))
            });
        }
        let message = format!(
            "there is no {ENVIRONMENT} above {}: a handler's commands run where an agent unpacked it",
            program.display()
        );
        Err(Failure::new(Code::Place, message))
    }

    fn new(folder: &Path, environment: &HandlerEnvironment) -> Option<Self> {
        let absolute = |path: &str| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
        let config = absolute(&environment.config_folder)?;
        let home = config.parent()?.parent()?.to_owned();
        let (name, _version) = folder.file_name()?.to_str()?.rsplit_once('-')?;
        Some(Self {
            root: root(&home),
            home,
            folder: folder.to_owned(),
            name: name.to_owned(),
            logs: absolute(&environment.log_folder)?,
            status: absolute(&environment.status_folder)?,
            heartbeat: absolute(&environment.heartbeat_file)?,
            config,
        })
    }

    /// The folder of another version of the same handler.
    #[must_use]
    pub fn of_version(&self, version: &str) -> Option<PathBuf> {
        is_version(version).then(|| self.home.join(format!("{}-{version}", self.name)))
    }
}

/// The root above an agent's folder; `/` when the agent is set up to have it elsewhere.
fn root(home: &Path) -> PathBuf {
    let depth = Path::new(LIBRARY).components().count();
    let root = home.ancestors().nth(depth).filter(|_| home.ends_with(LIBRARY));
    root.unwrap_or(Path::new("/")).to_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn handler(home: &Path) -> (PathBuf, PathBuf) {
        let folder = home.join("Publisher.My-Type-1.0.0.0");
        fs::create_dir_all(folder.join("bin")).unwrap();
        let at = |name: &str| folder.join(name).display().to_string();
        let environment = HandlerEnvironment {
            log_folder: "/var/log/azure/Publisher.My-Type".to_owned(),
            config_folder: at("config"),
            status_folder: at("status"),
            heartbeat_file: at("heartbeat.log"),
            events_folder: None,
        };
        fs::write(folder.join(ENVIRONMENT), environment.text("Publisher.My-Type")).unwrap();
        let program = folder.join("bin/symbolon-guest");
        (folder, program)
    }

    #[test]
    fn everything_is_found_from_the_program() {
        let root = tempfile::tempdir().unwrap();
        let home = root.path().join("var/lib/waagent");
        let (folder, program) = handler(&home);
        let place = Place::of(&program).unwrap();
        assert_eq!((place.root.as_path(), &place.home, &place.folder), (root.path(), &home, &folder));
        assert_eq!((place.name.as_str(), &place.config), ("Publisher.My-Type", &folder.join("config")));
        assert_eq!(place.of_version("0.9.0.0"), Some(home.join("Publisher.My-Type-0.9.0.0")));
        for wrong in ["", "../1", "1/2", "1.0-x"] {
            assert_eq!(place.of_version(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_agent_that_lives_elsewhere_has_the_machines_root() {
        let elsewhere = tempfile::tempdir().unwrap();
        let (_, program) = handler(&elsewhere.path().join("agent"));
        assert_eq!(Place::of(&program).unwrap().root, Path::new("/"));
        assert_eq!(root(Path::new("/var/lib/waagent")), Path::new("/"));
        assert_eq!(root(Path::new("/myvar/lib/waagent")), Path::new("/"));
    }

    #[test]
    fn a_program_that_no_agent_unpacked_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("a/b-1.0/bin/symbolon-guest");
        let failure = Place::of(&program).unwrap_err();
        assert_eq!(failure.code, Code::Place);
        assert!(failure.message.contains("HandlerEnvironment.json"), "{failure}");
        fs::create_dir_all(folder.path().join("a/b-1.0/bin")).unwrap();
        for wrong in ["", "[]", "{", "[{\"handlerEnvironment\":{\"logFolder\":\"relative\"}}]"] {
            fs::write(folder.path().join("a/b-1.0").join(ENVIRONMENT), wrong).unwrap();
            assert_eq!(Place::of(&program).unwrap_err().code, Code::Place, "{wrong}");
        }
    }
}
