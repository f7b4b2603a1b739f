//! `cargo xtask test` and `cargo xtask bench`.

use anyhow::Result;
use clap::Args;

use crate::process::{build_symbolon, run, say};
use crate::{compat, fuzz};

/// What of the tests is run.
#[derive(Args)]
pub(crate) struct TestArgs {
    /// Leave the real clients out
    #[arg(long)]
    no_compat: bool,
    /// Everything that takes hours: fuzzing for an hour each target
    #[arg(long)]
    long: bool,
}

/// How the benchmarks are run.
#[derive(Args)]
pub(crate) struct BenchArgs {
    /// Few rounds: whether they run, not what they say
    #[arg(long)]
    short: bool,
}

pub(crate) fn test(args: &TestArgs) -> Result<()> {
    run("cargo", &["test", "--workspace", "--locked"])?;
    run("python3", &["-m", "unittest", "discover", "-s", "compat/tests", "-t", "compat"])?;
    let mut skipped = Vec::new();
    if args.no_compat {
        skipped.push("real clients: --no-compat was given");
    } else {
        let binary = build_symbolon(false)?;
        compat::run_cases(&binary, &[])?;
    }
    if args.long {
        fuzz::all(3_600)?;
    } else {
        skipped.push("fuzzing: run `cargo xtask fuzz`, or `cargo xtask test --long` for an hour each target");
    }
    for what in skipped {
        say(&format!("SKIPPED {what}"));
    }
    say("test: everything that was run passed");
    Ok(())
}

pub(crate) fn bench(args: &BenchArgs) -> Result<()> {
    build_symbolon(true)?;
    let mut bench = vec!["run", "--release", "--locked", "--package", "symbolon-bench", "--"];
    if args.short {
        bench.push("--short");
    }
    bench.extend(["--out", "docs/reference/performance.md"]);
    run("cargo", &bench)
}
