//! What the SQLite backend promises beyond the suite: files.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use store::{FileRefusal, sqlite};

use super::*;

/// Names the directory in which a child process writes until it is killed.
const CHILD: &str = "SYMBOLON_STORE_CHILD";

#[test]
fn the_suite() {
    suite::run("SQLite", || Box::new(sqlite::ephemeral(&founding(1)).unwrap()));
    println!("SKIPPED PostgreSQL: there is no such backend yet; it will run the same suite");
}

fn open(path: &Path) -> Result<sqlite::Sqlite, Error> {
    sqlite::open(path, &founding(1))
}

#[test]
fn a_store_outlives_its_process_and_nobody_else_may_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("symbolon.db");
    let store = open(&path).unwrap();
    write(&store, |tx| tx.put_tenant(&tenant())).unwrap();
    drop(store);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let store = sqlite::open(&path, &founding(2)).unwrap();
    assert_eq!(store.read().unwrap().tenant(tenant().id).unwrap(), Some(tenant()));
    assert_eq!(store.read().unwrap().installation().unwrap(), Uuid::from_u128(1), "the founding is of no effect");
    store.check().unwrap();
}

#[test]
fn files_that_are_not_ours_are_refused_and_left_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text");
    std::fs::write(&text, "not a database, and long enough to be mistaken for the head of one by nobody at all")
        .unwrap();
    std::fs::set_permissions(&text, std::fs::Permissions::from_mode(0o600)).unwrap();
    let before = std::fs::read(&text).unwrap();
    assert!(matches!(open(&text), Err(Error::File { .. })));
    assert_eq!(std::fs::read(&text).unwrap(), before);

    let foreign = folder.path().join("foreign.db");
    let connection = rusqlite::Connection::open(&foreign).unwrap();
    connection.execute_batch("CREATE TABLE t (a); PRAGMA application_id = 7;").unwrap();
    drop(connection);
    std::fs::set_permissions(&foreign, std::fs::Permissions::from_mode(0o600)).unwrap();
    let before = std::fs::read(&foreign).unwrap();
    assert!(matches!(open(&foreign), Err(Error::File { refusal: FileRefusal::NotOurs, .. })));
    assert_eq!(std::fs::read(&foreign).unwrap(), before);
}

#[test]
fn a_check_reads_keys_audit_and_feed_too() {
    for damage in [
        "UPDATE signing_key SET issuer = CAST(x'ff' AS TEXT)",
        "UPDATE audit SET actor = CAST(x'ff' AS TEXT) WHERE seq = 1002",
        "UPDATE change_feed SET noun = 'nothing' WHERE rev = 1002",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("symbolon.db");
        let store = open(&path).unwrap();
        // More than are read at once.
        for number in 0..1_001 {
            write(&store, |tx| tx.put_value("number", &number.to_string())).unwrap();
        }
        write(&store, |tx| tx.put_signing_key(&signing_key())).unwrap();
        store.check().unwrap();
        drop(store);
        let connection = rusqlite::Connection::open(&path).unwrap();
        assert_eq!(connection.execute(damage, []).unwrap(), 1, "{damage}");
        drop(connection);
        let checked = open(&path).unwrap().check();
        assert!(matches!(checked, Err(Error::Stored { .. } | Error::Driver { .. })), "{damage}: {checked:?}");
    }
}

#[test]
fn a_newer_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("symbolon.db");
    drop(open(&path).unwrap());
    let connection = rusqlite::Connection::open(&path).unwrap();
    let version: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    connection.execute_batch(&format!("PRAGMA user_version = {}", version + 1)).unwrap();
    drop(connection);
    let refused = open(&path);
    assert!(matches!(refused, Err(Error::File { refusal: FileRefusal::Newer { .. }, .. })), "{refused:?}");
}

#[test]
fn what_was_saved_survives_a_kill_and_what_was_not_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sqlite::a_child_writes_until_it_is_killed", "--nocapture"])
        .env(CHILD, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut saved = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        if let Some(number) = line.unwrap().strip_prefix("saved ") {
            saved = number.parse::<u32>().unwrap();
            if saved == 50 {
                break;
            }
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let store = open(&folder.path().join("symbolon.db")).unwrap();
    store.check().unwrap();
    let tx = store.read().unwrap();
    let kept = tx.value("number").unwrap().unwrap().parse::<u32>().unwrap();
    assert!(kept >= saved, "{kept} kept of {saved} that were saved");
    assert_eq!(tx.audit(0, 10_000).unwrap().len() as u32, kept, "each with its audit entry");
    assert_eq!(tx.value("unsaved").unwrap(), None);
}

/// Not a test by itself: the process that the test above kills. Run without its directory it does nothing.
#[test]
#[expect(clippy::disallowed_methods, reason = "the one word from parent to child")]
fn a_child_writes_until_it_is_killed() {
    let Ok(folder) = std::env::var(CHILD) else { return };
    let store = open(&Path::new(&folder).join("symbolon.db")).unwrap();
    for number in 1.. {
        write(&store, |tx| tx.put_value("number", &number.to_string())).unwrap();
        println!("saved {number}");
        let mut tx = store.begin(act("never saved")).unwrap();
        tx.put_value("unsaved", "x").unwrap();
    }
}
