//! `cargo xtask test` and `cargo xtask bench`.

use anyhow::Result;
use clap::Args;

use crate::process::{build_symbolon, is_there, run};
use crate::stages::Stages;
use crate::{compat, fuzz};

/// What of the tests is run.
#[derive(Args)]
pub(crate) struct TestArgs {
    /// Leave the real clients out
    #[arg(long)]
    no_compat: bool,
    /// Everything that takes long: real clients that wait for minutes, a hundred kills, fuzzing for an hour each target
    #[arg(long)]
    long: bool,
}

/// The harness of the real clients reads TOML with what Python brings along since 3.11.
const NO_PYTHON: &str = "python3 isn't there, or is older than 3.11; install it";

/// How the benchmarks are run.
#[derive(Args)]
pub(crate) struct BenchArgs {
    /// Few rounds: whether they run, not what they say; writes nothing
    #[arg(long)]
    short: bool,
}

pub(crate) fn test(args: &TestArgs) -> Result<()> {
    let mut stages = Stages::default();
    stages.run("Rust", || run("cargo", &["test", "--workspace", "--locked", "--no-fail-fast"]));
    if is_there("c++", &["--version"]) {
        stages.run("seeds of the fuzz targets", fuzz::replay);
    } else {
        stages.skip("seeds of the fuzz targets", "their harness needs a C++ compiler; install one as `c++`");
    }
    let python = is_there("python3", &["-c", "import tomllib"]);
    if python {
        stages.run("harness of the real clients", || {
            run("python3", &["-m", "unittest", "discover", "-s", "compat/tests", "-t", "compat"])
        });
    } else {
        stages.skip("harness of the real clients", NO_PYTHON);
    }
    if !python {
        stages.skip("real clients", NO_PYTHON);
    } else if args.no_compat {
        stages.skip("real clients", "--no-compat was given; run `cargo xtask compat`");
    } else {
        let cases: &[&str] = if args.long { &["--long"] } else { &[] };
        stages.run("real clients", || compat::run_cases(&build_symbolon(false)?, cases));
    }
    if args.long {
        stages.run("the long forms of tests", || {
            run("cargo", &["test", "--package", "symbolon", "--test", "it", "--locked", "--", "--ignored"])
        });
        stages.run("fuzzing, an hour each target", || fuzz::all(3_600));
    } else {
        stages.skip("fuzzing", "run `cargo xtask fuzz`, or `cargo xtask test --long` for an hour each target");
    }
    stages.end("cargo xtask test")
}

pub(crate) fn bench(args: &BenchArgs) -> Result<()> {
    build_symbolon(true)?;
    let mut bench = vec!["run", "--release", "--locked", "--package", "symbolon-bench", "--"];
    if args.short {
        bench.push("--short");
    } else {
        bench.extend(["--out", "docs/reference/performance.md"]);
    }
    run("cargo", &bench)
}
