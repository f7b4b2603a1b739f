use domain::{CertificateCredential, Resource, Timestamp};
use store::{Noun, Op, Page, Unique};

use super::*;

pub(super) fn of_an_identity(store: &dyn Store) {
    base(store);
    write(store, everything).unwrap();
    let one = identity(1);
    assert!(write(store, |tx| tx.remove_user_assigned_identity(&one.identity.id)).unwrap());
    let tx = store.read().unwrap();
    assert_eq!(tx.client(tenant().id, one.identity.client_id).unwrap(), None);
    assert_eq!(tx.virtual_machine(&machine(1, &[]).id).unwrap(), Some(machine(1, &[])), "it left the machine");
    let certificates = tx.certificate_credentials_of(one.identity.principal_id).unwrap();
    assert!(certificates.iter().all(|certificate| certificate.revoked_at.is_some()) && certificates.len() == 1);
    drop(tx);
    let again = write(store, |tx| tx.put_user_assigned_identity(&one));
    assert!(
        matches!(again, Err(Error::Taken { what: Unique::PrincipalId | Unique::ClientId, .. })),
        "its ids were somebody's once: {again:?}"
    );
    let mut renamed = one.clone();
    (renamed.identity.principal_id, renamed.identity.client_id) = (guid(0x40, 99), guid(0x30, 99));
    write(store, |tx| tx.put_user_assigned_identity(&renamed)).unwrap();
}

/// Machines of a scale set hold certificates of its identities, which aren't assigned to them one by one.
pub(super) fn of_a_scale_set_identity(store: &dyn Store) {
    base(store);
    let (gone, kept) = (identity(1).identity, identity(2).identity);
    let machine = |number| resources::instance(number).id;
    write(store, |tx| {
        tx.put_user_assigned_identity(&identity(1))?;
        tx.put_user_assigned_identity(&identity(2))?;
        tx.put_scale_set(&resources::scale_set(&[1, 2]))?;
        for number in [0, 1] {
            tx.put_virtual_machine(&resources::instance(number))?;
        }
        tx.put_certificate_credential(&certificate(&gone, Some(machine(0)), 1))?;
        tx.put_certificate_credential(&certificate(&gone, Some(machine(1)), 2))?;
        tx.put_certificate_credential(&certificate(&kept, Some(machine(0)), 3))?;
        tx.put_certificate_credential(&certificate(&gone, None, 4))
    })
    .unwrap();
    write(store, |tx| tx.put_scale_set(&resources::scale_set(&[2]))).unwrap();
    let tx = store.read().unwrap();
    let valid = |holder: &ManagedIdentity| -> Vec<u8> {
        let all = tx.certificate_credentials_of(holder.principal_id).unwrap();
        let valid = all.iter().filter(|found| found.revoked_at.is_none());
        valid.map(|found| found.thumbprint_sha256[0]).collect()
    };
    assert_eq!((valid(&gone), valid(&kept)), (vec![4], vec![3]), "what is on its machines is of no more use");
}

pub(super) fn of_a_machine(store: &dyn Store) {
    base(store);
    let vm = machine(1, &[1]);
    let system = vm.system_assigned.clone().unwrap();
    write(store, |tx| {
        everything(tx)?;
        tx.put_certificate_credential(&certificate(&system, Some(vm.id.clone()), 2))
    })
    .unwrap();
    assert!(write(store, |tx| tx.remove_virtual_machine(&vm.id)).unwrap());
    let tx = store.read().unwrap();
    assert_eq!(tx.client(tenant().id, system.client_id).unwrap(), None);
    assert_eq!(tx.vm_extension(&extension(1).id).unwrap(), None);
    assert!(tx.user_assigned_identity(&identity(1).identity.id).unwrap().is_some(), "it lives on");
    let certificates = tx.certificate_credentials_of_vm(&vm.id).unwrap();
    assert!(certificates.iter().all(|certificate| certificate.revoked_at.is_some()) && certificates.len() == 2);
    drop(tx);
    assert!(matches!(write(store, |tx| tx.put_virtual_machine(&vm)), Err(Error::Taken { .. })));
    assert!(!write(store, |tx| tx.remove_virtual_machine(&vm.id)).unwrap(), "it is gone already");
}

pub(super) fn of_an_extension(store: &dyn Store) {
    base(store);
    let vm = machine(1, &[1]);
    let mut windows = extension(1);
    windows.id = vm.id.child("extensions", "other").unwrap();
    (windows.name, windows.spec.extension_type) = ("other".to_owned(), "ManagedIdentityExtensionForWindows".to_owned());
    let held = |by: &VmExtension, number| CertificateCredential {
        extension: Some(by.id.clone()),
        ..certificate(&identity(1).identity, Some(vm.id.clone()), number)
    };
    let holders = |revoked: bool| {
        let certificates = store.read().unwrap().certificate_credentials_of_vm(&vm.id).unwrap();
        let of = certificates.into_iter().filter(|certificate| certificate.revoked_at.is_some() == revoked);
        of.map(|certificate| certificate.extension).collect::<Vec<_>>()
    };
    write(store, |tx| {
        everything(tx)?;
        tx.put_vm_extension(&windows)?;
        tx.put_certificate_credential(&held(&windows, 0x51))?;
        tx.put_certificate_credential(&held(&extension(1), 0x52))
    })
    .unwrap();
    write(store, |tx| tx.remove_vm_extension(&windows.id)).unwrap();
    assert_eq!(holders(true), [Some(windows.id.clone())]);
    assert_eq!(holders(false), [None, Some(extension(1).id)], "there is another that signs with them");
    write(store, |tx| tx.remove_vm_extension(&extension(1).id)).unwrap();
    assert_eq!((holders(true).len(), holders(false).len()), (3, 0));
}

