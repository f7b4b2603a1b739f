use std::os::unix::fs::PermissionsExt;

use guest::discovery_file::{DiscoveryFile, recall_copy};

use super::*;

#[tokio::test]
async fn an_identity_added_later_works_at_once_and_one_taken_away_is_gone_at_once() {
    let world = World::new(&[0]);
    let target = format!("/oauth2/token?resource=r&client_id={}", fixtures::client_id(1));
    assert_eq!(world.get(&target).await.status, 400);
    world.disk.place(&credential(1)).expect("placed");
    assert_eq!(world.get(&target).await.status, 200);
    world.disk.keep_only(|client| client != fixtures::client_id(1)).expect("removed");
    assert_eq!(world.get(&target).await.status, 400);
}

#[tokio::test]
async fn a_token_that_was_being_made_for_one_taken_away_is_not_handed_out() {
    let world = World::new(&[0, 1]);
    world.source.hold();
    let target = format!("/oauth2/token?resource=r&client_id={}", fixtures::client_id(1));
    let taken_away = async {
        while world.source.asked() == 0 {
            tokio::task::yield_now().await;
        }
        world.disk.keep_only(|client| client != fixtures::client_id(1)).expect("removed");
        // Whoever asks next sees the disk as it is now.
        assert_eq!(world.get(&target).await.status, 400);
        world.source.let_pass(1);
    };
    let (answer, ()) = tokio::join!(world.get(&target), taken_away);
    let body = r#"{"error":"invalid_request","error_description":"Identity not found"}"#;
    assert_eq!((answer.status, answer.body.as_str()), (400, body));
}

#[tokio::test]
async fn no_identity_is_no_token() {
    let world = World::new(&[]);
    let answer = world.get("/oauth2/token?resource=r").await;
    assert!(answer.status == 400 && answer.body.contains("Identity not found"));
}

#[test]
fn the_discovery_file_says_where_and_goes_with_the_endpoint() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = Disk::new(folder.path());
    let path = folder.path().join("var/lib/waagent/ManagedIdentity-Settings");
    let file = DiscoveryFile::write(&disk, None, 50_342).expect("written");
    assert_eq!(std::fs::read_to_string(&path).expect("text"), "{\"url\":\"http://localhost:50342\"}");
    assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o644);
    drop(file);
    assert!(!path.exists());
}

#[test]
fn a_copy_is_for_everyone_to_read_and_for_nobody_else_to_change() {
    let parent = tempfile::tempdir().expect("a folder");
    let disk = Disk::new(parent.path().join("guest"));
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    let folder = parent.path().join("a/dev");
    let own = "127.0.1.1".parse().expect("an address");
    let copy = DiscoveryFile::write_copy(&disk, &folder, Some(own), 1).expect("written");
    let path = folder.join("ManagedIdentity-Settings");
    assert_eq!(std::fs::read_to_string(&path).expect("text"), "{\"url\":\"http://127.0.1.1:1\"}");
    assert_eq!((mode(&folder), mode(&path)), (0o755, 0o644));
    drop(copy);
    assert!(!path.exists());
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).expect("changed");
    assert!(DiscoveryFile::write_copy(&disk, &folder, None, 1).is_err(), "anybody could put another one there");
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).expect("changed");
    let link = parent.path().join("link");
    std::os::unix::fs::symlink(&folder, &link).expect("a link");
    assert!(DiscoveryFile::write_copy(&disk, &link, None, 1).is_err(), "a link may be somebody's trap");
}

#[test]
fn a_copy_that_was_left_is_recalled_and_nobody_elses_is() {
    let parent = tempfile::tempdir().expect("a folder");
    let (disk, folder) = (Disk::new(parent.path().join("guest")), parent.path().join("for-all"));
    let path = folder.join("ManagedIdentity-Settings");
    // Left by one that was killed.
    let leave = |port| {
        std::mem::forget(DiscoveryFile::write(&disk, None, port).expect("written"));
        std::mem::forget(DiscoveryFile::write_copy(&disk, &folder, None, port).expect("written"));
    };
    recall_copy(&disk).expect("nothing to do");
    leave(1);
    recall_copy(&disk).expect("recalled");
    assert!(!path.exists());
    recall_copy(&disk).expect("nothing to do");
    leave(2);
    std::fs::write(&path, "{\"url\":\"http://localhost:3\"}").expect("written");
    recall_copy(&disk).expect("recalled");
    assert!(path.exists(), "another one wrote it since");
    // One that ended in order leaves nothing to recall.
    drop(DiscoveryFile::write_copy(&disk, &folder, None, 4).expect("written"));
    std::fs::write(&path, std::fs::read(disk.discovery_file()).expect("text")).expect("written");
    recall_copy(&disk).expect("nothing to do");
    assert!(path.exists());
}

#[test]
fn what_is_withdrawn_is_gone_half_written_or_not() {
    let world = tempfile::tempdir().expect("a folder");
    let disk = Disk::new(world.path());
    disk.withdraw().expect("nothing to do");
    disk.place(&credential(0)).expect("placed");
    std::fs::write(disk.identities().join("x.json.new"), "half a key").expect("written");
    std::mem::forget(DiscoveryFile::write(&disk, None, 1).expect("written"));
    disk.withdraw().expect("withdrawn");
    assert!(!disk.identities().exists() && !disk.discovery_file().exists());
    assert_eq!(disk.load().0.len(), 0);
}
