//! Playbooks as files: faults on purpose, written by hand in YAML.

use std::path::Path;

use anyhow::Context;
use playbook::Playbook;

/// Reads a playbook, and what it says.
pub(crate) fn read(path: &Path) -> anyhow::Result<(String, Playbook)> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))?;
    let playbook = playbook::parse(&text).map_err(|mistake| anyhow::anyhow!(mistake.in_file(path)))?;
    Ok((text, playbook))
}
