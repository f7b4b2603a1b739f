//! What leaves the process: nothing that is secret, whatever is logged.

use std::io::Read;

use super::*;

#[test]
fn no_log_no_metric_and_no_list_of_the_process_holds_a_secret() {
    let home = tempfile::tempdir().unwrap();
    let data = format!("--data-dir={}", home.path().join("data").display());
    let mut child = symbolon(home.path())
        .env("SYMBOLON_LOG", "trace")
        .args(["up"].iter().chain(&FREE))
        .arg(&data)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Read all the while: a full pipe would hold the process.
    let mut stderr = child.stderr.take().unwrap();
    let log = std::thread::spawn(move || {
        let mut log = String::new();
        stderr.read_to_string(&mut log).map(|_| log)
    });
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    let mut secrets = vec![ready["admin"]["clientSecret"].as_str().unwrap().to_owned()];
    for source in ["imds", "extension"] {
        let output = run(home.path(), &["token", "--resource=r", "--source", source, &data]);
        secrets.push(String::from_utf8(output.stdout).unwrap().trim().rsplit('.').next().unwrap().to_owned());
        run(home.path(), &["token", "--resource=r", "--client-id=x", "--source", source, &data]);
    }
    let credentials = home.path().join("data/guests/dev/var/lib/symbolon/identities");
    for file in std::fs::read_dir(credentials).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let credential: Value = serde_json::from_str(&text).unwrap();
        secrets.push(credential["privateKey"].as_str().unwrap().chars().skip(200).take(40).collect());
    }
    let kek = std::fs::read_to_string(home.path().join("data/keys/kek.json")).unwrap();
    let kek: Value = serde_json::from_str(&kek).unwrap();
    secrets.push(kek["current"]["key"].as_str().unwrap().to_owned());
    let pid = child.id();
    // Root may read it. To all others it is closed, because the process can't be dumped; absent it must not be.
    let environment = std::fs::read(format!("/proc/{pid}/environ"));
    let closed = environment.as_ref().is_err_and(|why| why.kind() == std::io::ErrorKind::PermissionDenied);
    assert!(closed || environment.as_ref().is_ok_and(|environment| !environment.is_empty()), "{environment:?}");
    let environment = environment.unwrap_or_default();
    let metrics = fetch(ready["metrics"].as_str().unwrap(), "/metrics");
    assert!(metrics.contains("symbolon_imds_requests_total") && metrics.contains("symbolon_signatures_total"));
    let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let log = log.join().unwrap().unwrap();
    assert!(log.len() > 1_000, "it logged at trace");
    // What came of a disk is told from what didn't.
    let issued: Vec<_> = log.lines().filter(|line| line.contains("a token was issued")).collect();
    for told in ["evidence=\"machine\" legacy=false", "evidence=\"extension\" legacy=true"] {
        assert_eq!(issued.iter().filter(|line| line.contains(told)).count(), 1, "{told}: {issued:?}");
    }
    let extension_log = home.path().join("data/guests/dev/var/log");
    assert!(!extension_log.exists(), "there was nothing to write down");
    let [environment, arguments] = [environment, arguments].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let places = [log, environment, arguments, metrics];
    for secret in &secrets {
        assert!(secret.len() >= 20);
        for place in &places {
            assert!(!place.contains(secret), "a secret leaked");
        }
    }
    for place in &places {
        assert!(!place.contains("eyJ"), "a token leaked");
    }
    // Nor does the store hold one in the clear.
    let database = std::fs::read(home.path().join("data/symbolon.db")).unwrap();
    for secret in &secrets {
        assert!(!database.windows(secret.len()).any(|window| window == secret.as_bytes()));
    }
}

/// No core file, whatever the shell allowed: the limits of the process itself.
#[test]
fn it_leaves_no_core_file() {
    let home = tempfile::tempdir().unwrap();
    let up = Up::start(home.path(), &[]);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", up.child.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"], "{core}");
}
