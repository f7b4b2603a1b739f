use super::arm::Arm;
use super::*;

#[test]
fn the_ready_line_has_everything_and_a_second_start_keeps_it() {
    let home = tempfile::tempdir().unwrap();
    let up = Up::start(home.path(), &[]);
    let members: Vec<_> = up.ready.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        members.join(" "),
        "imds extension arm authority metrics tenantId subscriptionId resourceGroup vms caFile admin pid"
    );
    assert!(up.text("imds").starts_with("http://127.0.0.1:") && !up.text("imds").ends_with('/'));
    assert!(up.text("extension").starts_with("http://localhost:") && up.text("extension").ends_with("/oauth2/token"));
    assert!(up.text("authority").starts_with("https://localhost:"));
    assert_eq!(up.text("tenantId"), "bea16565-911a-5e53-a505-4a9e838cf00d");
    assert_eq!((up.text("subscriptionId"), up.text("resourceGroup")), ("d2ce2428-4d30-5caa-a042-59ac25faf3dc", "dev"));
    let vm = &up.ready["vms"][0];
    assert_eq!(
        (&vm["name"], &vm["imds"], &vm["extension"]),
        (&"dev".into(), &up.ready["imds"], &up.ready["extension"])
    );
    let kinds: Vec<_> = vm["identities"].as_array().unwrap().iter().map(|identity| &identity["kind"]).collect();
    assert_eq!(kinds, ["SystemAssigned", "UserAssigned"]);
    assert_eq!(vm["identities"][1]["name"], "app");
    let ca = std::fs::read(up.text("caFile")).unwrap();
    let token = |home: &Path| {
        let data = format!("--data-dir={}", home.join("data").display());
        let output = run(home, &["token", "--resource=r", "--decode", "--json", &data]);
        assert_eq!(output.status.code(), Some(0), "{}", told(&output, &[]));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let first = token(home.path());
    let (admin, vms) = (up.ready["admin"].clone(), up.ready["vms"][0]["identities"].clone());
    assert_eq!(up.end(Signal::TERM), (Some(0), String::new()));

    let up = Up::start(home.path(), &[]);
    assert_eq!((&up.ready["admin"], &up.ready["vms"][0]["identities"]), (&admin, &vms));
    assert_eq!(std::fs::read(up.text("caFile")).unwrap(), ca);
    assert_eq!(token(home.path())["header"]["kid"], first["header"]["kid"]);
    assert_eq!(first["signatureVerified"], true);
    assert_eq!(up.end(Signal::INT).0, Some(0));
}

#[test]
fn tokens_of_an_issuer_that_is_no_more_are_refused_though_their_keys_are_kept() {
    let home = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let https = format!("--https=127.0.0.1:{port}");
    let up = Up::start(home.path(), &[&https]);
    let arm = Arm::of(&up.ready);
    let (old, group) = (arm.token(), arm.providers.trim_end_matches("/providers").to_owned());
    assert_eq!(up.end(Signal::TERM).0, Some(0));
    for (issuer, status) in [
        ("https://sts.windows.net/{tenant}/", 200),
        ("https://sts.example/{tenant}/", 401),
        ("https://sts.windows.net/{tenant}", 401),
    ] {
        let up = Up::start(home.path(), &[&https, &format!("--issuer={issuer}")]);
        let answer = Arm::of(&up.ready).with_token(old.clone()).send("GET", &group, &Value::Null);
        assert_eq!(answer.status, status, "{issuer}: {answer:?}");
        assert_eq!(Arm::of(&up.ready).send("GET", &group, &Value::Null).status, 200, "{issuer}: its own tokens");
        assert_eq!(up.end(Signal::TERM).0, Some(0));
    }
}

#[test]
fn a_lost_admin_secret_is_made_anew() {
    let home = tempfile::tempdir().unwrap();
    let up = Up::start(home.path(), &[]);
    let admin = up.ready["admin"].clone();
    assert_eq!(up.end(Signal::TERM).0, Some(0));
    std::fs::remove_file(home.path().join("data/admin.json")).unwrap();
    let up = Up::start(home.path(), &[]);
    let renewed = up.ready["admin"].clone();
    assert_eq!(renewed["clientId"], admin["clientId"]);
    assert_ne!(renewed["clientSecret"], admin["clientSecret"]);
    assert_eq!(up.end(Signal::TERM).0, Some(0));
    assert_eq!(Up::start(home.path(), &[]).ready["admin"], renewed);
}

#[test]
fn what_a_killed_one_left_is_taken_away_when_there_is_no_extension() {
    let home = tempfile::tempdir().unwrap();
    let guest = home.path().join("data/guests/dev");
    let (discovery, identities) =
        (guest.join("var/lib/waagent/ManagedIdentity-Settings"), guest.join("var/lib/symbolon/identities"));
    let mut up = Up::start(home.path(), &[]);
    up.signal(Signal::KILL);
    up.child.wait().unwrap();
    assert!(discovery.exists() && identities.exists());
    let up = Up::start(home.path(), &["--no-extension"]);
    assert!(!discovery.exists() && !identities.exists());
    assert_eq!(up.end(Signal::TERM).0, Some(0));
    drop(Up::start(home.path(), &[]));
    assert!(identities.exists(), "they come back with the extension");
}

