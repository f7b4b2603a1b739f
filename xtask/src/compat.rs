//! `cargo xtask compat`: the real clients, which `compat/run.py` installs and runs.

use std::path::Path;

use anyhow::Result;
use clap::Args;

use crate::process::{build_symbolon, run};

/// What is passed on to `compat/run.py`.
#[derive(Args)]
pub(crate) struct CompatArgs {
    /// Passed on, such as `--only NAME` or `--list`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

pub(crate) fn compat(args: &CompatArgs) -> Result<()> {
    let binary = build_symbolon(false)?;
    let rest: Vec<&str> = args.rest.iter().map(String::as_str).collect();
    run_cases(&binary, &rest)
}

/// Runs the cases against a binary.
pub(crate) fn run_cases(binary: &Path, rest: &[&str]) -> Result<()> {
    let binary = binary.display().to_string();
    let mut args = vec!["compat/run.py", "--binary", &binary];
    args.extend(rest);
    run("python3", &args)
}
