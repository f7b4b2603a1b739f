//! One command a file; each returns how the process ends.

pub(crate) mod deployment;
pub(crate) mod doctor;
pub(crate) mod env;
pub(crate) mod event;
pub(crate) mod extension;
pub(crate) mod host;
pub(crate) mod identity;
pub(crate) mod migrate;
pub(crate) mod run;
pub(crate) mod token;
pub(crate) mod up;
pub(crate) mod version;
pub(crate) mod vm;
pub(crate) mod vmss;

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExitStatus {
    /// It did what was asked.
    Ok,
    /// It was refused or failed, and has said so itself.
    Failed,
    /// What was typed makes no sense, and it has said so itself.
    Usage,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        match status {
            ExitStatus::Ok => Self::SUCCESS,
            ExitStatus::Failed => Self::FAILURE,
            ExitStatus::Usage => Self::from(2),
        }
    }
}
