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
pub struct Settings {
    /// For everyone to read.
    pub public: PublicSettings,
    /// For this machine alone.
    pub protected: Option<Protected>,
}

impl Settings {
    /// Reads the settings with this number. A file that isn't there, or is empty, has none: an agent writes an empty
    /// one where nothing was set.
    ///
    /// # Errors
    /// When they aren't settings, or say something that can't be.
    pub fn read(place: &Place, sequence: u64) -> Result<Self, Failure> {
        let path = place.config.join(format!("{sequence}.settings"));
        let told = |why: &dyn std::error::Error| {
            Failure::new(Code::Settings, format!("{}: {}", path.display(), Failure::of(Code::Settings, why)))
        };
        let bytes = files::read(&path, MAX).map_err(|why| told(&why))?.unwrap_or_default();
        let file = File::parse(&bytes).map_err(|why| told(&why))?;
        let public = file.public.map(|public| public.to_string()).unwrap_or_default();
        let public = PublicSettings::parse(&public).map_err(|why| match why {
            InvalidSettings::Port(_) => Failure::of(Code::Port, &why),
            InvalidSettings::NotAnObject | InvalidSettings::StrictDistributions(_) => Failure::of(Code::Settings, &why),
        })?;
        Ok(Self { public, protected: file.protected })
    }
}
