//! Seed files: what exists in a `symbolon up`, written by hand in YAML.

mod error;
mod resolve;
mod schema;
mod secret;

use std::path::Path;

use control::seed::World;

pub(crate) use error::SeedError;

/// Reads a seed file and resolves it into a world. Nothing is stored yet.
pub(crate) fn read(path: &Path) -> Result<World, SeedError> {
    let text = std::fs::read_to_string(path).map_err(|why| SeedError::unreadable(path, why))?;
    parse(&text, path)
}

/// The world of an `up` that is given no seed.
pub(crate) fn sample() -> Result<World, SeedError> {
    parse(include_str!("up/sample.yaml"), Path::new("sample.yaml"))
}

fn parse(text: &str, path: &Path) -> Result<World, SeedError> {
    let file = serde_saphyr::from_str(text).map_err(|why| SeedError::syntax(path, &why))?;
    resolve::resolve(file, path)
}

/// Stores a world as it stands, for tests that need no secrets of it.
#[cfg(test)]
pub(crate) fn put(tx: &mut dyn store::Tx, world: &World) {
    for tenant in &world.tenants {
        tx.put_tenant(tenant).unwrap();
    }
    for subscription in &world.subscriptions {
        tx.put_subscription(subscription).unwrap();
    }
    for group in &world.resource_groups {
        tx.put_resource_group(group).unwrap();
    }
    for identity in &world.user_assigned_identities {
        tx.put_user_assigned_identity(identity).unwrap();
    }
    for vm in &world.virtual_machines {
        tx.put_virtual_machine(vm).unwrap();
    }
}

#[cfg(test)]
mod tests;
