//! Files: modes, planted links, a disk that is full, a program that is killed wherever it is.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use guest::disk::Disk;
use guest::time::Time;
use testkit::fixtures;

use super::machine::{Machine, mode};
use crate::key;

/// Everything below a folder.
fn tree(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if entry.file_type().expect("a kind").is_dir() {
            found.extend(tree(&path));
        }
        found.push(path);
    }
    found
}

#[tokio::test]
async fn modes_are_narrow_whatever_the_umask_is() {
    let machine = Machine::new().await;
    machine.settings(0, &[0, 1]);
    let program = machine.handler().join("bin/symbolon-guest");
    let script = format!("umask 0; '{}' enable", program.display());
    let mut shell = tokio::process::Command::new("sh");
    shell.args(["-c", &script]).env("ConfigSequenceNumber", "0");
    assert!(shell.status().await.expect("run").success());
    let state = machine.root().join("var/lib/symbolon");
    assert_eq!(mode(&state), 0o700);
    let mut files = 0;
    for path in tree(&state) {
        let wanted = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode(&path), wanted, "{}", path.display());
        files += usize::from(path.is_file());
    }
    assert!(files >= 4, "two credentials, the authority, the endpoint: {files}");
    assert_eq!(mode(&machine.handler().join("status/0.status")), 0o600);
    assert_eq!(mode(&machine.handler().join("heartbeat.log")), 0o600);
    assert_eq!(mode(&machine.handler().join("mrseq")), 0o600);
    assert_eq!((mode(&machine.logs()), mode(&machine.logs().join("handler.log"))), (0o700, 0o600));
    assert_eq!(mode(&machine.root().join("run/symbolon")), 0o755);
}

#[tokio::test]
async fn planted_links_lead_nowhere() {
    let machine = Machine::new().await;
    machine.settings(0, &[0]);
    let target = machine.root().join("shadow");
    fs::write(&target, "kept").expect("written");
    fs::create_dir_all(machine.identities()).expect("made");
    fs::create_dir_all(machine.root().join("run/symbolon")).expect("made");
    fs::create_dir_all(machine.logs()).expect("made");
    for folder in ["var/lib/symbolon", "var/lib/symbolon/identities"] {
        fs::set_permissions(machine.root().join(folder), std::os::unix::fs::PermissionsExt::from_mode(0o700))
            .expect("set");
    }
    let credential = machine.identities().join(format!("{}.json", fixtures::client_id(0)));
    let [discovery, copy] = machine.discovery_files();
    let handler = machine.handler();
    let replaced = [
        credential,
        discovery,
        copy,
        handler.join("status/0.status"),
        handler.join("mrseq"),
        handler.join("heartbeat.log"),
        machine.root().join("var/lib/symbolon/authority.json"),
    ];
    for path in &replaced {
        for planted in
            [path.clone(), path.with_file_name(format!("{}.new", path.file_name().expect("a name").display()))]
        {
            symlink(&target, planted).expect("a link");
        }
    }
    // The log isn't replaced, so nothing is logged.
    symlink(&target, machine.logs().join("handler.log")).expect("a link");
    machine.done("enable", 0).await;
    for path in &replaced {
        assert!(fs::symlink_metadata(path).expect("there").is_file(), "{}", path.display());
    }
    assert_eq!(fs::read_to_string(&target).expect("text"), "kept");
    assert!(machine.token("").await.is_ok());

    // What is opened in place is refused when it is a link.
    machine.done("disable", 0).await;
    let endpoint = machine.root().join("var/lib/symbolon/endpoint");
    fs::remove_file(&endpoint).expect("removed");
    symlink(&target, &endpoint).expect("a link");
    assert_eq!(machine.failed("enable", 0).await.0, 50);
    assert_eq!(fs::read_to_string(&target).expect("text"), "kept");
    // A folder of state that others can change isn't trusted.
    fs::remove_file(&endpoint).expect("removed");
    let state = machine.root().join("var/lib/symbolon");
    fs::set_permissions(&state, std::os::unix::fs::PermissionsExt::from_mode(0o777)).expect("set");
    assert_eq!(machine.failed("enable", 0).await.0, 50);
}

/// Runs `enable` where no file may get longer than so many blocks of 512 bytes, as on a disk that is full.
async fn enable_within(machine: &Machine, blocks: u32) -> std::process::Output {
    let program = machine.handler().join("bin/symbolon-guest");
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec '{}' enable", program.display());
    let mut shell = tokio::process::Command::new("sh");
    shell.args(["-c", &script]).env("ConfigSequenceNumber", "0");
    shell.output().await.expect("run")
}

#[tokio::test]
async fn a_full_disk_leaves_no_half_credential_and_is_told() {
    let machine = Machine::new().await;
    machine.settings(0, &[0]);
    // Room for a status and not for a credential.
    let output = enable_within(&machine, 2).await;
    assert_eq!(output.status.code(), Some(50), "{output:?}");
    let status = machine.status(0);
    assert_eq!((status.word.as_str(), status.code), ("error", 50));
    assert!(status.message.contains("can't be written: File too large"), "{status:?}");
    assert_eq!(tree(&machine.identities()), Vec::<std::path::PathBuf>::new());

    machine.done("enable", 0).await;
    let before = fs::read(machine.identities().join(format!("{}.json", fixtures::client_id(0)))).expect("a credential");
    // No room for anything: what said that all is well doesn't stay, and what is on the disk stays whole.
    machine.settings(0, &[0, 1]);
    let output = enable_within(&machine, 0).await;
    assert_eq!(output.status.code(), Some(50), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("can't be written: File too large"), "{output:?}");
    assert!(!machine.handler().join("status/0.status").exists());
    let after = fs::read(machine.identities().join(format!("{}.json", fixtures::client_id(0)))).expect("a credential");
    assert!(before == after);
    assert!(machine.token("").await.is_ok());
    machine.done("enable", 0).await;
}

