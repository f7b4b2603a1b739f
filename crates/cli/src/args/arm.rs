//! What every command on the control plane takes.

use std::path::PathBuf;

use clap::Args;

use super::DataArgs;

#[derive(Debug, Args)]
pub(crate) struct ArmArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// The resource group; without it the first VM's
    #[arg(short = 'g', long, value_name = "NAME")]
    pub(crate) resource_group: Option<String>,
    /// The subscription; without it the first VM's
    #[arg(long, value_name = "ID")]
    pub(crate) subscription: Option<String>,
    /// Print JSON, as the server answered
    #[arg(long)]
    pub(crate) json: bool,
}

/// For what takes a while.
#[derive(Debug, Args)]
pub(crate) struct LongArgs {
    #[command(flatten)]
    pub(crate) arm: ArmArgs,
    /// Don't wait until it is done
    #[arg(long)]
    pub(crate) no_wait: bool,
}

/// One resource, looked at.
#[derive(Debug, Args)]
pub(crate) struct NamedArgs {
    /// Its name or resource id
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) arm: ArmArgs,
}

/// One resource, changed.
#[derive(Debug, Args)]
pub(crate) struct NamedLongArgs {
    /// Its name or resource id
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) long: LongArgs,
}

/// Which identities.
#[derive(Debug, Args)]
pub(crate) struct IdentitiesArgs {
    /// The identity of its own
    #[arg(long)]
    pub(crate) system_assigned: bool,
    /// A user-assigned identity, by name or resource id; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) user_assigned: Vec<String>,
}

/// What a new resource has besides its name.
#[derive(Debug, Args)]
pub(crate) struct PlaceArgs {
    /// Where; without it where the resource group is
    #[arg(short = 'l', long, value_name = "NAME")]
    pub(crate) location: Option<String>,
    /// A tag; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) tag: Vec<(String, String)>,
}

/// JSON that lies elsewhere.
#[derive(Clone, Debug)]
pub(crate) enum JsonSource {
    /// In a file.
    File(PathBuf),
    /// In an environment variable.
    Variable(String),
}

/// `env:NAME`, or a file.
#[expect(clippy::unnecessary_wraps, reason = "the parser's shape")]
pub(super) fn json_source(text: &str) -> Result<JsonSource, String> {
    Ok(match text.strip_prefix("env:") {
        Some(name) => JsonSource::Variable(name.to_owned()),
        None => JsonSource::File(text.into()),
    })
}

fn pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
    pair.map(|(name, value)| (name.to_owned(), value.to_owned())).ok_or_else(|| "write it as NAME=VALUE".to_owned())
}
