//! What exists when `up` starts: the store with the seed or the sample in it, and the admin.

use std::fs;
use std::path::Path;

use anyhow::Context;
use authority::kek::FileKek;
use authority::secret::SecretKey;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use control::seed::{SeedApplication, SeedConflict, World};
use domain::{Application, ClientId, Scope, SharedClock, TenantId, VirtualMachine, VmExtension, derived_ids};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use store::{Act, Handle, Page};

use super::instance::Admin;
use super::machines::display_name;
use super::roster::Roster;
use crate::files;

/// The admin's secret, for the next start.
pub(crate) const ADMIN_FILE: &str = "admin.json";
/// The name of the application that owns everything. No seed may have one of that name.
pub(crate) const ADMIN: &str = "admin";

/// The VMs that are there, and the managed-identity extension of each: the seed's first, in its order, then the
/// others as they stood at the last start.
pub(crate) async fn machines(
    store: &Handle,
    world: &World,
    roster: &Roster,
) -> Result<Vec<(VirtualMachine, Option<VmExtension>)>, store::Error> {
    let mut stored = store
        .read(|tx| {
            let mut machines = Vec::new();
            for vm in tx.virtual_machines(&Scope::Root, &Page::ALL)? {
                let extensions = tx.vm_extensions(&vm.id)?;
                machines.push((vm, extensions.into_iter().find(VmExtension::is_managed_identity)));
            }
            for scale_set in tx.scale_sets(&Scope::Root, &Page::ALL)? {
                for mut vm in tx.virtual_machines_of_scale_set(&scale_set.id)? {
                    vm.name = display_name(&vm);
                    let extensions = tx.vm_extensions(&vm.id)?;
                    machines.push((vm, extensions.into_iter().find(VmExtension::is_managed_identity)));
                }
            }
            Ok::<_, store::Error>(machines)
        })
        .await?;
    stored.sort_by_key(|(vm, _)| roster.position(&vm.id));
    let mut machines: Vec<(VirtualMachine, Option<VmExtension>)> = world
        .virtual_machines
        .iter()
        .map(|vm| {
            let mut extensions = world.vm_extensions.iter().filter(|extension| extension.vm == vm.id);
            (vm.clone(), extensions.find(|extension| extension.is_managed_identity()).cloned())
        })
        .collect();
    for (vm, extension) in stored {
        if !machines.iter().any(|(known, _)| known.id == vm.id) {
            machines.push((vm, extension));
        }
    }
    Ok(machines)
}

/// Puts the world and the admin into the store, in one transaction. Gives the admin's secret.
pub(crate) async fn apply(
    store: &Handle,
    mut world: World,
    kek: &FileKek,
    data: &Path,
    tenant: TenantId,
    clock: &SharedClock,
) -> anyhow::Result<Admin> {
    let admin = admin(data, tenant)?;
    world.applications.push(SeedApplication {
        application: Application {
            tenant,
            client_id: client_id(tenant),
            principal_id: derived_ids::application_principal_id(tenant, ADMIN),
            name: ADMIN.to_owned(),
            secrets: Vec::new(),
            federated: Vec::new(),
        },
        secret: Some(SecretString::from(admin.client_secret.clone())),
        certificates: Vec::new(),
        roles: vec![("Owner".to_owned(), Scope::Root)],
    });
    for vm in &mut world.virtual_machines {
        vm.created_at = clock.now();
    }
    let secrets = SecretKey::derive(kek)?;
    let (admin_id, secret) = (client_id(tenant), SecretString::from(admin.client_secret.clone()));
    let act = Act::new("symbolon up", "seed.apply", data.display().to_string(), clock.now());
    store
        .write(act, move |tx| {
            // The file decides: when it was lost, or its secret never came into the store, the store follows.
            if let Some(mut found) = tx.application(tenant, admin_id)?
                && !found.secrets.iter().any(|verifier| secrets.matches(verifier, &secret))
            {
                let unusable =
                    |why| SeedConflict::Credential { name: ADMIN.to_owned(), credential: "secret", why: Box::new(why) };
                found.secrets = vec![secrets.verifier(&secret).map_err(unusable)?];
                tx.put_application(&found)?;
            }
            control::seed::apply(tx, &world, &secrets)
        })
        .await
        .map_err(|conflict: SeedConflict| anyhow::Error::new(conflict))?;
    Ok(admin)
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AdminFile {
    client_secret: String,
}

fn client_id(tenant: TenantId) -> ClientId {
    derived_ids::application_client_id(tenant, ADMIN)
}

/// The admin of earlier starts, or a new one.
fn admin(data: &Path, tenant: TenantId) -> anyhow::Result<Admin> {
    if let Some(admin) = read_admin(data, tenant)? {
        return Ok(admin);
    }
    let mut random = [0; 30];
    SystemRandom::new().fill(&mut random).ok().context("the random generator failed")?;
    let secret = SecretString::from(contract::jose::encode(random));
    let file = AdminFile { client_secret: secret.expose_secret().to_owned() };
    files::write_private(&data.join(ADMIN_FILE), serde_json::to_string(&file)?.as_bytes())?;
    Ok(Admin { client_id: client_id(tenant).to_string(), client_secret: file.client_secret })
}

/// The admin of a data directory, if it has one.
pub(crate) fn read_admin(data: &Path, tenant: TenantId) -> anyhow::Result<Option<Admin>> {
    let path = data.join(ADMIN_FILE);
    let unreadable = || format!("the admin's secret in {} can't be read", path.display());
    match fs::read_to_string(&path) {
        Ok(text) => {
            let file: AdminFile = serde_json::from_str(&text).with_context(unreadable)?;
            Ok(Some(Admin { client_id: client_id(tenant).to_string(), client_secret: file.client_secret }))
        }
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(why) => Err(why).with_context(unreadable),
    }
}