/// Killed at ever later moments, from before its first write to after its last one.
#[tokio::test]
async fn whenever_it_is_killed_everything_is_whole_and_the_next_run_goes_on() {
    let machine = Machine::new().await;
    let mut killed = 0;
    for round in 0..60_u64 {
        machine.settings(round, &[0, usize::try_from(round % 3).expect("small") + 1]);
        let mut enable = machine.command("enable").env("ConfigSequenceNumber", round.to_string()).spawn().expect("run");
        let ended = tokio::time::timeout(Duration::from_millis(round * 4), enable.wait()).await;
        if ended.is_err() {
            enable.kill().await.expect("killed");
            killed += 1;
        }
        // What may be half is what isn't finished, and nobody reads that.
        let disk = Disk::new(machine.root());
        let (sound, unsound) = disk.load();
        assert!(unsound.is_empty() && sound.len() <= 4, "{unsound:?}");
        if machine.identities().exists() {
            for path in tree(&machine.identities()) {
                assert_eq!(mode(&path), 0o600, "{}", path.display());
            }
        }
        let status = machine.handler().join(format!("status/{round}.status"));
        if status.exists() {
            let status = machine.status(round);
            assert!(["transitioning", "success"].contains(&status.word.as_str()), "{round}: {status:?}");
        }
    }
    assert!(killed >= 10, "{killed}");
    machine.settings(60, &[0, 2]);
    machine.done("enable", 60).await;
    assert!(machine.token(&format!("&client_id={}", fixtures::client_id(2))).await.is_ok());
    let left: Vec<_> = tree(&machine.identities());
    assert_eq!(left.len(), 2, "{left:?}");
    machine.done("uninstall", 60).await;
    let gone = || !machine.listens();
    assert!(
        Time::system().within(Duration::from_secs(30), Duration::from_millis(20), gone).await,
        "none is left behind"
    );
    assert!(!machine.root().join("var/lib/symbolon").exists());
}

#[tokio::test]
async fn a_key_is_in_its_own_file_and_nowhere_else() {
    let machine = Machine::new().await;
    machine.settings(0, &[0, 1]);
    for command in ["install", "enable", "enable"] {
        machine.done(command, 0).await;
    }
    machine.token(&format!("&client_id={}", fixtures::client_id(1))).await.expect("a token");
    let key = STANDARD.encode(key());
    let holds = |path: &Path, what: &str| {
        let bytes = fs::read(path).unwrap_or_default();
        bytes.windows(what.len()).any(|window| window == what.as_bytes())
    };
    for path in tree(machine.root()).into_iter().filter(|path| path.is_file() && !path.ends_with("symbolon-guest")) {
        let inside = path.starts_with(machine.identities());
        assert_eq!(holds(&path, &key[100..200]), inside, "{}", path.display());
        // The starts of the authority's token and of the assertion for it.
        for start in ["eyJhbGciOiJub25l", "eyJhbGciOiJQUzI1NiIs"] {
            assert!(!holds(&path, start), "a token in {}", path.display());
        }
    }
    machine.done("uninstall", 0).await;
    for path in tree(machine.root()).into_iter().filter(|path| path.is_file() && !path.ends_with("symbolon-guest")) {
        assert!(!holds(&path, &key[100..200]), "{}", path.display());
    }
}

/// What a user without rights sees of it; such a user can be become only by root.
#[tokio::test]
async fn another_user_reads_neither_the_key_nor_the_process() {
    let machine = Machine::new().await;
    // It is there on a machine.
    fs::create_dir(machine.root().join("run")).expect("made");
    machine.settings(0, &[0]);
    machine.done("enable", 0).await;
    // The folder of the test itself is closed; that of a machine isn't.
    fs::set_permissions(machine.root(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("set");
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", "cat"];
    let reads = |path: &Path| {
        let mut cat = std::process::Command::new("setpriv");
        cat.args(nobody).arg(path).output().is_ok_and(|output| output.status.success())
    };
    let [_, everyones] = machine.discovery_files();
    if !reads(&everyones) {
        drop(writeln!(std::io::stderr(), "SKIPPED: nobody can't be become, or reads nothing here at all"));
        return;
    }
    let credential = machine.identities().join(format!("{}.json", fixtures::client_id(0)));
    let process = format!("/proc/{}", machine.serving());
    let closed = [
        credential,
        machine.root().join("var/lib/symbolon/authority.json"),
        machine.logs().join("handler.log"),
        Path::new(&process).join("environ"),
        Path::new(&process).join("maps"),
        Path::new(&process).join("mem"),
    ];
    for path in closed {
        assert!(!reads(&path), "{}", path.display());
    }
}
