//! What the program is told by its arguments.

use clap::{Parser, Subcommand};

/// The VM extension's handler and a guest agent: what runs inside a VM
#[derive(Debug, Parser)]
#[command(name = "symbolon-guest", version, disable_help_subcommand = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make ready what the extension needs (run by a guest agent)
    Install,
    /// Serve tokens as the newest settings say (run by a guest agent, or by hand)
    Enable,
    /// Serve no tokens until enabled again (run by a guest agent, or by hand)
    Disable,
    /// Take over from an older version (run by a guest agent)
    Update,
    /// Remove everything but the logs (run by a guest agent)
    Uninstall,
    /// The process that serves; started by enable
    #[command(hide = true)]
    Serve(ServeArgs),
}

/// What the process that serves is told.
#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    /// Where to listen
    #[arg(long)]
    pub(crate) port: u16,
    /// What it is started for
    #[arg(long)]
    pub(crate) launch: String,
}
