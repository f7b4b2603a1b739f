use store::{Holder, Noun, Page, Thumbprint, Unique};

use super::*;

pub(super) fn round_trip(store: &dyn Store) {
    base(store);
    write(store, everything).unwrap();
    let tx = store.read().unwrap();
    assert_eq!(tx.tenant(tenant().id).unwrap(), Some(tenant()));
    assert_eq!(tx.tenant_by_name("DEV").unwrap(), Some(tenant()));
    assert_eq!(tx.subscription(subscription().id).unwrap(), Some(subscription()));
    assert_eq!(tx.resource_group(&group().id).unwrap(), Some(group()));
    let shouted = ResourceId::parse(&identity(1).identity.id.as_str().to_uppercase()).unwrap();
    assert_eq!(tx.user_assigned_identity(&shouted).unwrap(), Some(identity(1)));
    assert_eq!(tx.virtual_machine(&machine(1, &[]).id).unwrap(), Some(machine(1, &[1])));
    assert_eq!(tx.virtual_machines_with(&identity(1).identity.id).unwrap(), [machine(1, &[]).id]);
    assert_eq!(tx.vm_extensions(&machine(1, &[]).id).unwrap(), [extension(1)]);
    assert_eq!(tx.applications(tenant().id).unwrap(), [application()]);
    assert_eq!(tx.role_assignments_of(application().principal_id).unwrap(), [role()]);
    let credential = certificate(&identity(1).identity, Some(machine(1, &[]).id), 1);
    for thumbprint in [Thumbprint::Sha1([1; 20]), Thumbprint::Sha256([1; 32])] {
        let found = tx.certificate_credential(tenant().id, identity(1).identity.client_id, thumbprint).unwrap();
        assert_eq!(found.as_ref(), Some(&credential));
    }
    assert_eq!(tx.signing_keys().unwrap(), [signing_key()]);
    assert_eq!(tx.external_issuers().unwrap(), [issuer()]);
    assert_eq!(tx.value("name").unwrap().as_deref(), Some("value"));
    assert_eq!(tx.virtual_machines(&Scope::At(group().id), &Page::ALL).unwrap(), [machine(1, &[1])]);
}

pub(super) fn unchanged(store: &dyn Store) {
    base(store);
    write(store, everything).unwrap();
    let before = store.read().unwrap().audit(0, 100).unwrap().len();
    write(store, everything).unwrap();
    assert_eq!(store.read().unwrap().audit(0, 100).unwrap().len(), before);
}

pub(super) fn client(store: &dyn Store) {
    base(store);
    write(store, everything).unwrap();
    let tx = store.read().unwrap();
    let ci = tx.client(tenant().id, application().client_id).unwrap().unwrap();
    assert_eq!(ci.holder, Holder::Application { name: "ci".to_owned() });
    assert_eq!((ci.secrets, ci.federated, ci.roles), (application().secrets, application().federated, vec![role()]));
    let app = tx.client(tenant().id, identity(1).identity.client_id).unwrap().unwrap();
    assert_eq!(app.holder, Holder::ManagedIdentity(identity(1).identity));
    assert_eq!(app.certificates.len(), 1);
    assert_eq!(tx.client(guid(0x10, 2), application().client_id).unwrap(), None, "of another tenant");
}

pub(super) fn snapshots(store: &dyn Store) {
    base(store);
    write(store, |tx| {
        for number in 1..=3 {
            tx.put_user_assigned_identity(&identity(number))?;
        }
        for number in 1..=1_000 {
            tx.put_virtual_machine(&machine(number, &[1, 2, 3]))?;
        }
        Ok(())
    })
    .unwrap();
    let tx = store.read().unwrap();
    let all = tx.vm_snapshots().unwrap();
    assert_eq!(all.len(), 1_000);
    for snapshot in &all {
        assert_eq!(snapshot.identities.iter().count(), 4);
        assert!(snapshot.identities.by_client_id(identity(2).identity.client_id).is_some());
    }
    let one = tx.vm_snapshot(&machine(7, &[]).id).unwrap().unwrap();
    assert_eq!(one.identities.system_assigned().map(|identity| identity.principal_id), Some(guid(0x41, 7)));
    assert!(all.contains(&one));
}

