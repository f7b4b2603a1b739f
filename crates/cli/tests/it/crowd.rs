//! Many connections, and few descriptors.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::*;

/// More than the descriptors that the process may have.
const CROWD: usize = 400;

#[test]
fn a_vm_that_holds_all_it_can_leaves_the_others_theirs() {
    let home = tempfile::tempdir().unwrap();
    let seed = "virtualMachines:\n- name: one\n  identity: {systemAssigned: true}\n- name: two\n  \
                identity: {systemAssigned: true}\n";
    std::fs::write(home.path().join("seed.yaml"), seed).unwrap();
    let mut limited = Command::new("sh");
    let limits = "ulimit -Sn 64 && ulimit -Hn 256 && exec \"$0\" \"$@\"";
    limited.current_dir(home.path()).env("HOME", home.path()).env_remove("XDG_DATA_HOME");
    limited.args(["-c", limits, env!("CARGO_BIN_EXE_symbolon")]);
    let up = Up::start_as(limited, home.path(), &["--seed=seed.yaml"]);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", up.child.id())).unwrap();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    assert_eq!(files.split_whitespace().nth(3), Some("256"), "{files}");

    let address = |vm: usize| up.ready["vms"][vm]["imds"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
    let resting: Vec<_> = (0..CROWD).map(|_| TcpStream::connect(address(0)).unwrap()).collect();
    // Not as long as the resting ones are waited for: an answer means that there was a place all the while.
    let patience = Some(Duration::from_secs(4));
    for _ in 0..8 {
        let mut other = TcpStream::connect(address(1)).unwrap();
        other.set_read_timeout(patience).unwrap();
        write!(other, "GET /metadata/identity/info?api-version=2018-02-01 HTTP/1.0\r\nHost: {}\r\n", address(1))
            .unwrap();
        write!(other, "Metadata: true\r\n\r\n").unwrap();
        let mut answer = String::new();
        other.read_to_string(&mut answer).expect("an answer in time");
        assert!(answer.starts_with("HTTP/1.0 200 "), "{answer}");
    }
    drop(resting);
    let (code, log) = up.end(Signal::TERM);
    assert_eq!((code, log.contains("could not be accepted")), (Some(0), false), "{log}");
}
