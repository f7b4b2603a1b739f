use std::os::unix::fs::PermissionsExt;

use guest::discovery_file::DiscoveryFile;

use super::*;

#[tokio::test]
async fn an_identity_added_later_works_at_once_and_one_taken_away_is_gone_at_once() {
    let world = World::new(&[0]);
    let target = format!("/oauth2/token?resource=r&client_id={}", fixtures::client_id(1));
    assert_eq!(world.get(&target).await.status, 400);
    world.disk.place(&credential(1)).expect("placed");
    assert_eq!(world.get(&target).await.status, 200);
    world.disk.remove(fixtures::client_id(1)).expect("removed");
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
        world.disk.remove(fixtures::client_id(1)).expect("removed");
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
