//! What is stored: nothing of it half written.

use domain::{PrincipalKind, ResourceId, Scope};
use store::{Founding, Page, ReadTx, Store as _};

use super::*;

/// Asserts it of the store in a data directory, once what was under way has ended.
pub(super) fn assert_whole(data: &Path) {
    // Of a file that is there nothing is founded.
    let founding = Founding { installation: Default::default(), epoch: Default::default() };
    let store = store::sqlite::open(&data.join("symbolon.db"), &founding).unwrap();
    eventually("nothing is under way", || {
        let tx = store.read().unwrap();
        let (operations, deployments) = (tx.operations_under_way().unwrap(), tx.deployments_under_way().unwrap());
        (operations.is_empty() && deployments.is_empty()).then_some(())
    });
    store.check().unwrap();
    let tx = store.read().unwrap();
    assert_owned(&*tx);
    assert_complete(&*tx);
}

/// Every living principal of an identity belongs to what is there, and what has an identity has its principal.
fn assert_owned(tx: &dyn ReadTx) {
    let mut owned = BTreeSet::new();
    let machines = tx.virtual_machines(&Scope::Root, &Page::ALL).unwrap();
    let scale_sets = tx.scale_sets(&Scope::Root, &Page::ALL).unwrap();
    let identities = tx.user_assigned_identities(&Scope::Root, &Page::ALL).unwrap();
    let of_machines = machines.iter().filter_map(|machine| machine.system_assigned.as_ref());
    let of_scale_sets = scale_sets.iter().filter_map(|scale_set| scale_set.system_assigned.as_ref());
    let system = of_machines.chain(of_scale_sets);
    for identity in system.chain(identities.iter().map(|found| &found.identity)) {
        owned.insert((identity.principal_id, identity.client_id, identity.id.to_string()));
    }
    let tenants = tx.tenants().unwrap();
    let principals = tenants.iter().flat_map(|tenant| tx.service_principals(tenant.id).unwrap());
    let living = principals.filter(|one| one.deleted_at.is_none() && one.kind != PrincipalKind::Application);
    let living: BTreeSet<_> =
        living.map(|one| (one.principal_id, one.client_id, one.owner.unwrap().to_string())).collect();
    assert_eq!(living, owned);
    for role in tx.role_assignments(&Scope::Root).unwrap() {
        let principal = tx.service_principal(role.principal).unwrap().unwrap();
        assert_eq!(principal.deleted_at, None, "{role:?}");
    }
}

/// Everything stands in a group that is there, and a scale set has as many machines as it says.
fn assert_complete(tx: &dyn ReadTx) {
    let in_a_group = |id: &ResourceId| {
        let Some(group) = id.resource_group() else { return };
        let group = ResourceId::for_resource_group(id.subscription().unwrap(), group).unwrap();
        assert!(tx.resource_group(&group).unwrap().is_some(), "{id} is in no group");
    };
    for resource in tx.resource_summaries(&Scope::Root, &Page::ALL).unwrap() {
        in_a_group(&resource.id);
    }
    for deployment in tx.deployments(&Scope::Root).unwrap() {
        in_a_group(&deployment.id);
        assert_eq!(deployment.request, None, "{} has ended, and its request is kept", deployment.id);
    }
    for role in tx.role_assignments(&Scope::Root).unwrap() {
        if let Scope::At(id) = role.scope {
            in_a_group(&id);
        }
    }
    for scale_set in tx.scale_sets(&Scope::Root, &Page::ALL).unwrap() {
        let machines = tx.virtual_machines_of_scale_set(&scale_set.id).unwrap();
        assert_eq!(machines.len(), usize::try_from(scale_set.sku.capacity).unwrap(), "{}", scale_set.id);
        for machine in machines {
            let extensions = tx.vm_extensions(&machine.id).unwrap();
            let names: Vec<_> = extensions.iter().map(|extension| &extension.name).collect();
            let model: Vec<_> = scale_set.extensions.iter().map(|extension| &extension.name).collect();
            assert_eq!(names, model, "{}", machine.id);
        }
    }
}