#[test]
fn everyone_may_read_the_extensions_address_where_that_is_wanted() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(
        home.path().join("seed.yaml"),
        "virtualMachines: [{name: bare, identity: {systemAssigned: true}, \
         extensions: [{type: ManagedIdentityExtensionForLinux}]}]",
    )
    .unwrap();
    let copy = home.path().join("for-all/bare/ManagedIdentity-Settings");
    for _ in 0..2 {
        // The second start finds the folders of the first as it wants them.
        let up = Up::start(home.path(), &["--seed=seed.yaml", "--discovery-dir=for-all"]);
        let file: Value = serde_json::from_slice(&std::fs::read(&copy).unwrap()).unwrap();
        assert_eq!(up.ready["extension"], format!("{}/oauth2/token", file["url"].as_str().unwrap()));
        assert_eq!(up.end(Signal::TERM).0, Some(0));
        assert!(!copy.exists());
    }
}

#[test]
fn what_a_killed_one_told_everyone_is_taken_back() {
    let home = tempfile::tempdir().unwrap();
    let copy = home.path().join("for-all/dev/ManagedIdentity-Settings");
    for next in [&["--discovery-dir=elsewhere"][..], &["--no-extension"]] {
        let mut up = Up::start(home.path(), &["--discovery-dir=for-all"]);
        up.signal(Signal::KILL);
        up.child.wait().unwrap();
        assert!(copy.exists());
        let up = Up::start(home.path(), next);
        assert!(!copy.exists(), "it leads to a port that may be anybody's");
        assert_eq!(up.end(Signal::TERM).0, Some(0));
    }
}