pub(super) fn of_certificates(store: &dyn Store) {
    base(store);
    let (holder, at) = (identity(1).identity, Timestamp::from_unix);
    let ends = |number: u8, vm: Option<ResourceId>, not_after: i64| CertificateCredential {
        not_after: at(not_after),
        ..certificate(&holder, vm, number)
    };
    let vm = || Some(machine(1, &[]).id);
    let revoked = CertificateCredential { revoked_at: Some(at(NOW)), ..ends(2, vm(), NOW + 9) };
    write(store, |tx| {
        tx.put_user_assigned_identity(&identity(1))?;
        tx.put_certificate_credential(&ends(1, vm(), NOW + 9))?;
        tx.put_certificate_credential(&revoked)?;
        tx.put_certificate_credential(&ends(3, vm(), NOW + 10))?;
        tx.put_certificate_credential(&ends(4, None, NOW + 9))
    })
    .unwrap();
    let start = store.read().unwrap().cursor().unwrap();
    let prune = || write(store, |tx| tx.prune_certificate_credentials(at(NOW + 10))).unwrap();
    assert_eq!((prune(), prune()), (2, 0));
    let tx = store.read().unwrap();
    let left = tx.certificate_credentials_of(holder.principal_id).unwrap();
    let left: Vec<_> = left.iter().map(|credential| credential.thumbprint_sha256[0]).collect();
    assert_eq!(left, [3, 4], "one that ends just then, and one of no machine");
    let gone = tx.changes(&start, 10).unwrap().changes;
    let gone: Vec<_> = gone.into_iter().map(|change| (change.noun, change.op)).collect();
    assert_eq!(gone, [(Noun::CertificateCredential, Op::Removed); 2]);
}

type Remove = fn(&mut dyn Tx, &ResourceId) -> Result<bool, Error>;

/// A child of a type that nothing is known about, what is attached to a resource, and roles over it and over those.
pub(super) fn of_what_lies_below(store: &dyn Store) {
    base(store);
    let beside = ResourceId::parse(&format!("{}0", machine(1, &[]).id)).unwrap();
    let below = |id: &ResourceId| {
        let lock = id.resource("Microsoft.Authorization", "locks", "l").unwrap();
        [id.child("runCommands", "r").unwrap(), lock]
    };
    let removed: [(ResourceId, Remove); 5] = [
        (machine(1, &[]).id, |tx, id| tx.remove_virtual_machine(id)),
        (resources::scale_set(&[]).id, |tx, id| tx.remove_scale_set(id)),
        (identity(1).identity.id, |tx, id| tx.remove_user_assigned_identity(id)),
        (resources::nic("everything").id, |tx, id| tx.remove_resource(id)),
        (extension(2).id, |tx, id| tx.remove_vm_extension(id)),
    ];
    let lies = |tx: &dyn Tx, id: &ResourceId| {
        let within = Scope::At(id.clone());
        Ok::<_, Error>(tx.resources(&within, &Page::ALL)?.len() + tx.role_assignments(&within)?.len())
    };
    write(store, |tx| {
        everything(tx)?;
        tx.put_virtual_machine(&machine(2, &[]))?;
        tx.put_vm_extension(&extension(2))?;
        let mut number = 10;
        for id in removed.iter().map(|(id, _)| id).chain([&beside]) {
            for child in below(id) {
                tx.put_resource(&Resource { id: child, ..resources::nic("x") })?;
            }
            for scope in below(id).into_iter().chain([id.clone()]) {
                number += 1;
                let id = guid(0x70, number);
                tx.put_role_assignment(&RoleAssignment { id, scope: Scope::At(scope), ..role() })?;
            }
        }
        Ok(())
    })
    .unwrap();
    for (id, remove) in removed {
        write(store, |tx| {
            assert!(lies(tx, &id)? >= 5, "{id}");
            assert!(remove(tx, &id)?, "{id}");
            assert_eq!(lies(tx, &id)?, 0, "{id}");
            Ok(())
        })
        .unwrap();
    }
    write(store, |tx| {
        assert!(!tx.remove_resource(&beside)? && !tx.remove_vm_extension(&beside)?);
        assert_eq!(lies(tx, &beside)?, 5, "a name that only begins the same");
        Ok(())
    })
    .unwrap();
}
