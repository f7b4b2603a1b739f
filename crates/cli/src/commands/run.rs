//! `symbolon run -- CMD`: becomes CMD, with the variables set that lead Azure SDKs to their endpoint.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::Context;

use super::{ExitStatus, env};
use crate::args::RunArgs;
use crate::env_vars::{AZURE_POD_IDENTITY_AUTHORITY_HOST, MSI_ENDPOINT, OTHER_SOURCES};

pub(crate) fn run(args: &RunArgs) -> anyhow::Result<ExitStatus> {
    let variables = env::variables(&args.target)?;
    let (program, rest) = args.command.split_first().context("there is no command after --")?;
    let mut command = Command::new(program);
    command.args(rest);
    for other in OTHER_SOURCES.into_iter().chain([AZURE_POD_IDENTITY_AUTHORITY_HOST, MSI_ENDPOINT]) {
        command.env_remove(other);
    }
    command.envs(variables);
    // Only comes back when it failed: this process becomes the command, with its signals and exit code.
    let why = command.exec();
    Err(why).with_context(|| format!("'{}' can't be run", program.display()))
}
