use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use super::*;

/// Runs `up`, which must refuse; what it told on standard error.
fn refused(home: &Path, args: &[&str]) -> String {
    let mut all = vec!["up"];
    all.extend(FREE.iter().filter(|free| !args.iter().any(|arg| arg.split('=').next() == free.split('=').next())));
    all.extend(args);
    let output = run(home, &all);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{}", told(&output, &[]));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_taken_port_names_port_and_process_and_nothing_is_made() {
    let home = tempfile::tempdir().unwrap();
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap();
    for (option, advice) in [
        (format!("--imds={address}"), "--imds"),
        (format!("--https={address}"), "--https"),
        (format!("--metrics={address}"), "--metrics"),
        (format!("--extension-port={}", address.port()), "--extension-port or --no-extension"),
    ] {
        let error = refused(home.path(), &[&option]);
        assert!(error.starts_with("error: ") && error.contains(&address.port().to_string()), "{error}");
        assert!(error.contains(&format!("process {}", std::process::id())) && error.contains(advice), "{error}");
        assert!(!home.path().join(".local/share/symbolon/tls").exists(), "keys were made for nothing");
    }
}

#[test]
fn data_directories_that_cannot_be_used() {
    let home = tempfile::tempdir().unwrap();
    let foreign = home.path().join("foreign");
    std::fs::create_dir(&foreign).unwrap();
    std::fs::write(foreign.join("thesis.txt"), "words").unwrap();
    let error = refused(home.path(), &["--data-dir=foreign"]);
    insta::assert_snapshot!(error, @"error: foreign is not a data directory of symbolon (it holds 'thesis.txt'); take an empty one with --data-dir
");
    assert_eq!(std::fs::read_dir(&foreign).unwrap().count(), 1);

    let up = Up::start(home.path(), &[]);
    let data = home.path().join("data");
    let error = refused(home.path(), &["--data-dir=data"]);
    assert_eq!(
        error,
        format!(
            "error: the data directory data is in use by process {}; stop that one, or take another with --data-dir or \
             --ephemeral\n",
            up.child.id()
        )
    );
    assert_eq!(up.end(Signal::TERM).0, Some(0));

    std::fs::set_permissions(data.join("keys/kek.json"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let error = refused(home.path(), &["--data-dir=data"]);
    insta::assert_snapshot!(error, @"error: data/keys/kek.json has mode 0644, so others can reach the keys in it; run: chmod 600 data/keys/kek.json
");
    std::fs::set_permissions(data.join("keys/kek.json"), std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(home.path().join("file"), "").unwrap();
    let error = refused(home.path(), &["--data-dir=file/data"]);
    assert!(error.starts_with("error: the data directory file/data can't be "), "{error}");
}

#[test]
fn seeds_that_are_wrong_or_differ() {
    let home = tempfile::tempdir().unwrap();
    let seed = home.path().join("seed.yaml");
    std::fs::write(&seed, "virtualMachines:\n- name: vm\n  sise: large\n").unwrap();
    let error = refused(home.path(), &["--seed=seed.yaml", "--data-dir=data"]);
    assert!(error.starts_with("error: seed.yaml:3:3: unknown field `sise`"), "{error}");
    assert!(!home.path().join("data").exists());
    assert!(refused(home.path(), &["--seed=none.yaml"]).starts_with("error: none.yaml: can't be read: "));

    let source = |name: &str, last: u8, more: &str| {
        format!(
            "- {{name: {name}, attachment: {{listen: '127.0.9.9:80', source: 127.0.0.{last}, acceptSpoofing: true{more}}}}}\n"
        )
    };
    let mixed =
        ["virtualMachines:\n- {name: vm}\n", &source("near", 2, ", hopLimit: 1"), &source("far", 3, "")].concat();
    std::fs::write(&seed, mixed).unwrap();
    let error = refused(home.path(), &["--seed=seed.yaml"]);
    assert!(error.contains("VM 'far' is known in another way or with another hop-limit at 127.0.9.9:80"), "{error}");

    std::fs::write(&seed, "virtualMachines:\n- {name: vm, size: small}\n").unwrap();
    let error = refused(home.path(), &["--seed=seed.yaml", "--extension-port=50399"]);
    assert!(error.contains("'vm' has no extension; give it one in the seed, or leave the option out"), "{error}");
    let up = Up::start(home.path(), &["--seed=seed.yaml"]);
    assert_eq!(up.end(Signal::TERM).0, Some(0));
    let up = Up::start(home.path(), &["--seed=seed.yaml"]);
    assert_eq!(up.end(Signal::TERM).0, Some(0));
    std::fs::write(&seed, "virtualMachines:\n- {name: vm, size: large}\n- {name: new}\n").unwrap();
    let error = refused(home.path(), &["--seed=seed.yaml", "--data-dir=data"]);
    assert_eq!(
        error,
        "error: virtual machine 'vm' is there already with another size: it has small, the seed says large; change the seed, \
         or start from nothing with --ephemeral or another --data-dir\n"
    );
    let up = Up::start(home.path(), &[]);
    assert_eq!(up.ready["vms"].as_array().unwrap().len(), 1, "nothing was half applied");
}

#[test]
fn wrong_usage_is_2() {
    let home = tempfile::tempdir().unwrap();
    for args in [
        &["up", "--ephemeral", "--data-dir=x"][..],
        &["up", "--imds=x"],
        &["up", "--issuer=http://x"],
        &["up", "--attested-name=vm example"],
        &["token"],
        &["token", "--resource=r", "--client-id=a", "--object-id=b"],
        &["nothing"],
        &[],
    ] {
        let output = run(home.path(), args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(!output.stderr.is_empty());
    }
    let mut loud = symbolon(home.path());
    let loud = told(&loud.env("SYMBOLON_LOG", "imds=loud").args(["up", "--imds=0.0.0.0:0"]).output().unwrap(), &[]);
    assert!(loud.contains("SYMBOLON_LOG is not a list of directives and counts for nothing"), "{loud}");
    let everyone = refused(home.path(), &["--imds=0.0.0.0:0"]);
    assert!(everyone.contains("would hand out tokens to everyone"), "{everyone}");
}