pub(super) fn unique(store: &dyn Store) {
    base(store);
    write(store, everything).unwrap();
    let taken = |result: Result<store::Put, Error>| match result {
        Err(Error::Taken { what, .. }) => what,
        other => panic!("{other:?}"),
    };
    let named = Tenant { id: guid(0x10, 2), name: "Dev".to_owned(), created_at: None };
    assert_eq!(taken(write(store, |tx| tx.put_tenant(&named))), Unique::Name);
    let mut twin = identity(2);
    twin.identity.client_id = identity(1).identity.client_id;
    assert_eq!(taken(write(store, |tx| tx.put_user_assigned_identity(&twin))), Unique::ClientId);
    let mut twin = identity(2);
    twin.identity.principal_id = machine(1, &[]).system_assigned.unwrap().principal_id;
    assert_eq!(taken(write(store, |tx| tx.put_user_assigned_identity(&twin))), Unique::PrincipalId);
    let mut twin = machine(2, &[]);
    twin.vm_id = machine(1, &[]).vm_id;
    assert_eq!(taken(write(store, |tx| tx.put_virtual_machine(&twin))), Unique::VmId);
    write(store, |tx| tx.remove_virtual_machine(&machine(1, &[]).id)).unwrap();
    assert_eq!(taken(write(store, |tx| tx.put_virtual_machine(&twin))), Unique::VmId, "nor after it is gone");
}

pub(super) fn missing(store: &dyn Store) {
    for result in [
        write(store, |tx| tx.put_subscription(&subscription())),
        write(store, |tx| tx.put_user_assigned_identity(&identity(1))),
        write(store, |tx| tx.put_vm_extension(&extension(1))),
        write(store, |tx| tx.put_role_assignment(&role())),
        write(store, |tx| tx.put_certificate_credential(&certificate(&identity(1).identity, None, 1))),
    ] {
        assert!(matches!(result, Err(Error::Missing { .. })), "{result:?}");
    }
    let missing = |result: Result<store::Put, Error>| match result {
        Err(Error::Missing { noun, .. }) => noun,
        other => panic!("{other:?}"),
    };
    let put = |vm: &VirtualMachine| missing(write(store, |tx| tx.put_virtual_machine(vm)));
    assert_eq!(put(&machine(1, &[])), Noun::Tenant);
    write(store, |tx| tx.put_tenant(&tenant())).unwrap();
    assert_eq!(put(&machine(1, &[])), Noun::ResourceGroup);
    base(store);
    assert_eq!(put(&machine(1, &[1])), Noun::UserAssignedIdentity);
}

pub(super) fn roles(store: &dyn Store) {
    base(store);
    write(store, everything).unwrap();
    let described = RoleAssignment { created_at: None, created_by: None, ..role() };
    assert_eq!(write(store, |tx| tx.put_role_assignment(&described)).unwrap(), store::Put::Unchanged);
    let other = RoleAssignment { id: guid(0x70, 2), role: "Reader".to_owned(), ..described };
    assert_eq!(write(store, |tx| tx.put_role_assignment(&other)).unwrap(), store::Put::Created);
    let tx = store.read().unwrap();
    assert_eq!(tx.role_assignment(role().id).unwrap(), Some(role()), "it stays as it was given");
    let now = Some(Timestamp::from_unix(NOW));
    assert_eq!(tx.role_assignment(other.id).unwrap(), Some(RoleAssignment { created_at: now, ..other }));
}

pub(super) fn tenants(store: &dyn Store) {
    let described = Tenant { created_at: None, ..tenant() };
    write(store, |tx| tx.put_tenant(&described)).unwrap();
    let stored = || store.read().unwrap().tenant(tenant().id).unwrap().unwrap();
    assert_eq!(stored(), tenant(), "created when it was first put");
    let put = |tenant: &Tenant| write(store, |tx| tx.put_tenant(tenant)).unwrap();
    assert_eq!(put(&described), store::Put::Unchanged);
    let renamed = Tenant { name: "prod".to_owned(), created_at: Some(Timestamp::from_unix(NOW + 9)), ..tenant() };
    assert_eq!(put(&renamed), store::Put::Updated);
    assert_eq!(stored(), Tenant { name: "prod".to_owned(), ..tenant() }, "it stays as old as it is");
}
