//! What other users of the machine, and other processes of the same user, can reach of a running `up`: nothing.
//!
//! Becoming somebody else takes root; without it the test looks at the same user alone and says so.

use std::os::unix::fs::PermissionsExt;

use super::*;

/// The user that owns nothing.
const NOBODY: &str = "65534";

/// A command as nobody.
fn as_nobody(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--"]).arg(program).current_dir("/");
    command
}

/// Whether a file can be read as nobody.
fn nobody_reads(path: &str) -> bool {
    as_nobody(Path::new("head")).args(["-c", "1", path]).output().expect("it runs").status.success()
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[expect(clippy::print_stderr, reason = "what is skipped is told")]
fn can_be_nobody() -> bool {
    let can = is_root() && as_nobody(Path::new("true")).status().is_ok_and(|status| status.success());
    if !can {
        eprintln!(
            "SKIPPED: no process can be run as another user; run the tests as root, with setpriv, to see that too"
        );
    }
    can
}

#[test]
fn another_user_reads_neither_credential_nor_process() {
    if !can_be_nobody() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    // Open up to the data directory, so that nothing else than ours keeps anybody out.
    std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let up = Up::start(home.path(), &[]);
    let data = home.path().join("data");
    let credentials = data.join("guests/dev/var/lib/symbolon/identities");
    let credential = std::fs::read_dir(&credentials).unwrap().next().unwrap().unwrap().path();
    assert_eq!(std::fs::metadata(&credential).unwrap().permissions().mode() & 0o777, 0o600);
    let secret = [credential.clone(), data.join("keys/kek.json"), data.join("admin.json"), data.join("symbolon.db")];
    for path in secret {
        assert!(!nobody_reads(path.to_str().unwrap()), "{}", path.display());
    }
    // A credential keeps others out by itself, should its folders be opened.
    for folder in credential.ancestors().skip(1).take_while(|folder| folder.starts_with(&data)) {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    assert!(!nobody_reads(credential.to_str().unwrap()));
    assert!(nobody_reads("/proc/self/environ"), "the question is sound");
    for file in ["environ", "mem", "maps"] {
        assert!(!nobody_reads(&format!("/proc/{}/{file}", up.child.id())), "{file}");
    }
}

/// Not dumpable: its memory and environment are closed to its own user too, and with them to a debugger.
#[test]
fn a_process_of_the_same_user_reads_neither_memory_nor_environment() {
    let home = tempfile::tempdir().unwrap();
    if !is_root() {
        let up = Up::start(home.path(), &[]);
        for file in ["environ", "mem", "maps"] {
            let read = std::fs::File::open(format!("/proc/{}/{file}", up.child.id()));
            assert_eq!(read.unwrap_err().kind(), std::io::ErrorKind::PermissionDenied, "{file}");
        }
        return;
    }
    if !can_be_nobody() {
        return;
    }
    // Root may read everything, so all of it is nobody's: a copy of the program, the directory, the reader.
    std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let program = home.path().join("symbolon");
    if std::fs::hard_link(env!("CARGO_BIN_EXE_symbolon"), &program).is_err() {
        std::fs::copy(env!("CARGO_BIN_EXE_symbolon"), &program).unwrap();
    }
    let mut command = as_nobody(&program);
    command.env_clear().envs([("PATH", "/usr/bin:/bin"), ("HOME", home.path().to_str().unwrap())]);
    let data = format!("--data-dir={}", home.path().join("data").display());
    command.args(["up"].iter().chain(&FREE)).arg(data);
    let up = Up::of(command);
    assert!(nobody_reads("/proc/self/environ"), "the question is sound");
    for file in ["environ", "mem", "maps"] {
        assert!(!nobody_reads(&format!("/proc/{}/{file}", up.child.id())), "{file}");
    }
}
