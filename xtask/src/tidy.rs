//! `cargo xtask tidy`: rules of structure that the compiler doesn't know.

mod documents;
mod files;
mod imports;

use anyhow::{Result, bail};

use crate::process::{output, say};

/// What breaks a rule, told all at once.
#[derive(Default)]
pub(crate) struct Findings(Vec<String>);

impl Findings {
    pub(crate) fn add(&mut self, finding: impl Into<String>) {
        self.0.push(finding.into());
    }
}

pub(crate) fn tidy() -> Result<()> {
    let mut findings = Findings::default();
    imports::check(&mut findings)?;
    let tracked = output("git", &["ls-files", "--cached", "--others", "--exclude-standard"])?;
    let tracked: Vec<&str> = tracked.lines().collect();
    files::check(&tracked, &mut findings)?;
    documents::check(&tracked, &mut findings)?;
    for finding in &findings.0 {
        say(&format!("tidy: {finding}"));
    }
    if findings.0.is_empty() {
        say("tidy: clean");
        return Ok(());
    }
    bail!("{} findings", findings.0.len())
}
