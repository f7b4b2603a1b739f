use domain::{IdentityKind, ManagedIdentity, ResourceId, Timestamp};

use super::*;

fn credential(number: u8) -> NewCredential {
    let vm = ResourceId::parse("/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/dev").unwrap();
    NewCredential {
        identity: ManagedIdentity {
            kind: IdentityKind::UserAssigned,
            id: vm.clone(),
            tenant: "00000000-0000-4000-8000-000000000002".parse().unwrap(),
            principal_id: "00000000-0000-4000-8000-000000000003".parse().unwrap(),
            client_id: format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().unwrap(),
        },
        vm,
        certificate: vec![1, 2, 3],
        key: Zeroizing::new(vec![4, 5, 6]),
        not_after: Timestamp::from_unix(1_900_000_000),
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn what_was_placed_is_read_again_and_only_its_owner_can() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::new(folder.path());
    assert_eq!((disk.load().0.len(), disk.stamp()), (0, None));
    disk.place(&credential(1)).unwrap();
    disk.place(&credential(2)).unwrap();
    let (sound, unsound) = disk.load();
    assert!(unsound.is_empty(), "{unsound:?}");
    assert_eq!(sound.len(), 2);
    assert_eq!(sound[0].identity, credential(1).identity);
    assert_eq!((&sound[0].certificate, &*sound[0].key), (&vec![1, 2, 3], &vec![4, 5, 6]));
    assert_eq!(mode(&disk.identities()), 0o700);
    let path = disk.identities().join(file_name(credential(1).identity.client_id));
    assert_eq!(mode(&path), 0o600);

    disk.keep_only(|client| client == credential(2).identity.client_id).unwrap();
    assert_eq!(disk.load().0.len(), 1);
}

#[test]
fn a_loose_linked_or_broken_file_is_told_and_keeps_no_other_back() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::new(folder.path());
    for number in 1..=3 {
        disk.place(&credential(number)).unwrap();
    }
    let path = |number| disk.identities().join(file_name(credential(number).identity.client_id));
    fs::set_permissions(path(1), fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(path(2), b"{\"format\":1}").unwrap();
    std::os::unix::fs::symlink(path(3), disk.identities().join("link.json")).unwrap();
    let (sound, unsound) = disk.load();
    assert_eq!(sound.len(), 1);
    assert_eq!(sound[0].identity.client_id, credential(3).identity.client_id);
    assert!(matches!(unsound[0], DiskError::Loose { mode: 0o644, .. }));
    assert!(matches!(unsound[1], DiskError::Malformed { .. }));
    assert!(matches!(unsound[2], DiskError::Io { doing: "read", .. }));
}

#[test]
fn what_belongs_to_no_identity_that_is_kept_goes_usable_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::new(folder.path());
    let clients = [1, 2, 3].map(|number| credential(number).identity.client_id);
    disk.keep_only(|_| false).unwrap();
    for number in 1..=3 {
        disk.place(&credential(number)).unwrap();
    }
    let file = |name: &str| disk.identities().join(name);
    let half = format!("{}.new", file_name(clients[1]));
    fs::set_permissions(file(&file_name(clients[1])), fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(file(&half), b"half a key").unwrap();
    fs::write(file("no-client.json"), b"{}").unwrap();
    fs::write(file(&format!("{}.new", file_name(clients[2]))), b"being written").unwrap();
    std::os::unix::fs::symlink(file(&file_name(clients[2])), file("link.json")).unwrap();
    fs::write(file("notes.txt"), b"somebody's own").unwrap();
    disk.keep_only(|client| client == clients[0] || client == clients[2]).unwrap();
    let mut left: Vec<_> = fs::read_dir(disk.identities())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    let third = file_name(clients[2]);
    assert_eq!(left, [file_name(clients[0]), third.clone(), format!("{third}.new"), "notes.txt".to_owned()]);
}

#[test]
fn a_wipe_leaves_nothing_whatever_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::new(folder.path());
    assert!(!disk.has_credentials().unwrap());
    disk.place(&credential(1)).unwrap();
    let placed = disk.identities().join(file_name(credential(1).identity.client_id));
    fs::copy(&placed, disk.identities().join("x.json.bak")).unwrap();
    fs::remove_file(placed).unwrap();
    assert!(disk.has_credentials().unwrap(), "a copy of a secret is one too");
    disk.wipe().unwrap();
    assert!(!disk.has_credentials().unwrap() && !disk.identities().exists());
    fs::write(disk.identities(), b"no folder").unwrap();
    disk.has_credentials().expect_err("it can't be read");
}

#[test]
fn an_unfinished_write_of_an_earlier_run_is_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::new(folder.path());
    disk.place(&credential(1)).unwrap();
    let new = disk.identities().join(format!("{}.new", file_name(credential(1).identity.client_id)));
    fs::write(&new, b"half").unwrap();
    disk.place(&credential(1)).unwrap();
    assert!(!new.exists());
    assert_eq!(disk.load().0.len(), 1);
}
