//! Puts a described world into the store: all of it or nothing, and the same world twice changes nothing.

mod agree;
mod application;

use std::collections::BTreeSet;

use domain::{
    Application, ExternalIssuer, ResourceGroup, Scope, Subscription, Tenant, UserAssignedIdentity, VirtualMachine,
    VmExtension,
};
use secrecy::SecretString;
use store::Tx;

use agree::Agree;

/// Everything that a seed describes, with every reference resolved and every id chosen.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// Tenants.
    pub tenants: Vec<Tenant>,
    /// Subscriptions.
    pub subscriptions: Vec<Subscription>,
    /// Resource groups.
    pub resource_groups: Vec<ResourceGroup>,
    /// User-assigned identities.
    pub user_assigned_identities: Vec<UserAssignedIdentity>,
    /// Virtual machines, in the order in which `up` lists them.
    pub virtual_machines: Vec<VirtualMachine>,
    /// Extensions of the virtual machines.
    pub vm_extensions: Vec<VmExtension>,
    /// Issuers outside this installation.
    pub external_issuers: Vec<ExternalIssuer>,
    /// Applications with their credentials and roles.
    pub applications: Vec<SeedApplication>,
}

/// An application of a seed.
#[derive(Clone, Debug)]
pub struct SeedApplication {
    /// The application, without its secret.
    pub application: Application,
    /// Its client secret in plain text; it is stored as a verifier only.
    pub secret: Option<SecretString>,
    /// The certificates it may sign in with, each as PEM.
    pub certificates: Vec<Vec<u8>>,
    /// What it may do, and where.
    pub roles: Vec<(String, Scope)>,
}

