//! The commands that an agent runs.

mod disable;
mod enable;
mod install;
mod uninstall;
mod update;

use std::path::PathBuf;
use std::sync::Arc;

use broker::names::Resolve;

use super::failure::{Code, Failure};
use super::place::Place;
use super::sequence;
use super::state::State;
use super::status::StatusFile;
use crate::discovery_file;
use crate::disk::Disk;
use crate::files;
use crate::time::Time;

/// A handler's command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Make ready what the extension needs.
    Install,
    /// Serve as the settings say.
    Enable,
    /// Serve no more.
    Disable,
    /// Take over from an older version.
    Update,
    /// Remove everything but the logs.
    Uninstall,
}

impl Command {
    /// What it calls itself in a status.
    fn operation(self) -> &'static str {
        match self {
            Self::Install => "Install",
            Self::Enable => "Enable",
            Self::Disable => "Disable",
            Self::Update => "Update",
            Self::Uninstall => "Uninstall",
        }
    }
}

/// What a command works with.
pub struct Machine {
    /// Where the handler is.
    pub place: Place,
    /// The program itself, of which `enable` starts another one.
    pub program: PathBuf,
    /// Whom to ask for addresses.
    pub names: Arc<dyn Resolve>,
    /// Time.
    pub time: Time,
    /// The number of the settings, when an agent says it.
    pub sequence: Option<u64>,
    /// The version that an update takes over from, when an agent says it.
    pub updating_from: Option<String>,
}

/// Runs a command: one at a time, with a status at once and at its end.
///
/// # Errors
/// When it fails. The status says so too, if the disk takes it.
pub async fn run(command: Command, machine: &Machine) -> Result<(), Failure> {
    let sequence = match machine.sequence {
        Some(sequence) => sequence,
        None => sequence::newest(&machine.place.config)?,
    };
    let clock = machine.time.clock().clone();
    let status = StatusFile::new(&machine.place, sequence, command.operation(), clock);
    tracing::info!(command = command.operation(), sequence, "a command begins");
    let done = work(command, machine, sequence, &status).await;
    match &done {
        Ok(()) => tracing::info!(command = command.operation(), sequence, "a command is done"),
        Err(failure) => {
            let (code, why) = (u8::from(failure.code), &failure.message);
            tracing::error!(command = command.operation(), sequence, code, why, "a command failed");
            if let Err(error) = status.failure(failure) {
                tracing::error!(error = &error as &dyn std::error::Error, "that can't be told by a status");
            }
        }
    }
    done
}

async fn work(command: Command, machine: &Machine, sequence: u64, status: &StatusFile) -> Result<(), Failure> {
    // What was done already stays told as done while it is looked at again.
    if command != Command::Enable || !status.is_success() {
        status.transitioning("The command is at work")?;
    }
    let state = State::of(&machine.place.root);
    let busy =
        || Failure::new(Code::Busy, "another command of this handler is at work; run this one again when it is done");
    let _turn = state.turn(&machine.time).await?.ok_or_else(busy)?;
    match command {
        Command::Install => install::install(machine, status),
        Command::Enable => enable::enable(machine, &state, sequence, status).await,
        Command::Disable => disable::disable(machine, &state, status).await,
        Command::Update => update::update(machine, status),
        Command::Uninstall => uninstall::uninstall(machine, &state).await,
    }
}

/// Takes away what leads callers to an endpoint that isn't there.
fn withdraw_address(disk: &Disk) -> Result<(), Failure> {
    // The copy is known by being the same as the first one.
    discovery_file::recall_copy(disk)?;
    let path = disk.discovery_file();
    files::remove(&path).map_err(|why| crate::disk::DiskError::Io { doing: "removed", path, why })?;
    Ok(())
}
