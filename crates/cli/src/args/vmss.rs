//! `symbolon vmss`.

use clap::{Args, Subcommand, ValueEnum};

use super::arm::{ArmArgs, IdentitiesArgs, LongArgs, NamedArgs, NamedLongArgs, PlaceArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum VmssCommand {
    /// List the scale sets of a resource group
    List(ArmArgs),
    /// Show a scale set
    Show(NamedArgs),
    /// Make a scale set, or change what is said here of one that is there
    Create(VmssCreateArgs),
    /// Delete a scale set with its machines
    Delete(NamedLongArgs),
    /// List the machines of a scale set, and where each one's endpoints are
    Instances(NamedArgs),
    /// Bring machines to the scale set's model
    Upgrade(VmssUpgradeArgs),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum UpgradePolicy {
    /// Machines follow the model when they are told to
    Manual,
    /// Machines follow the model by themselves
    Automatic,
}

#[derive(Debug, Args)]
pub(crate) struct VmssCreateArgs {
    /// Its name
    pub(crate) name: String,
    /// How many machines
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) capacity: u32,
    /// The machines' size
    #[arg(long, value_name = "NAME", default_value = "Standard_B1s")]
    pub(crate) size: String,
    /// How machines come to a changed model
    #[arg(long, value_enum, default_value = "manual")]
    pub(crate) upgrade_policy: UpgradePolicy,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    #[command(flatten)]
    pub(crate) identities: IdentitiesArgs,
    #[command(flatten)]
    pub(crate) long: LongArgs,
}

#[derive(Debug, Args)]
pub(crate) struct VmssUpgradeArgs {
    /// The scale set's name or resource id
    pub(crate) name: String,
    /// The number of a machine; may be repeated; without it all
    #[arg(long = "instance", value_name = "N")]
    pub(crate) instances: Vec<String>,
    #[command(flatten)]
    pub(crate) long: LongArgs,
}
