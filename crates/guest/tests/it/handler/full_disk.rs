//! A disk that is really full: a small file system of memory in a namespace of its own.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use guest::disk::Disk;
use testkit::fixtures;
use tokio::process::Command;

use super::machine::Machine;

/// What a script says, run by `sh` where it may mount file systems that nobody else sees; none where that isn't allowed.
async fn mounting(script: &str, arguments: &[&Path]) -> Option<String> {
    let mut shell = Command::new("unshare");
    shell.args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]).args(arguments).kill_on_drop(true);
    let output = shell.env("ConfigSequenceNumber", "0").output().await;
    match output {
        Ok(output) if output.status.success() => Some(String::from_utf8(output.stdout).expect("text")),
        Ok(output) if !String::from_utf8_lossy(&output.stderr).contains("unshare:") => panic!("{output:?}"),
        Ok(_) | Err(_) => {
            drop(writeln!(std::io::stderr(), "SKIPPED: no namespace of one's own is allowed here"));
            None
        }
    }
}

/// What `enable` ended with, and the files that it left, by their names: their modes and what is in them.
fn told(said: &str) -> (i32, BTreeMap<String, (String, Vec<u8>)>) {
    let mut lines = said.lines();
    let code = lines.next().and_then(|line| line.strip_prefix("exit ")).expect("a code").parse().expect("a number");
    let files = lines.map(|line| {
        let [mode, text, name] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        (name.to_owned(), (mode.to_owned(), STANDARD.decode(text).expect("base64")))
    });
    (code, files.collect())
}

/// The folder of the state has room for so many pages, `enable` runs, and what it left is shown.
const SHOW: &str = r#"
    set -e
    mkdir -p "$1"
    mount -t tmpfs -o "size=${PAGES}k,mode=700" tmpfs "$1"
    code=0
    "$2" enable 2> /dev/null || code=$?
    echo "exit $code"
    for file in "$1"/identities/*; do
        [ ! -e "$file" ] || echo "$(stat -c %a "$file") $(base64 -w 0 "$file") $(basename "$file")"
    done
    [ "$code" != 0 ] || "$2" disable
"#;

#[tokio::test]
async fn with_ever_more_room_there_is_never_half_a_credential() {
    let machine = Machine::new().await;
    machine.settings(0, &[0, 1]);
    let state = machine.root().join("var/lib/symbolon");
    let program = machine.handler().join("bin/symbolon-guest");
    let mut codes = Vec::new();
    for pages in [1_u32, 2, 3, 4, 16] {
        let script = format!("PAGES={}{SHOW}", pages * 4);
        let Some(said) = mounting(&script, &[&state, &program]).await else { return };
        let (code, files) = told(&said);
        codes.push(code);
        let copy = tempfile::tempdir().expect("a folder");
        let identities = copy.path().join("var/lib/symbolon/identities");
        std::fs::create_dir_all(&identities).expect("made");
        for (name, (mode, bytes)) in &files {
            assert_eq!(mode, "600", "{name}");
            let path = identities.join(name);
            std::fs::write(&path, bytes).expect("written");
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("set");
        }
        // The program reads every one of them, and there is nothing besides.
        let (sound, unsound) = Disk::new(copy.path()).load();
        assert!(unsound.is_empty() && sound.len() == files.len(), "{pages} pages: {unsound:?} {:?}", files.keys());
        if code != 0 {
            assert_eq!(code, 50, "{pages} pages: {}", machine.log());
            let status = machine.status(0);
            assert_eq!((status.word.as_str(), status.code), ("error", 50), "{status:?}");
            assert!(status.message.contains("No space left on device"), "{status:?}");
        }
    }
    assert!(codes.first() == Some(&50) && codes.last() == Some(&0), "{codes:?}");
}

#[tokio::test]
async fn a_status_gives_way_to_the_next_and_without_room_for_one_nothing_is_said_to_be_well() {
    let machine = Machine::new().await;
    machine.settings(0, &[0]);
    machine.done("enable", 0).await;
    machine.settings(0, &[0, 1]);
    let status = machine.handler().join("status");
    let program = machine.handler().join("bin/symbolon-guest");
    let script = r#"
        set -e
        mount -t tmpfs -o size=8k,mode=700 tmpfs "$1"
        run() {
            code=0
            said=$("$2" enable 2>&1) || code=$?
            echo "exit $code with $(ls "$1" | tr '\n' ' '): $said"
        }
        cp "$3" "$1/0.status"
        head -c 4096 /dev/zero > "$1/full"
        run "$1" "$2"
        rm "$1/0.status"
        head -c 4096 /dev/zero > "$1/too"
        run "$1" "$2"
    "#;
    let before = tempfile::NamedTempFile::new().expect("a file");
    std::fs::copy(status.join("0.status"), before.path()).expect("copied");
    let Some(said) = mounting(script, &[&status, &program, before.path()]).await else { return };
    let [first, second] = said.lines().collect::<Vec<_>>()[..] else { panic!("{said}") };
    assert_eq!(first, "exit 0 with 0.status full : ");
    assert!(second.starts_with("exit 50 with full too : 50: "), "{second}");
    assert!(second.contains("No space left on device"), "{second}");
    let other = format!("&client_id={}", fixtures::client_id(1));
    assert_eq!(machine.token(&other).await.expect("a token"), fixtures::client_id(1).to_string());
}
