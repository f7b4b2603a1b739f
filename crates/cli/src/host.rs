//! The parts of `symbolon host`: its configuration, what that means, and the rights it keeps.

mod attestation;
mod config;
mod control_plane;
mod credential_file;
mod error;
mod inventory;
mod playbook;
pub(crate) mod privileges;
mod serving;

use std::path::Path;

pub(crate) use attestation::{Signers, Signing};
use config::HostConfig;
pub(crate) use control_plane::NoControlPlane;
pub(crate) use error::ConfigError;
pub(crate) use inventory::{Inventory, Machines, Placed};
pub(crate) use playbook::HostPlaybook;
pub(crate) use serving::Serving;

/// Reads a host's configuration, with every file that it names. Nothing listens yet.
pub(crate) fn read(path: &Path) -> Result<Inventory, ConfigError> {
    let (text, config) = parse(path)?;
    inventory::resolve(config, path, &text)
}

/// Reads a host's configuration for its VMs alone, with the files that they name. The other sections are only parsed: they
/// count from the next start, and what has become of their files keeps no VM from coming or going.
pub(crate) fn read_machines(path: &Path) -> Result<Machines, ConfigError> {
    let (text, config) = parse(path)?;
    inventory::resolve_machines(config.virtual_machines, path, &text)
}

fn parse(path: &Path) -> Result<(String, HostConfig), ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|why| ConfigError::unreadable(path, &why))?;
    let config = toml::from_str(&text).map_err(|why| ConfigError::syntax(path, &text, &why))?;
    Ok((text, config))
}

#[cfg(test)]
mod tests;
