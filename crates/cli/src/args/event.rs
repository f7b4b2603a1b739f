//! `symbolon event`.

use clap::{Args, Subcommand, ValueEnum};

use super::arm::{ArmArgs, NamedArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum EventCommand {
    /// Make a scheduled event of a VM: it happens when its time has come or the VM approves it
    Fire(EventFireArgs),
    /// List the scheduled events of a VM
    List(NamedArgs),
}

#[derive(Debug, Args)]
pub(crate) struct EventFireArgs {
    /// The VM's name or resource id
    pub(crate) name: String,
    /// What happens
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) event_type: EventType,
    /// How many seconds from now it happens at the latest; without it as long as Azure gives notice
    #[arg(long, value_name = "SECONDS")]
    pub(crate) notice: Option<u64>,
    /// How many seconds it takes
    #[arg(long, value_name = "SECONDS")]
    pub(crate) duration: Option<u64>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    #[command(flatten)]
    pub(crate) arm: ArmArgs,
}

/// What happens to a VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EventType {
    /// It stands still for some seconds
    Freeze,
    /// It restarts
    Reboot,
    /// It restarts somewhere else
    Redeploy,
    /// It is evicted: deallocated, or deleted if its eviction policy says so
    Preempt,
    /// It is deleted
    Terminate,
}

impl EventType {
    /// Its name on the wire.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Freeze => "Freeze",
            Self::Reboot => "Reboot",
            Self::Redeploy => "Redeploy",
            Self::Preempt => "Preempt",
            Self::Terminate => "Terminate",
        }
    }
}
