//! Whether documents name files that are there.

use std::fs;

use anyhow::Result;

use super::Findings;
use crate::process::root;

/// Folders whose files documents may name in backticks.
const OURS: [&str; 9] = [".cargo/", ".ci/", "bench/", "compat/", "crates/", "docs/", "fuzz/", "packaging/", "xtask/"];

pub(super) fn check(tracked: &[&str], findings: &mut Findings) -> Result<()> {
    for path in tracked.iter().filter(|path| path.ends_with(".md")) {
        let Ok(text) = fs::read_to_string(root().join(path)) else { continue };
        for (number, line) in text.lines().enumerate() {
            // Every second piece stands between backticks.
            for named in line.split('`').skip(1).step_by(2) {
                let plain =
                    named.chars().all(|character| character.is_ascii_alphanumeric() || "/._-".contains(character));
                let ours = OURS.iter().any(|folder| named.starts_with(folder));
                if plain && ours && !root().join(named).exists() && !is_made(named) {
                    findings.add(format!("{path}:{}: names {named}, which isn't there", number + 1));
                }
            }
        }
    }
    let changelog = fs::read_to_string(root().join("CHANGELOG.md")).unwrap_or_default();
    if !changelog.lines().any(|line| line.starts_with("## ") && line.contains("Unreleased")) {
        findings.add("CHANGELOG.md has no section Unreleased");
    }
    Ok(())
}

/// Files that are made by a command and that git ignores.
fn is_made(named: &str) -> bool {
    ["compat/.work", "fuzz/corpus", "fuzz/target"].iter().any(|made| named.starts_with(made))
}
