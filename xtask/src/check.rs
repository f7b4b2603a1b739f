//! `cargo xtask check`: everything but the tests.

use anyhow::Result;

use crate::process::{cargo_tool, run, run_with, say};
use crate::{generate, tidy};

pub(crate) fn check() -> Result<()> {
    run("cargo", &["fmt", "--all", "--check"])?;
    run("cargo", &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])?;
    let strict = [("RUSTDOCFLAGS", "-D warnings")];
    run_with("cargo", &["doc", "--workspace", "--no-deps", "--locked"], &strict)?;
    tidy::tidy()?;
    deny()?;
    generate::generate(&generate::GenArgs { check: true })?;
    say("check: clean");
    Ok(())
}

/// Licences, sources and bans always; advisories when their database can be had.
fn deny() -> Result<()> {
    let deny = cargo_tool("cargo-deny", "0.20.2")?;
    run(&deny, &["--workspace", "check", "bans", "licenses", "sources"])?;
    if run(&deny, &["--workspace", "check", "advisories"]).is_err() {
        say("SKIPPED advisories: their database could not be had, or one of them applies (see above).");
        say("        Run `cargo deny check advisories` on a machine with access to it.");
    }
    Ok(())
}