#[test]
fn several_vms_have_a_listener_each() {
    let home = tempfile::tempdir().unwrap();
    let seed = home.path().join("seed.yaml");
    std::fs::write(
        &seed,
        "virtualMachines:\n- name: one\n  identity: {systemAssigned: true}\n- name: two\n  identity: {systemAssigned: true}\n  \
         extensions: [{type: ManagedIdentityExtensionForLinux}]\n- name: three\n  attachment: {listen: '127.0.0.1:0'}\n",
    )
    .unwrap();
    let up = Up::start(home.path(), &["--seed=seed.yaml"]);
    let vms = up.ready["vms"].as_array().unwrap();
    let names: Vec<_> = vms.iter().map(|vm| vm["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["one", "two", "three"]);
    assert!(vms[1]["imds"].as_str().unwrap().starts_with("http://127.0.1.1:"));
    assert!(vms[1]["extension"].as_str().unwrap().starts_with("http://127.0.1.1:"));
    assert_eq!(up.ready["extension"], Value::Null);
    let file = home.path().join("data/guests/two/var/lib/waagent/ManagedIdentity-Settings");
    let file: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let url = format!("{}/oauth2/token", file["url"].as_str().unwrap());
    assert_eq!(vms[1]["extension"], url, "whoever reads the file comes to the right VM");
    let data = format!("--data-dir={}", home.path().join("data").display());
    for (vm, source, code) in
        [("one", "imds", 0), ("two", "imds", 0), ("two", "extension", 0), ("three", "imds", 1), ("one", "extension", 1)]
    {
        let output = run(home.path(), &["token", "--resource=r", "--vm", vm, "--source", source, &data]);
        assert_eq!(output.status.code(), Some(code), "{vm} {source}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Two VMs of one name, of which each has an identity of its own.
const NAMESAKES: &str = "resourceGroups: [{name: web}, {name: dev}]
userAssignedIdentities: [{name: web-app, resourceGroup: web}, {name: dev-app, resourceGroup: dev}]
virtualMachines:
- name: vm
  resourceGroup: web
  identity: {userAssigned: [web-app]}
  extensions: [{type: ManagedIdentityExtensionForLinux}]
- name: vm
  resourceGroup: dev
  identity: {userAssigned: [dev-app]}
  extensions: [{type: ManagedIdentityExtensionForLinux}]
";

#[test]
fn vms_of_one_name_have_a_disk_each_and_are_told_apart() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("seed.yaml"), NAMESAKES).unwrap();
    let up = Up::start(home.path(), &["--seed=seed.yaml"]);
    let identities = |guest: &str| {
        let folder = home.path().join("data/guests").join(guest).join("var/lib/symbolon/identities");
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name()).collect::<Vec<_>>()
    };
    let vms = up.ready["vms"].as_array().unwrap();
    for (guest, vm) in ["vm", "vm@dev"].into_iter().zip(vms) {
        let identity = &vm["identities"][0];
        let client = identity["clientId"].as_str().unwrap();
        assert_eq!(identities(guest), [format!("{client}.json").as_str()]);
        let id = vm["id"].as_str().unwrap();
        let args = ["token", "--resource=r", "--data-dir=data", "--source=extension", "--decode", "--json", "--vm", id];
        let output = run(home.path(), &args);
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", told(&output, &[])));
        assert_eq!(answer["claims"]["oid"], identity["principalId"], "each hands out its own identity's tokens");
    }
    let ambiguous = told(&run(home.path(), &["token", "--resource=r", "--data-dir=data", "--vm=VM"]), &[]);
    assert!(ambiguous.contains("several VMs 'VM'; say which with --vm and its resource id: /subscr"), "{ambiguous}");
}

#[test]
fn a_start_without_a_seed_keeps_the_order_and_with_it_the_addresses() {
    let home = tempfile::tempdir().unwrap();
    let seed = |text: &str| std::fs::write(home.path().join("seed.yaml"), text).unwrap();
    let names = |up: &Up| {
        let vms = up.ready["vms"].as_array().unwrap();
        vms.iter().map(|vm| vm["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    seed("virtualMachines: [{name: zebra}, {name: ape}]");
    let up = Up::start(home.path(), &["--seed=seed.yaml"]);
    assert_eq!(up.end(Signal::TERM).0, Some(0));
    let up = Up::start(home.path(), &[]);
    assert_eq!(names(&up), ["zebra", "ape"]);
    assert_eq!(up.end(Signal::TERM).0, Some(0));
    seed("virtualMachines: [{name: bear}, {name: zebra}]");
    let up = Up::start(home.path(), &["--seed=seed.yaml"]);
    assert_eq!(names(&up), ["bear", "zebra", "ape"]);
    assert_eq!(up.end(Signal::TERM).0, Some(0));
    assert_eq!(names(&Up::start(home.path(), &[])), ["bear", "zebra", "ape"]);
}

/// The request's body comes when the end was asked for already, and its token must still be had of the authority.
#[test]
fn the_end_lets_the_extension_finish_what_is_in_flight() {
    use std::io::{Read, Write};
    use std::net::TcpStream;
    let home = tempfile::tempdir().unwrap();
    let up = Up::start(home.path(), &[]);
    let host = up.text("extension").trim_start_matches("http://").trim_end_matches("/oauth2/token").to_owned();
    let metrics = up.text("metrics").to_owned();
    let mut caller = TcpStream::connect(&host).unwrap();
    // The probe of the SDKs, whose answer leaves the connection open: from here on it is accepted.
    write!(caller, "GET /oauth2/token HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
    let mut probed = Vec::new();
    while !probed.ends_with(b"}") {
        let mut byte = [0];
        caller.read_exact(&mut byte).unwrap();
        probed.extend(byte);
    }
    let form = "application/x-www-form-urlencoded";
    write!(
        caller,
        "POST /oauth2/token HTTP/1.1\r\nHost: {host}\r\nMetadata: true\r\nContent-Type: {form}\r\nContent-Length: 10\r\n\r\n"
    )
    .unwrap();
    up.signal(Signal::TERM);
    while fetch(&metrics, "/readyz").starts_with("HTTP/1.1 200") {
        std::thread::yield_now();
    }
    caller.write_all(b"resource=r").unwrap();
    let mut answer = String::new();
    caller.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"access_token\":\"eyJ"), "{answer}");
    assert_eq!(up.end(Signal::TERM), (Some(0), String::new()));
}

#[test]
fn an_ephemeral_one_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    let tmp = home.path().join("tmp");
    std::fs::create_dir(&tmp).unwrap();
    let mut child = symbolon(home.path())
        .env("TMPDIR", &tmp)
        .env("SYMBOLON_DATA_DIR", home.path().join("named"))
        .args(["up", "--ephemeral"].iter().chain(&FREE))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(std::fs::read_dir(&tmp).unwrap().count(), 1);
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(std::fs::read_dir(&tmp).unwrap().count(), 0);
    assert!(!home.path().join(".local").exists());
    assert!(!home.path().join("named").exists(), "the option wins over the variable");
    let mut named = symbolon(home.path());
    let named = named.env("SYMBOLON_DATA_DIR", "named").arg("env").output().unwrap();
    assert!(told(&named, &[]).contains("no symbolon is up with the data directory named"), "{}", told(&named, &[]));
}

#[test]
fn without_json_it_says_how_to_use_it() {
    let home = tempfile::tempdir().unwrap();
    let data = format!("--data-dir={}", home.path().join("data").display());
    let mut child = symbolon(home.path())
        .args(["up"].iter().chain(FREE.iter().filter(|option| **option != "--json")))
        .args([&data, "--attested-issuer-url=http://ca.example/pki/ca.cer", "--attested-issuer-listen=127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        lines.push(line.unwrap());
        if lines.last().unwrap().starts_with("ready in ") {
            break;
        }
    }
    let text = lines.join("\n");
    for wanted in [
        "VM dev",
        "  export AZURE_POD_IDENTITY_AUTHORITY_HOST='http://127.0.0.1:",
        "  export MSI_ENDPOINT='http://localhost:",
        "  curl -s -H Metadata:true 'http://127.0.0.1:",
        "authority           https://localhost:",
        "/tls/ca.pem",
        "served as DER       http://127.0.0.1:",
    ] {
        assert!(text.contains(wanted), "{wanted}\n{text}");
    }
    assert!(!text.contains("clientSecret"));
    let _ = kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), Signal::TERM);
    child.wait().unwrap();
}
