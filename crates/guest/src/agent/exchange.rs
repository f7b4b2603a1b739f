//! How far one version of a handler has taken the place of another, noted after each step: an agent that is ended in the
//! middle goes on where it was, and no command that is done is run again.

use contract::guest_agent::names::is_version;
use serde::{Deserialize, Serialize};

use super::folder::{self, HandlerFolder, HandlerState};
use crate::disk::DiskError;
use crate::files;

/// The file in the folder of the version that comes.
const FILE: &str = "config/ExchangeState";

/// The steps, in their order. `install`, the last one, is noted as the handler's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Step {
    /// The package of the one that comes is unpacked.
    Begun,
    /// The one that goes is disabled.
    Disabled,
    /// `update` is done.
    Updated,
    /// The one that goes is uninstalled. Its folder stays until the other one is installed.
    Uninstalled,
}

/// An exchange that has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exchange {
    /// The version that goes.
    pub from: String,
    /// The last step that is done.
    pub step: Step,
    /// The exit code of its `disable`; none when that wasn't run.
    pub disabled: Option<i32>,
    /// The exit code of its `uninstall`; none when that wasn't run to its end.
    pub uninstalled: Option<i32>,
}

impl Exchange {
    /// One that begins.
    #[must_use]
    pub fn of(from: &HandlerFolder) -> Self {
        Self { from: from.version().to_owned(), step: Step::Begun, disabled: None, uninstalled: None }
    }
}

impl HandlerFolder {
    /// The exchange in which this version comes, if there is one. What can't be read is none.
    #[must_use]
    pub fn exchange(&self) -> Option<Exchange> {
        let text = files::read(&self.path().join(FILE), folder::MAX).ok().flatten()?;
        let read: Exchange = serde_json::from_slice(&text).ok()?;
        Some(read).filter(|exchange| is_version(&exchange.from) && exchange.from != self.version())
    }

    /// Notes how far an exchange is.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn note_exchange(&self, exchange: &Exchange) -> Result<(), DiskError> {
        folder::write(&self.path().join(FILE), &serde_json::to_string(exchange).unwrap_or_default())
    }

    /// Notes that there is no exchange any more.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn end_exchange(&self) -> Result<(), DiskError> {
        let path = self.path().join(FILE);
        files::remove(&path).map_err(|why| DiskError::Io { doing: "removed", path, why })
    }

    /// Gives up the exchanges in which this version was to go: it is wanted again, and they would begin anew.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn stay(&self, others: &[Self]) -> Result<(), DiskError> {
        for other in others {
            let Some(exchange) = other.exchange().filter(|exchange| exchange.from == self.version()) else { continue };
            if exchange.step >= Step::Uninstalled && self.path().is_dir() {
                self.set_state(HandlerState::NotInstalled)?;
            }
            other.end_exchange()?;
        }
        Ok(())
    }
}