/// Why a world can't be put into the store. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum SeedConflict {
    /// Something is there already and isn't as described.
    #[error(
        "{noun} '{name}' is there already with another {field}: it has {found}, the seed says {wanted}; \
         change the seed, or start from nothing with --ephemeral or another --data-dir"
    )]
    Differs {
        /// What.
        noun: &'static str,
        /// Which one.
        name: String,
        /// What differs.
        field: &'static str,
        /// What is stored.
        found: String,
        /// What is described.
        wanted: String,
    },
    /// A credential of an application can't be used.
    #[error("the {credential} of application '{name}' can't be used")]
    Credential {
        /// The application.
        name: String,
        /// Which one.
        credential: &'static str,
        /// Why not.
        #[source]
        why: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The store found an id or name taken by something else, or failed.
    #[error("the seed can't be stored")]
    Store(#[from] store::Error),
}

/// Puts a world into an open transaction. The caller saves it, and drops it when this fails.
///
/// # Errors
/// At the first thing that is there and differs. What is there and agrees is left as it is.
pub fn apply(tx: &mut dyn Tx, world: &World, secrets: &authority::secret::SecretKey) -> Result<(), SeedConflict> {
    world.tenants.iter().try_for_each(|wanted| tenant(tx, wanted))?;
    world.subscriptions.iter().try_for_each(|wanted| subscription(tx, wanted))?;
    world.resource_groups.iter().try_for_each(|wanted| resource_group(tx, wanted))?;
    world.user_assigned_identities.iter().try_for_each(|wanted| user_assigned_identity(tx, wanted))?;
    world.virtual_machines.iter().try_for_each(|wanted| virtual_machine(tx, wanted, &world.vm_extensions))?;
    world.vm_extensions.iter().try_for_each(|wanted| vm_extension(tx, wanted))?;
    world.external_issuers.iter().try_for_each(|wanted| external_issuer(tx, wanted))?;
    world.applications.iter().try_for_each(|wanted| application::apply(tx, wanted, secrets))
}

fn tenant(tx: &mut dyn Tx, wanted: &Tenant) -> Result<(), SeedConflict> {
    let Some(found) = tx.tenant(wanted.id)? else {
        tx.put_tenant(wanted)?;
        return Ok(());
    };
    // When it was created is the store's to say.
    let found = Tenant { created_at: wanted.created_at, ..found };
    Agree::on("tenant", &wanted.id).field("name", &found.name, &wanted.name)?.whole(&found, wanted)
}

fn subscription(tx: &mut dyn Tx, wanted: &Subscription) -> Result<(), SeedConflict> {
    let Some(found) = tx.subscription(wanted.id)? else {
        tx.put_subscription(wanted)?;
        return Ok(());
    };
    Agree::on("subscription", &wanted.name)
        .field("name", &found.name, &wanted.name)?
        .field("tenant", &found.tenant, &wanted.tenant)?
        .whole(&found, wanted)
}

fn resource_group(tx: &mut dyn Tx, wanted: &ResourceGroup) -> Result<(), SeedConflict> {
    let Some(found) = tx.resource_group(&wanted.id)? else {
        tx.put_resource_group(wanted)?;
        return Ok(());
    };
    Agree::on("resource group", &wanted.name)
        .field("location", &found.location, &wanted.location)?
        .field("spelling", &found.id.as_str(), &wanted.id.as_str())
        .map(drop)
}

fn user_assigned_identity(tx: &mut dyn Tx, wanted: &UserAssignedIdentity) -> Result<(), SeedConflict> {
    let Some(found) = tx.user_assigned_identity(&wanted.identity.id)? else {
        tx.put_user_assigned_identity(wanted)?;
        return Ok(());
    };
    Agree::on("user-assigned identity", &wanted.name)
        .field("clientId", &found.identity.client_id, &wanted.identity.client_id)?
        .field("principalId", &found.identity.principal_id, &wanted.identity.principal_id)?
        .field("location", &found.location, &wanted.location)?
        .debug("tags", &found.tags, &wanted.tags)?
        .whole(&found, wanted)
}

/// A machine, and whether its extensions are those that are described; [`vm_extension`] looks into each.
fn virtual_machine(tx: &mut dyn Tx, wanted: &VirtualMachine, extensions: &[VmExtension]) -> Result<(), SeedConflict> {
    let Some(found) = tx.virtual_machine(&wanted.id)? else {
        tx.put_virtual_machine(wanted)?;
        return Ok(());
    };
    let ids = |vm: &VirtualMachine| vm.system_assigned.as_ref().map(|id| (id.client_id, id.principal_id));
    let assigned = |vm: &VirtualMachine| {
        let mut ids: Vec<_> = vm.user_assigned.iter().map(|id| id.key().to_owned()).collect();
        ids.sort_unstable();
        ids
    };
    let names = |extensions: &[VmExtension]| -> BTreeSet<String> {
        extensions
            .iter()
            .filter(|extension| extension.vm == wanted.id)
            .map(|extension| extension.name.clone())
            .collect()
    };
    Agree::on("virtual machine", &wanted.name)
        .field("vmId", &found.vm_id, &wanted.vm_id)?
        .field("location", &found.location, &wanted.location)?
        .field("size", &found.size, &wanted.size)?
        .debug("tags", &found.tags, &wanted.tags)?
        .debug("system-assigned identity", &ids(&found), &ids(wanted))?
        .debug("set of user-assigned identities", &assigned(&found), &assigned(wanted))?
        .debug("attachment", &found.attachment, &wanted.attachment)?
        .debug("set of extensions", &names(&tx.vm_extensions(&wanted.id)?), &names(extensions))
        .map(drop)
}

fn vm_extension(tx: &mut dyn Tx, wanted: &VmExtension) -> Result<(), SeedConflict> {
    let Some(found) = tx.vm_extension(&wanted.id)? else {
        tx.put_vm_extension(wanted)?;
        return Ok(());
    };
    Agree::on("extension", &wanted.id)
        .field("type", &found.spec.extension_type, &wanted.spec.extension_type)?
        .debug("settings", &found.spec.settings, &wanted.spec.settings)?
        .debug("definition", &found.spec, &wanted.spec)
        .map(drop)
}

fn external_issuer(tx: &mut dyn Tx, wanted: &ExternalIssuer) -> Result<(), SeedConflict> {
    let Some(found) = tx.external_issuer(&wanted.url)? else {
        tx.put_external_issuer(wanted)?;
        return Ok(());
    };
    Agree::on("issuer", &wanted.url).debug("jwks", &found.jwks, &wanted.jwks)?.whole(&found, wanted)
}
