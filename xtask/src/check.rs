//! `cargo xtask check`: everything but the tests.

use std::fs;

use anyhow::Result;

use crate::process::{cargo_tool, is_there, root, run, run_with, say};
use crate::{generate, tidy};

/// Packages outside of the workspace that are formatted alike.
const APART: [&str; 2] = ["fuzz/Cargo.toml", "compat/cases/rust-azure-identity/Cargo.toml"];

pub(crate) fn check() -> Result<()> {
    run("cargo", &["fmt", "--all", "--check"])?;
    for manifest in APART {
        run("cargo", &["fmt", "--manifest-path", manifest, "--check"])?;
    }
    run("cargo", &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])?;
    let strict = [("RUSTDOCFLAGS", "-D warnings")];
    run_with("cargo", &["doc", "--workspace", "--no-deps", "--locked"], &strict)?;
    tidy::tidy()?;
    let mut skipped = deny()?;
    skipped.extend(units()?);
    generate::generate(&generate::GenArgs { check: true })?;
    for what in &skipped {
        say(&format!("SKIPPED {what}"));
    }
    say(if skipped.is_empty() { "check: clean" } else { "check: clean, but for what was skipped" });
    Ok(())
}

/// Licences, sources and bans always; advisories when their database can be had. One that applies fails.
fn deny() -> Result<Vec<&'static str>> {
    let deny = cargo_tool("cargo-deny", "0.20.2")?;
    run(&deny, &["--workspace", "check", "bans", "licenses", "sources"])?;
    if let Err(why) = run(&deny, &["fetch", "db"]) {
        say(&format!("the database of advisories could not be had: {why:#}"));
        return Ok(vec!["advisories: their database could not be had; check again on a machine that reaches it"]);
    }
    run(&deny, &["--workspace", "check", "advisories"])?;
    Ok(Vec::new())
}

/// What systemd says of the units. The programs that they start needn't be installed here.
fn units() -> Result<Option<&'static str>> {
    if !is_there("systemd-analyze", &["--version"]) {
        return Ok(Some("systemd units: there is no systemd-analyze; install systemd"));
    }
    let folder = root().join("target/units");
    fs::create_dir_all(&folder)?;
    for entry in fs::read_dir(root().join("packaging"))? {
        let path = entry?.path();
        if let Some(name) = path.file_name().filter(|_| path.extension().is_some_and(|ends| ends == "service")) {
            let unit = folder.join(name);
            let text = fs::read_to_string(&path)?;
            let lines =
                text.lines().map(|line| if line.starts_with("ExecStart=") { "ExecStart=/bin/true" } else { line });
            fs::write(&unit, lines.collect::<Vec<_>>().join("\n"))?;
            run("systemd-analyze", &["verify", "--man=no", &unit.to_string_lossy()])?;
        }
    }
    Ok(None)
}
