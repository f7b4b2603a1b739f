//! `symbolon identity`.

use clap::{Args, Subcommand};

use super::arm::{ArmArgs, NamedArgs, PlaceArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum IdentityCommand {
    /// List the user-assigned identities of a resource group
    List(ArmArgs),
    /// Show a user-assigned identity
    Show(NamedArgs),
    /// Make a user-assigned identity
    Create(IdentityCreateArgs),
    /// Delete a user-assigned identity
    Delete(NamedArgs),
}

#[derive(Debug, Args)]
pub(crate) struct IdentityCreateArgs {
    /// Its name
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    #[command(flatten)]
    pub(crate) arm: ArmArgs,
}
