//! `cargo xtask fuzz`: each target of `fuzz/` for some time, on the nightly toolchain.

use anyhow::{Result, bail};
use clap::Args;

use crate::process::{cargo_tool, is_there, output, run_with, say};

/// What is fuzzed, and for how long.
#[derive(Args)]
pub(crate) struct FuzzArgs {
    /// Seconds for each target
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// The targets; all when none is named
    targets: Vec<String>,
}

pub(crate) fn fuzz(args: &FuzzArgs) -> Result<()> {
    if args.targets.is_empty() { all(args.seconds) } else { some(&args.targets, args.seconds) }
}

/// Fuzzes every target.
pub(crate) fn all(seconds: u32) -> Result<()> {
    let cargo_fuzz = cargo_tool("cargo-fuzz", "0.13.2")?;
    let list = output(&cargo_fuzz, &["list", "--fuzz-dir", "fuzz"])?;
    let targets: Vec<String> = list.lines().map(str::to_owned).collect();
    some(&targets, seconds)
}

fn some(targets: &[String], seconds: u32) -> Result<()> {
    if !is_there("cargo", &["+nightly", "--version"]) {
        bail!("fuzzing needs the nightly toolchain; run: rustup toolchain install nightly");
    }
    let cargo_fuzz = cargo_tool("cargo-fuzz", "0.13.2")?;
    for target in targets {
        let limit = format!("-max_total_time={seconds}");
        let (corpus, seeds) = (format!("fuzz/corpus/{target}"), format!("fuzz/seeds/{target}"));
        std::fs::create_dir_all(crate::process::root().join(&corpus))?;
        let nightly = [("RUSTUP_TOOLCHAIN", "nightly")];
        run_with(&cargo_fuzz, &["run", "--fuzz-dir", "fuzz", target, &corpus, &seeds, "--", &limit], &nightly)?;
    }
    say(&format!("fuzz: {} targets, {seconds} s each, nothing found", targets.len()));
    Ok(())
}
