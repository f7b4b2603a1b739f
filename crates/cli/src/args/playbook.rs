//! `symbolon playbook`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::DataArgs;
use super::arm::ArmArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum PlaybookCommand {
    /// Run a playbook, in the place of the one that runs
    Run(PlaybookRunArgs),
    /// Show the playbook that runs, and every request that came since it began
    Show(PlaybookArgs),
    /// Stop the playbook that runs, and show what it did
    Stop(PlaybookArgs),
}

#[derive(Debug, Args)]
pub(crate) struct PlaybookRunArgs {
    /// The playbook (YAML); docs/guides/playbooks.md has its keys
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) at: PlaybookArgs,
}

#[derive(Debug, Args)]
pub(crate) struct PlaybookArgs {
    #[command(flatten)]
    data: DataArgs,
    /// The subscription whose VMs are meant; without it the first VM's
    #[arg(long, value_name = "ID")]
    subscription: Option<String>,
    /// Print JSON, as the server answered
    #[arg(long)]
    pub(crate) json: bool,
}

impl From<&PlaybookArgs> for ArmArgs {
    fn from(args: &PlaybookArgs) -> Self {
        let (data, subscription) = (DataArgs { data_dir: args.data.data_dir.clone() }, args.subscription.clone());
        Self { data, resource_group: None, subscription, json: args.json }
    }
}
