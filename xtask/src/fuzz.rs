//! `cargo xtask fuzz`: each target of `fuzz/` for some time, on the nightly toolchain. Their committed seeds are
//! also played back on the toolchain of the project, without a search: that belongs to the tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::process::{cargo_tool, is_there, output, root, run, run_with, say};

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
    some(&targets()?, seconds)
}

/// Set when seeds are played back: a target then says a line on standard error for what it accepts.
const PLAYBACK: &str = "SYMBOLON_FUZZ_PLAYBACK";
/// How the name of a seed begins that its target is to refuse.
const REFUSED: &str = "refused-";

/// Gives every committed seed to its target, once; a target's assertion that fails is a test that fails. So is a
/// seed that its target refuses unless its name says so: it would try nothing behind the first check.
pub(crate) fn replay() -> Result<()> {
    let folder = "target/fuzz-seeds";
    run("cargo", &["build", "--locked", "--manifest-path", "fuzz/Cargo.toml", "--target-dir", folder])?;
    let (mut passed, mut failed) = (0, 0);
    for target in targets()? {
        let program = root().join(folder).join("debug").join(&target);
        for seed in seeds(&target)? {
            match play(&program, &target, &seed)? {
                None => passed += 1,
                Some(why) => {
                    failed += 1;
                    say(&format!("the fuzz target {target} {why} {seed}; see: {} {seed}", program.display()));
                }
            }
        }
    }
    say(&format!("seeds of the fuzz targets: {passed} passed, {failed} failed"));
    if failed > 0 {
        bail!("{failed} seeds failed");
    }
    Ok(())
}

/// Gives a seed to a target; what is wrong, in the middle of a sentence.
fn play(program: &Path, target: &str, seed: &str) -> Result<Option<&'static str>> {
    let mut command = Command::new(program);
    command.arg(seed).env(PLAYBACK, "1").current_dir(root()).stdout(Stdio::null());
    let output = command.output().with_context(|| format!("{} can't be run", program.display()))?;
    if !output.status.success() {
        return Ok(Some("fails on"));
    }
    // A target says much, and of all that this alone is of use while it passes.
    let accepted = output.stderr.split(|byte| *byte == b'\n').any(|line| line == b"accepted");
    let is_to_be = !Path::new(seed).file_name().is_some_and(|name| name.to_string_lossy().starts_with(REFUSED));
    Ok(match (accepted, is_to_be) {
        (true, true) | (false, false) => None,
        (false, true) => Some("refuses"),
        (true, false) => Some("accepts"),
    })
}

fn some(targets: &[String], seconds: u32) -> Result<()> {
    if !is_there("cargo", &["+nightly", "--version"]) {
        bail!("fuzzing needs the nightly toolchain; run: rustup toolchain install nightly");
    }
    let cargo_fuzz = cargo_tool("cargo-fuzz", "0.13.2")?;
    for target in targets {
        let limit = format!("-max_total_time={seconds}");
        let (corpus, seeds) = (format!("fuzz/corpus/{target}"), format!("fuzz/seeds/{target}"));
        fs::create_dir_all(root().join(&corpus))?;
        let nightly = [("RUSTUP_TOOLCHAIN", "nightly")];
        run_with(&cargo_fuzz, &["run", "--fuzz-dir", "fuzz", target, &corpus, &seeds, "--", &limit], &nightly)?;
    }
    say(&format!("fuzz: {} targets, {seconds} s each, nothing found", targets.len()));
    Ok(())
}

/// The names of the targets, as `fuzz/Cargo.toml` lists them.
fn targets() -> Result<Vec<String>> {
    let manifest = ["metadata", "--format-version=1", "--no-deps", "--locked", "--manifest-path", "fuzz/Cargo.toml"];
    let metadata: serde_json::Value = serde_json::from_str(&output("cargo", &manifest)?)?;
    let listed = metadata.pointer("/packages/0/targets").and_then(serde_json::Value::as_array);
    let listed = listed.context("fuzz/Cargo.toml has no targets")?.iter();
    // Beside the targets stands what they share.
    let is_target = |target: &&serde_json::Value| target.pointer("/kind/0").is_some_and(|kind| kind == "bin");
    Ok(listed.filter(is_target).filter_map(|target| target.get("name")?.as_str().map(str::to_owned)).collect())
}

/// The seeds of a target, by name. Each target has some.
fn seeds(target: &str) -> Result<Vec<String>> {
    let folder = PathBuf::from("fuzz/seeds").join(target);
    let entries = fs::read_dir(root().join(&folder)).with_context(|| format!("{} is missing", folder.display()))?;
    let mut found = Vec::new();
    for entry in entries {
        found.push(folder.join(entry?.file_name()).display().to_string());
    }
    found.sort();
    if found.is_empty() {
        bail!("{} is empty", folder.display());
    }
    Ok(found)
}
