//! `symbolon extension`.

use clap::{Args, Subcommand};

use super::arm::{ArmArgs, JsonSource, LongArgs, json_source};

#[derive(Debug, Subcommand)]
pub(crate) enum ExtensionCommand {
    /// List the extensions of a VM or scale set
    List(ExtensionListArgs),
    /// Show an extension
    Show(ExtensionShowArgs),
    /// Install an extension, or change what is said here of one that is there
    Set(ExtensionSetArgs),
    /// Let an extension of a VM serve again that was disabled
    Enable(ExtensionSwitchArgs),
    /// Stop an extension of a VM and leave it there
    Disable(ExtensionSwitchArgs),
    /// Take an extension away
    Delete(ExtensionDeleteArgs),
}

/// On what.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct HostArgs {
    /// The VM's name or resource id
    #[arg(long, value_name = "NAME")]
    pub(crate) vm: Option<String>,
    /// The scale set's name or resource id
    #[arg(long, value_name = "NAME")]
    pub(crate) vmss: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ExtensionListArgs {
    #[command(flatten)]
    pub(crate) host: HostArgs,
    #[command(flatten)]
    pub(crate) arm: ArmArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ExtensionShowArgs {
    /// Its name
    #[arg(default_value = super::MANAGED_IDENTITY)]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) host: HostArgs,
    #[command(flatten)]
    pub(crate) arm: ArmArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ExtensionDeleteArgs {
    /// Its name
    #[arg(default_value = super::MANAGED_IDENTITY)]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) host: HostArgs,
    #[command(flatten)]
    pub(crate) long: LongArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ExtensionSwitchArgs {
    /// Its name
    #[arg(default_value = super::MANAGED_IDENTITY)]
    pub(crate) name: String,
    /// The VM's name or resource id
    #[arg(long, value_name = "NAME")]
    pub(crate) vm: String,
    #[command(flatten)]
    pub(crate) long: LongArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ExtensionSetArgs {
    /// Its name
    #[arg(default_value = super::MANAGED_IDENTITY)]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) host: HostArgs,
    /// Its type; a new one's is its name when nothing is said
    #[arg(long = "type", value_name = "NAME")]
    pub(crate) handler: Option<String>,
    /// Who publishes it; a new one's is Microsoft.ManagedIdentity when nothing is said
    #[arg(long, value_name = "NAME")]
    pub(crate) publisher: Option<String>,
    /// Its version; a new one's is 1.0 when nothing is said
    #[arg(long, value_name = "X.Y")]
    pub(crate) version: Option<String>,
    /// The port of its token endpoint: settings of {"port": N}
    #[arg(long, value_name = "N", conflicts_with = "settings")]
    pub(crate) port: Option<u16>,
    /// A file of JSON with its settings, or env:NAME
    #[arg(long, value_name = "FILE", value_parser = json_source)]
    pub(crate) settings: Option<JsonSource>,
    /// A file of JSON with settings that are never shown again, or env:NAME
    #[arg(long, value_name = "FILE", value_parser = json_source)]
    pub(crate) protected_settings: Option<JsonSource>,
    /// Run it again though nothing else changes
    #[arg(long)]
    pub(crate) force_update: bool,
    #[command(flatten)]
    pub(crate) long: LongArgs,
}
