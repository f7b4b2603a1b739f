use super::*;

#[test]
fn env_in_every_format() {
    let home = tempfile::tempdir().unwrap();
    let up = Up::start(home.path(), &[]);
    let env = |args: &[&str]| {
        let mut all = vec!["env", "--data-dir=data"];
        all.extend(args);
        told(&run(home.path(), &all), &[(up.text("imds"), "IMDS"), (up.text("extension"), "EXTENSION")])
    };
    insta::assert_snapshot!(env(&[]), @r"
    exit 0
    --- stdout
    export AZURE_POD_IDENTITY_AUTHORITY_HOST='IMDS'
    --- stderr
    ");
    insta::assert_snapshot!(env(&["--format=powershell"]), @r"
    exit 0
    --- stdout
    $env:AZURE_POD_IDENTITY_AUTHORITY_HOST = 'IMDS'
    --- stderr
    ");
    insta::assert_snapshot!(env(&["--format=dotenv", "--source=extension"]), @r#"
    exit 0
    --- stdout
    MSI_ENDPOINT="EXTENSION"
    --- stderr
    "#);
    insta::assert_snapshot!(env(&["--format=json", "--vm=DEV"]), @r#"
    exit 0
    --- stdout
    {
      "AZURE_POD_IDENTITY_AUTHORITY_HOST": "IMDS"
    }
    --- stderr
    "#);
    insta::assert_snapshot!(env(&["--vm=other"]), @r"
    exit 1
    --- stdout
    --- stderr
    error: this symbolon has no VM 'other'; it has: dev
    ");
}

#[test]
fn run_becomes_the_command_with_its_exit_code() {
    let home = tempfile::tempdir().unwrap();
    let up = Up::start(home.path(), &[]);
    let script = "echo $AZURE_POD_IDENTITY_AUTHORITY_HOST,$MSI_ENDPOINT,$IDENTITY_ENDPOINT; exit 7";
    let mut command = symbolon(home.path());
    command.env("IDENTITY_ENDPOINT", "elsewhere").env("MSI_ENDPOINT", "elsewhere");
    let output = command.args(["run", "--data-dir=data", "--", "sh", "-c", script]).output().unwrap();
    assert_eq!(told(&output, &[(up.text("imds"), "IMDS")]), "exit 7\n--- stdout\nIMDS,,\n--- stderr\n");
    let none = run(home.path(), &["run", "--data-dir=data", "--", "no-such-program"]);
    assert!(told(&none, &[]).starts_with("exit 1\n--- stdout\n--- stderr\nerror: 'no-such-program' can't be run: "));
}

#[test]
fn token_says_the_servers_own_words_when_it_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let up = Up::start(home.path(), &[]);
    let token = |args: &[&str]| {
        let mut all = vec!["token", "--data-dir=data", "--resource=https://vault.azure.net"];
        all.extend(args);
        run(home.path(), &all)
    };
    let plain = token(&[]);
    assert!(plain.status.success() && plain.stdout.starts_with(b"eyJ") && plain.stderr.is_empty());
    let unknown = token(&["--client-id=00000000-0000-4000-8000-000000000000"]);
    insta::assert_snapshot!(told(&unknown, &[]), @r"
    exit 1
    --- stdout
    --- stderr
    400: invalid_request: Identity not found
    ");
    for source in ["imds", "extension"] {
        let identity = &up.ready["vms"][0]["identities"][1];
        for (option, member) in [("--client-id", "clientId"), ("--object-id", "principalId"), ("--resource-id", "id")] {
            let selector = format!("{option}={}", identity[member].as_str().unwrap());
            let decoded = told(&token(&["--decode", "--source", source, &selector]), &[]);
            assert!(decoded.contains(identity["principalId"].as_str().unwrap()), "{decoded}");
            assert!(decoded.contains("aud          https://vault.azure.net\n"), "{decoded}");
            assert!(decoded.contains("signature: verified with key "), "{decoded}");
            assert!(decoded.contains("xms_az_rid"), "the VM that used it is named: {decoded}");
        }
    }
}

/// Answers one connection after the other.
fn scripted(answers: Vec<&'static str>) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for answer in answers {
            let (connection, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(&connection).lines();
            while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
            let (head, body) = answer.split_once("\n\n").unwrap();
            let head = head.replace('\n', "\r\n");
            write!(&connection, "HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
                .unwrap();
        }
    });
    format!("http://{address}")
}

#[test]
fn token_asks_a_busy_server_again_as_the_sdks_do() {
    let home = tempfile::tempdir().unwrap();
    let up = Up::start(home.path(), &[]);
    let busy =
        "429 Too Many Requests\nRetry-After: 0\n\n{\"error\":\"too_many_requests\",\"error_description\":\"later\"}";
    let instance = home.path().join("data/instance.json");
    let ask = |answers| {
        let mut told_of: Value = serde_json::from_slice(&std::fs::read(&instance).unwrap()).unwrap();
        told_of["vms"][0]["imds"] = scripted(answers).into();
        std::fs::write(&instance, told_of.to_string()).unwrap();
        told(&run(home.path(), &["token", "--data-dir=data", "--resource=r"]), &[])
    };
    let patient = ask(vec![busy, busy, "200 OK\n\n{\"access_token\":\"t\"}"]);
    assert!(patient.starts_with("exit 0\n--- stdout\nt\n--- stderr\n"), "{patient}");
    assert_eq!(patient.matches("asking again in 0 s").count(), 2, "{patient}");
    let given_up = ask(vec![busy; 4]);
    assert!(given_up.starts_with("exit 1\n--- stdout\n--- stderr\n"), "{given_up}");
    assert!(given_up.contains("429: too_many_requests: later\nit was asked 4 times"), "{given_up}");
    assert_eq!(up.end(Signal::TERM).0, Some(0));
}

#[test]
fn doctor_looks_at_everything() {
    let home = tempfile::tempdir().unwrap();
    let nothing = told(&run(home.path(), &["doctor", "--data-dir=data"]), &[]);
    assert!(nothing.contains("skipped  running"), "{nothing}");
    // Free or not is this machine's affair; it is told either way.
    for port in ["127.0.0.1:16925", "127.0.0.1:16926", "127.0.0.1:16927", "127.0.0.1:50342"] {
        assert!(nothing.contains(port), "{nothing}");
    }
    let up = Up::start(home.path(), &[]);
    let output = run(home.path(), &["doctor", "--data-dir=data", "--json"]);
    let checks: Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks: Vec<_> = checks
        .as_array()
        .unwrap()
        .iter()
        .map(|check| (check["check"].as_str().unwrap(), check["verdict"].as_str().unwrap()))
        .collect();
    assert_eq!(
        checks,
        ["data directory", "running", "ready", "metadata service", "extension", "authority", "clock"]
            .map(|check| (check, "ok"))
    );
    up.signal(Signal::KILL);
    drop(up);
    let dead = run(home.path(), &["doctor", "--data-dir=data"]);
    assert_eq!(dead.status.code(), Some(1));
    let dead = told(&dead, &[]);
    assert!(dead.lines().any(|line| line.contains("FAILED") && line.contains("running")), "{dead}");
    assert!(dead.contains("every page and reference is sound"), "the store is looked at: {dead}");
    // Something else is behind the metrics' address: what failed comes with what to do.
    let instance = home.path().join("data/instance.json");
    let mut told_of: Value = serde_json::from_slice(&std::fs::read(&instance).unwrap()).unwrap();
    told_of["pid"] = std::process::id().into();
    std::fs::write(&instance, told_of.to_string()).unwrap();
    let gone = told(&run(home.path(), &["doctor", "--data-dir=data"]), &[]);
    for check in ["ready", "metadata service", "extension", "authority"] {
        assert!(gone.contains(&format!("\n{check}: ")), "{check}\n{gone}");
    }
}

#[test]
fn version_and_no_up() {
    let home = tempfile::tempdir().unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let plain = told(&run(home.path(), &["version"]), &[(version, "VERSION")]);
    assert_eq!(plain, "exit 0\n--- stdout\nsymbolon VERSION\n--- stderr\n");
    let json = told(&run(home.path(), &["version", "--json"]), &[(version, "VERSION")]);
    assert_eq!(json, "exit 0\n--- stdout\n{\"name\":\"symbolon\",\"version\":\"VERSION\"}\n--- stderr\n");
    for args in [&["env"][..], &["token", "--resource=r"], &["run", "--", "true"]] {
        let home_text = home.path().display().to_string();
        let output = told(&run(home.path(), args), &[(&home_text, "HOME")]);
        assert_eq!(
            output,
            "exit 1\n--- stdout\n--- stderr\nerror: no symbolon is up with the data directory HOME/.local/share/symbolon; \
             start one with: symbolon up\n"
        );
    }
}
