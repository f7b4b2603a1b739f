//! The settings that a command is about.

use contract::extension::{InvalidSettings, Settings as PublicSettings};
use contract::guest_agent::Protected;
use contract::guest_agent::handler::Settings as File;

use super::failure::{Code, Failure};
use super::place::Place;
use crate::files;

/// The longest settings file.
const MAX: u64 = 4 * 1024 * 1024;

/// What the settings say.
#[derive(Debug)]
pub(super) struct Settings {
    /// For everyone to read.
    pub(super) public: PublicSettings,
    /// For this machine alone.
    pub(super) protected: Option<Protected>,
}

impl Settings {
    /// Reads the settings with this number. A file that isn't there, or is empty, has none: an agent writes an empty
    /// one where nothing was set.
    ///
    /// # Errors
    /// When they aren't settings, or say something that can't be.
    pub(super) fn read(place: &Place, sequence: u64) -> Result<Self, Failure> {
        let path = place.config.join(format!("{sequence}.settings"));
        let told = |why: &dyn std::error::Error| {
            Failure::new(Code::Settings, format!("{}: {}", path.display(), Failure::of(Code::Settings, why)))
        };
        let bytes = files::read(&path, MAX).map_err(|why| told(&why))?.unwrap_or_default();
        let file = File::parse(&bytes).map_err(|why| told(&why))?;
        let public = file.public.map(|public| public.to_string()).unwrap_or_default();
        let public = PublicSettings::parse(&public).map_err(|why| match why {
            InvalidSettings::Port(_) => Failure::of(Code::Port, &why),
            InvalidSettings::NotAnObject | InvalidSettings::Flag(..) => Failure::of(Code::Settings, &why),
        })?;
        Ok(Self { public, protected: file.protected })
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn place(folder: &std::path::Path) -> Place {
        let none = PathBuf::new;
        Place {
            root: none(),
            home: none(),
            folder: none(),
            name: String::new(),
            logs: none(),
            config: folder.to_owned(),
            status: none(),
            heartbeat: none(),
        }
    }

    fn read(text: &str) -> Result<Settings, Failure> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("0.settings"), text).unwrap();
        Settings::read(&place(folder.path()), 0)
    }

    fn with(handler: &str) -> String {
        format!("{{\"runtimeSettings\":[{{\"handlerSettings\":{handler}}}]}}")
    }

    #[test]
    fn what_is_not_set_is_the_default() {
        let folder = tempfile::tempdir().unwrap();
        let missing = Settings::read(&place(folder.path()), 7).unwrap();
        assert_eq!((missing.public, missing.protected), (PublicSettings::default(), None));
        // Nothing was given; nulls; what the original's own sample has, and stumbled over.
        let without = ["", "\n", &with("{}"), &with("{\"publicSettings\":null,\"protectedSettings\":null}")];
        for text in without {
            assert_eq!(read(text).unwrap().public.port, 50_342, "{text}");
        }
        let sample = read(&with("{\"publicSettings\":{\"port\":50343},\"protectedSettings\":{}}")).unwrap();
        assert_eq!((sample.public.port, sample.protected), (50_343, None));
    }

    #[test]
    fn what_cannot_be_is_told_with_its_code_and_its_file() {
        for text in ["{", "[]", "null", "{\"runtimeSettings\":7}", &with("7"), &with("{\"publicSettings\":[]}")] {
            assert_eq!(read(text).unwrap_err().code, Code::Settings, "{text}");
        }
        let failure = read("{").unwrap_err();
        assert!(failure.message.contains("0.settings: it isn't a settings file"), "{failure}");
        for port in ["0", "65536", "\"50342\"", "1.5", "-1"] {
            let failure = read(&with(&format!("{{\"publicSettings\":{{\"port\":{port}}}}}"))).unwrap_err();
            assert_eq!(failure.code, Code::Port, "{port}");
            assert!(failure.message.contains(&format!("'port' of the extension is {port}")), "{failure}");
        }
        let strict = read(&with("{\"publicSettings\":{\"strictDistributions\":1}}"));
        assert_eq!(strict.unwrap_err().code, Code::Settings);
        let protected = "{\"protectedSettings\":\"AAAA\",\"protectedSettingsCertThumbprint\":\"../../etc/x\"}";
        assert_eq!(read(&with(protected)).unwrap_err().code, Code::Settings);
    }
}
