//! The unit for systemd, judged by systemd where there is one.

use std::fs;
use std::io::Write;
use std::process::Command;

#[test]
fn systemd_takes_the_unit() {
    let text = include_str!("../../../../packaging/symbolon-guest.service");
    // systemd looks whether the program is there.
    let text = text.replace("/usr/local/bin/symbolon-guest", env!("CARGO_BIN_EXE_symbolon-guest"));
    let folder = tempfile::tempdir().expect("a folder");
    let unit = folder.path().join("symbolon-guest.service");
    fs::write(&unit, text).expect("written");
    let Ok(output) = Command::new("systemd-analyze").arg("verify").arg(&unit).output() else {
        drop(writeln!(std::io::stderr(), "SKIPPED: systemd-analyze isn't there"));
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains("symbolon-guest.service"), "{said}");
}

#[test]
fn the_agent_asks_nobody_who_was_not_named() {
    let output = Command::new(env!("CARGO_BIN_EXE_symbolon-guest")).arg("agent").output().expect("run");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--host"));
    for wrong in ["", "127.0.0.1", "https://127.0.0.1", "http://127.0.0.1/path", "ftp://127.0.0.1"] {
        let output = Command::new(env!("CARGO_BIN_EXE_symbolon-guest")).args(["agent", "--host", wrong]).output();
        assert_eq!(output.expect("run").status.code(), Some(60), "{wrong}");
    }
}
