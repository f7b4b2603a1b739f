//! What `symbolon host` is told.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct HostArgs {
    /// Its VMs, how it recognises each, their identities' certificates, and who makes the tokens (docs/guides/host.md)
    #[arg(long, value_name = "FILE.toml")]
    pub(crate) config: PathBuf,
    /// When ready, print one line of JSON and nothing else
    #[arg(long)]
    pub(crate) json: bool,
}
