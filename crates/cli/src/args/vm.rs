//! `symbolon vm`.

use clap::{Args, Subcommand};

use super::arm::{ArmArgs, IdentitiesArgs, LongArgs, NamedArgs, NamedLongArgs, PlaceArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum VmCommand {
    /// List the VMs of a resource group, and where each one's endpoints are
    List(ArmArgs),
    /// Show a VM
    Show(NamedArgs),
    /// Make a VM, or change what is said here of one that is there
    Create(VmCreateArgs),
    /// Delete a VM with its own identity and its extensions
    Delete(NamedLongArgs),
    /// Start a VM
    Start(NamedLongArgs),
    /// Restart a VM, and with it what runs on it
    Restart(NamedLongArgs),
    /// Stop a VM; its endpoints stay shut until it is started
    Stop(NamedLongArgs),
    /// Stop a VM and give back what it occupies
    Deallocate(NamedLongArgs),
    /// Give a VM identities, or take them away
    #[command(subcommand)]
    Identity(VmIdentityCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum VmIdentityCommand {
    /// Give a VM identities; those it has stay
    Assign(VmIdentityArgs),
    /// Take identities away from a VM; the others stay
    Remove(VmIdentityArgs),
}

#[derive(Debug, Args)]
pub(crate) struct VmCreateArgs {
    /// Its name
    pub(crate) name: String,
    /// Its size
    #[arg(long, value_name = "NAME", default_value = "Standard_B1s")]
    pub(crate) size: String,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    #[command(flatten)]
    pub(crate) identities: IdentitiesArgs,
    #[command(flatten)]
    pub(crate) long: LongArgs,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true).multiple(true).args(["system_assigned", "user_assigned"]))]
pub(crate) struct VmIdentityArgs {
    /// The VM's name or resource id
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) identities: IdentitiesArgs,
    #[command(flatten)]
    pub(crate) long: LongArgs,
}
