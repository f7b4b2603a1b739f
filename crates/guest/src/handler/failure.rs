//! Why a command failed: a code, by which a program can tell, and words, by which a person can.

use std::error::Error;

use serde::{Deserialize, Serialize};

use super::endpoint_file::EndpointFileError;
use super::process::Unstoppable;
use crate::causes::with_causes;
use crate::disk::DiskError;

/// The exit code of a command that failed, and the code in the status that it leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
#[repr(u8)]
pub enum Code {
    /// The VM has no identity. The code of the original.
    NoIdentity = 1,
    /// The settings aren't what settings are.
    Settings = 10,
    /// The setting `port` isn't a port.
    Port = 11,
    /// Another process listens on the port.
    PortTaken = 12,
    /// The system doesn't let us listen on the port.
    PortRefused = 13,
    /// The protected settings can't be decrypted.
    Undecryptable = 20,
    /// What was decrypted can't be used.
    Credential = 21,
    /// The authority's name doesn't resolve.
    Name = 30,
    /// The authority doesn't answer, or can't prove that it is it.
    Unreachable = 31,
    /// The machine's clock and the authority's differ too much.
    Clock = 32,
    /// The process that serves didn't come up, or doesn't end.
    Endpoint = 40,
    /// There is another process that serves, which was about to when it was looked for.
    EndpointTaken = 41,
    /// Another command of the handler is at work.
    Busy = 42,
    /// The disk refuses.
    Disk = 50,
    /// Only the distributions of the document are wanted, and this is none of them. The code that handlers use for it.
    Distribution = 51,
    /// The command isn't where an agent puts a handler.
    Place = 60,
}

const CODES: [Code; 16] = [
    Code::NoIdentity,
    Code::Settings,
    Code::Port,
    Code::PortTaken,
    Code::PortRefused,
    Code::Undecryptable,
    Code::Credential,
    Code::Name,
    Code::Unreachable,
    Code::Clock,
    Code::Endpoint,
    Code::EndpointTaken,
    Code::Busy,
    Code::Disk,
    Code::Distribution,
    Code::Place,
];

impl From<Code> for u8 {
    fn from(code: Code) -> Self {
        code as Self
    }
}

impl TryFrom<u8> for Code {
    type Error = &'static str;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        CODES.into_iter().find(|code| u8::from(*code) == number).ok_or("it isn't a code of a failure")
    }
}

/// Why a command failed. The words hold no secret: they are uploaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{message}")]
pub struct Failure {
    /// By which a program can tell.
    pub code: Code,
    /// What a person is told, with the causes.
    pub message: String,
}

impl Failure {
    /// A failure in so many words.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// An error, with what lies below it.
    #[must_use]
    pub fn of(code: Code, error: &dyn Error) -> Self {
        Self::new(code, with_causes(error))
    }
}

impl From<DiskError> for Failure {
    fn from(error: DiskError) -> Self {
        Self::of(Code::Disk, &error)
    }
}

impl From<EndpointFileError> for Failure {
    fn from(error: EndpointFileError) -> Self {
        let code = match error {
            EndpointFileError::Taken => Code::EndpointTaken,
            EndpointFileError::Unknown => Code::Endpoint,
            EndpointFileError::Io { .. } => Code::Disk,
        };
        Self::of(code, &error)
    }
}

impl From<Unstoppable> for Failure {
    fn from(error: Unstoppable) -> Self {
        Self::of(Code::Endpoint, &error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_has_a_code_of_its_own_that_is_read_again() {
        for (at, code) in CODES.into_iter().enumerate() {
            let failure = Failure::new(code, "why");
            let text = serde_json::to_string(&failure).unwrap();
            assert_eq!(serde_json::from_str::<Failure>(&text).unwrap(), failure);
            assert!(CODES[at + 1..].iter().all(|other| u8::from(*other) != u8::from(code)));
        }
        for none in [0, 2, 255] {
            assert!(Code::try_from(none).is_err(), "{none}");
        }
    }

    #[test]
    fn the_guide_says_what_to_do_about_each() {
        let guide = include_str!("../../../../docs/guides/extension.md");
        for code in CODES {
            assert!(guide.contains(&format!("\n| {} | ", u8::from(code))), "{code:?}");
        }
    }

    #[test]
    fn causes_are_told_with_what_failed() {
        let path = "/x".into();
        let failure = Failure::from(DiskError::Io { doing: "written", path, why: std::io::Error::other("full") });
        assert_eq!((failure.code, failure.message.as_str()), (Code::Disk, "/x can't be written: full"));
    }
}
