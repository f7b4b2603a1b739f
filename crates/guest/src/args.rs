//! What the program is told by its arguments.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use contract::guest_agent::HOST_PLUGIN_PORT;

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
    /// Do what the host wants of this machine's extensions, and tell it what came of it
    Agent(AgentArgs),
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
    /// The process that starts it again when it dies; started by enable
    #[command(hide = true)]
    Watch(ServeArgs),
}

/// What the agent is told.
#[derive(Debug, clap::Args)]
pub(crate) struct AgentArgs {
    /// The host's WireServer, http://ADDRESS or http://ADDRESS:PORT. There is no default, so that none is asked by
    /// mistake; in Azure it is http://168.63.129.16
    #[arg(long, value_name = "URL")]
    pub(crate) host: String,
    /// The port of the HostGAPlugin at the host's address
    #[arg(long, value_name = "PORT", default_value_t = HOST_PLUGIN_PORT)]
    pub(crate) plugin_port: u16,
    /// How often the host is asked, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub(crate) period: u64,
    /// Where the machine's files are
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub(crate) root: PathBuf,
}

/// What the process that serves is told, and the one that watches over it.
#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    /// Where to listen
    #[arg(long)]
    pub(crate) port: u16,
    /// What it is started for
    #[arg(long)]
    pub(crate) launch: String,
    /// The number of the settings
    #[arg(long)]
    pub(crate) sequence: u64,
}
