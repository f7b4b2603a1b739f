//! Runs other programs and says what it runs.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The root of the project.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// Where tools are installed that the project needs and a machine may not have; git ignores it.
pub(crate) fn tools() -> PathBuf {
    root().join(".tools")
}

/// A line for the person who runs this.
pub(crate) fn say(line: &str) {
    // Nothing can be done when even this can't be written.
    drop(writeln!(std::io::stderr().lock(), "{line}"));
}

/// Runs a program from the root; fails when it does.
pub(crate) fn run(program: impl AsRef<OsStr>, args: &[&str]) -> Result<()> {
    run_with(program, args, &[])
}

/// The same with variables set.
pub(crate) fn run_with(program: impl AsRef<OsStr>, args: &[&str], variables: &[(&str, &str)]) -> Result<()> {
    let name = Path::new(program.as_ref()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    say(&format!("$ {name} {}", args.join(" ")));
    let status = Command::new(program.as_ref())
        .args(args)
        .envs(variables.iter().copied())
        .current_dir(root())
        .status()
        .with_context(|| format!("{name} can't be run; is it installed?"))?;
    if !status.success() {
        bail!("{name} {} failed ({status})", args.first().copied().unwrap_or_default());
    }
    Ok(())
}

/// What a program prints.
pub(crate) fn output(program: impl AsRef<OsStr>, args: &[&str]) -> Result<String> {
    let name = Path::new(program.as_ref()).display().to_string();
    let output = Command::new(program.as_ref())
        .args(args)
        .current_dir(root())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("{name} can't be run; is it installed?"))?;
    if !output.status.success() {
        bail!("{name} {} failed ({})", args.join(" "), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{name} printed something that isn't text"))
}

/// What a program of ours says of itself, the same on every machine: no terminal whose width it could take, and no
/// variable of ours whose value it could show.
pub(crate) fn help(program: &Path, args: &[&str]) -> Result<String> {
    let name = program.display();
    let mut command = Command::new(program);
    command.args(args).current_dir(root()).env_clear().env("COLUMNS", "100").stdin(Stdio::null());
    let output = command.output().with_context(|| format!("{name} can't be run"))?;
    if !output.status.success() {
        bail!("{name} {} failed ({})", args.join(" "), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{name} printed something that isn't text"))
}

/// Whether a program can be run.
pub(crate) fn is_there(program: impl AsRef<OsStr>, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(args).current_dir(root()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Builds the program and gives its path.
pub(crate) fn build_symbolon(release: bool) -> Result<PathBuf> {
    let mut args = vec!["build", "--locked", "--package", "symbolon"];
    if release {
        args.push("--release");
    }
    run("cargo", &args)?;
    Ok(target_directory()?.join(if release { "release" } else { "debug" }).join("symbolon"))
}

/// Where cargo builds.
pub(crate) fn target_directory() -> Result<PathBuf> {
    let metadata: serde_json::Value =
        serde_json::from_str(&output("cargo", &["metadata", "--format-version=1", "--no-deps", "--locked"])?)?;
    let target = metadata.get("target_directory").and_then(serde_json::Value::as_str);
    Ok(PathBuf::from(target.context("cargo has no target")?))
}

/// Installs a cargo program below `.tools` unless it is there.
pub(crate) fn cargo_tool(name: &str, version: &str) -> Result<PathBuf> {
    let path = tools().join("bin").join(name);
    if !path.exists() {
        say(&format!("{name} isn't there yet; installing it into .tools (a few minutes, once)"));
        let tools = tools().display().to_string();
        run("cargo", &["install", "--locked", "--root", &tools, "--version", version, name])?;
    }
    Ok(path)
}
