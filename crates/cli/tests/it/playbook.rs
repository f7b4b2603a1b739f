//! Faults on purpose, by the options and commands of the program.

use super::*;

const TOKEN: &str = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=r";

fn home(playbook: &str, more: &[&str]) -> (tempfile::TempDir, Up) {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("playbook.yaml"), playbook).unwrap();
    let up = Up::start(home.path(), more);
    (home, up)
}

/// The first line of what an address answers to a request of a sound client.
fn status(url: &str, path: &str) -> String {
    let address = url.trim_start_matches("http://").split('/').next().unwrap();
    let mut connection = TcpStream::connect(address).unwrap();
    write!(connection, "GET {path} HTTP/1.1\r\nHost: {address}\r\nMetadata: true\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap_or("nothing").to_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", told(output, &[])))
}

#[test]
fn one_is_run_shown_and_stopped() {
    let steps = "steps:\n  - {path: /metadata, status: 503, count: 1}\n  - {path: /oauth2, status: 500, count: 1}\n";
    let (home, up) = home(steps, &[]);
    let say = |args: &[&str]| {
        let all: Vec<_> = ["playbook"].iter().chain(args).chain(&["--data-dir=data"]).copied().collect();
        run(home.path(), &all)
    };
    insta::assert_snapshot!(told(&say(&["show"]), &[]), @r"
    exit 1
    --- stdout
    --- stderr
    error: no playbook runs; begin one with: symbolon playbook run FILE
    ");
    insta::assert_snapshot!(told(&say(&["run", "playbook.yaml"]), &[]), @r"
    exit 0
    --- stdout
    playbook.yaml runs with 2 steps; stop it with: symbolon playbook stop
    --- stderr
    ");
    let (imds, own) = (up.text("imds"), up.text("extension"));
    assert_eq!(status(imds, TOKEN), "HTTP/1.1 503 Service Unavailable");
    assert_eq!(status(imds, TOKEN), "HTTP/1.1 200 OK");
    assert_eq!(status(own, "/oauth2/token?resource=r"), "HTTP/1.1 500 Internal Server Error");
    let shown = json(&say(&["show", "--json"]));
    let calls = shown["properties"]["calls"].as_array().unwrap();
    let calls: Vec<_> = calls.iter().map(|call| (&call["path"], &call["step"], &call["status"])).collect();
    let path = |text: &str| Value::from(text);
    let (imds, extension) = (path("/metadata/identity/oauth2/token"), path("/oauth2/token"));
    let (one, two, none) = (Value::from(1), Value::from(2), Value::Null);
    let [s503, s200, s500] = [503, 200, 500].map(Value::from);
    assert_eq!(calls, [(&imds, &one, &s503), (&imds, &none, &s200), (&extension, &two, &s500)]);
    let stopped = told(&say(&["stop"]), &[]);
    assert!(stopped.starts_with("exit 0\n") && stopped.contains("1     503"), "{stopped}");
    insta::assert_snapshot!(told(&say(&["stop"]), &[]), @r"
    exit 0
    --- stdout
    --- stderr
    no playbook was running
    ");
    assert_eq!(up.end(Signal::TERM).0, Some(0));
}

#[test]
fn one_of_the_start_acts_from_the_first_request_on() {
    let (home, up) = home("steps: [{expiredToken: true, count: 1}]", &["--playbook=playbook.yaml"]);
    let claim = |name: &str| {
        let args = ["token", "--resource=r", "--decode", "--json", "--data-dir=data"];
        json(&run(home.path(), &args))["claims"][name].as_i64().expect("a number")
    };
    let now = SystemClock::new().now().unix();
    let end = claim("exp");
    assert!((now - 3_700..now - 3_500).contains(&end), "it ended an hour ago: {end}");
    assert!(claim("exp") > now);
    assert_eq!(up.end(Signal::TERM).0, Some(0));
}

#[test]
fn a_mistake_is_told_with_file_line_and_column() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("bad.yaml"), "steps:\n  - drop: true\n    cuont: 2\n").unwrap();
    for args in [&["up", "--ephemeral", "--playbook=bad.yaml"][..], &["playbook", "run", "bad.yaml"]] {
        let told = told(&run(home.path(), args), &[]);
        assert!(
            told.starts_with("exit 1\n--- stdout\n--- stderr\nerror: bad.yaml:3:5: unknown field `cuont`"),
            "{told}"
        );
    }
    let told = told(&run(home.path(), &["playbook", "run", "none.yaml"]), &[]);
    assert!(told.contains("error: none.yaml can't be read: "), "{told}");
}
