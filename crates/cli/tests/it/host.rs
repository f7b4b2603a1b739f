//! A host of VMs, and an authority that it reaches over TLS.

mod documents;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use tempfile::TempDir;

use super::*;

const TENANT: &str = "10000000-0000-4000-8000-000000000001";
const GROUP: &str = "/subscriptions/20000000-0000-4000-8000-000000000001/resourceGroups/g/providers";

/// The VMs of a host in CI, and of one of the size that is promised.
const FEW: usize = 200;
const MANY: usize = 10_000;
/// The most memory that each VM of a large host may take, in KiB.
const PER_VM: usize = 32;
/// The memory of a host without VMs, in KiB, with room to spare.
const ALONE: usize = 96 * 1024;

/// The home of a host, with a certificate and its key.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let home = Self(home);
        home.certify("certificate.pem", "both.pem");
        home
    }

    /// Makes a certificate, and a file of it and its key.
    fn certify(&self, certificate: &str, both: &str) {
        let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
        let made = CertificateParams::default().self_signed(&key).unwrap().pem();
        let both = self.path().join(both);
        fs::write(&both, format!("{made}{}", key.serialize_pem())).unwrap();
        fs::set_permissions(both, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(self.path().join(certificate), made).unwrap();
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Starts a host with this configuration.
    fn host(&self, config: &str) -> Up {
        fs::write(self.path().join("host.toml"), config).unwrap();
        let mut command = symbolon(self.path());
        command.args(["host", "--config=host.toml", "--json"]);
        Up::of(command)
    }

    /// Whether somebody listens at a VM's socket, which is there a moment before. Where a plain file has its place nobody does.
    fn listens(&self, vm: usize) -> Option<()> {
        UnixStream::connect(self.path().join(format!("{vm}.sock"))).is_ok().then_some(())
    }

    /// What a VM gets at its socket: status and body.
    fn ask(&self, vm: usize, path: &str) -> (u16, Value) {
        self.send(vm, "GET", path, "")
    }

    fn send(&self, vm: usize, method: &str, path: &str, body: &str) -> (u16, Value) {
        let mut stream = UnixStream::connect(self.path().join(format!("{vm}.sock"))).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nMetadata: true\r\nConnection: close\r\n{length}\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream
            .read_to_string(&mut answer)
            .unwrap_or_else(|why| panic!("no answer of VM {vm} to {method} {path}: {why}"));
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        (status, serde_json::from_str(body).expect("JSON"))
    }
}

/// A VM at a Unix socket, with an identity of its own.
fn vm(number: usize, tenant: &str) -> String {
    format!(
        "[[virtual-machines]]\nname = \"{number}\"\nid = \"{GROUP}/Microsoft.Compute/virtualMachines/{number}\"\n\
         vm-id = \"50000000-0000-4000-8000-{number:012}\"\ntenant = \"{tenant}\"\n\
         attachment = {{ unix = \"{number}.sock\" }}\n[virtual-machines.system-assigned]\n{}",
        identity(number)
    )
}

fn identity(number: usize) -> String {
    format!(
        "client-id = \"30000000-0000-4000-8000-{number:012}\"\nprincipal-id = \"40000000-0000-4000-8000-{number:012}\"\n\
         certificate = \"both.pem\"\n"
    )
}

/// What the token in an answer says.
fn claims(answer: &Value) -> Value {
    let token = answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}"));
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&claims).unwrap()
}

/// An application of an authority's seed, which is the identity of a VM.
fn application(number: usize) -> String {
    format!(
        "{{name: vm{number}, clientId: 30000000-0000-4000-8000-{number:012}, \
         principalId: 40000000-0000-4000-8000-{number:012}, certificate: certificate.pem}}"
    )
}

fn token_path(resource: &str) -> String {
    format!("/metadata/identity/oauth2/token?api-version=2018-02-01&resource={resource}")
}

#[test]
fn two_vms_get_their_own_tokens_from_an_authority_across_the_network() {
    let home = Home::new();
    // The third is of nobody that the authority knows.
    home.certify("other.pem", "other-both.pem");
    let third = application(3).replace("certificate.pem", "other.pem");
    let seed = format!(
        "tenants: [{{name: t, id: {TENANT}}}]\napplications: [{}, {}, {third}]\n",
        application(1).replace("certificate.pem", "one.pem"),
        application(2),
    );
    home.certify("one.pem", "one-both.pem");
    fs::write(home.path().join("seed.yaml"), seed).unwrap();
    let up = Up::start(home.path(), &["--seed=seed.yaml", "--no-extension"]);
    let config = format!(
        "[authority]\nurl = \"{}\"\nca-file = \"{}\"\n[metrics]\nlisten = \"127.0.0.1:0\"\n{}{}{}",
        up.text("authority"),
        up.text("caFile"),
        vm(1, TENANT).replace("both.pem", "one-both.pem"),
        vm(2, TENANT),
        vm(3, TENANT)
    );
    let host = home.host(&config);
    for number in [1, 2] {
        let (status, body) = home.ask(number, &token_path("https://vault.azure.net"));
        assert_eq!(status, 200, "{body}");
        let token = body["access_token"].as_str().unwrap();
        let claims = claims(&body);
        assert_eq!(claims["oid"], format!("40000000-0000-4000-8000-{number:012}"));
        assert_eq!((&claims["aud"], &claims["tid"]), (&"https://vault.azure.net".into(), &TENANT.into()));
        // The second time it comes from the host's own memory.
        assert_eq!(home.ask(number, &token_path("https://vault.azure.net")).1["access_token"], token);
    }
    let (status, body) = home.ask(3, &token_path("https://vault.azure.net"));
    assert_eq!(status, 400, "what the authority refuses is no fault of the host: {body}");
    assert!(body["error_description"].as_str().unwrap().starts_with("AADSTS"), "{body}");
    let (status, body) = home.ask(1, "/metadata/identity/oauth2/token?api-version=2018-02-01");
    assert_eq!((status, body["error"].as_str()), (400, Some("invalid_request")));
    assert!(fetch(host.text("metrics"), "/readyz").starts_with("HTTP/1.1 200 "));

    // The first goes, the second stays with its tokens, and a broken file changes nothing.
    let second = home.ask(2, &token_path("https://vault.azure.net")).1;
    let without_first = config.replace(&vm(1, TENANT).replace("both.pem", "one-both.pem"), "");
    fs::write(home.path().join("host.toml"), &without_first).unwrap();
    host.signal(Signal::HUP);
    eventually("the first VM is gone", || (!home.path().join("1.sock").exists()).then_some(()));
    assert_eq!(home.ask(2, &token_path("https://vault.azure.net")).1["access_token"], second["access_token"]);
    fs::write(home.path().join("host.toml"), "[authority").unwrap();
    host.signal(Signal::HUP);
    fs::write(home.path().join("host.toml"), &config).unwrap();
    host.signal(Signal::HUP);
    eventually("the first VM is back", || home.listens(1));
    assert_eq!(home.ask(1, &token_path("https://vault.azure.net")).0, 200);

    // One whose place is taken is served when it is free; the fourth, which is opened after it, says that it was tried.
    fs::write(home.path().join("host.toml"), &without_first).unwrap();
    host.signal(Signal::HUP);
    eventually("the first VM is gone again", || (!home.path().join("1.sock").exists()).then_some(()));
    fs::write(home.path().join("1.sock"), "a file").unwrap();
    fs::write(home.path().join("host.toml"), format!("{config}{}", vm(4, TENANT))).unwrap();
    host.signal(Signal::HUP);
    eventually("the fourth VM is there", || home.listens(4));
    fs::remove_file(home.path().join("1.sock")).unwrap();
    eventually("the first VM is back once more", || home.listens(1));
    assert_eq!(home.ask(1, &token_path("https://vault.azure.net")).0, 200);

    // Without the authority what is in memory is still served, and nothing else.
    assert_eq!(up.end(Signal::TERM).0, Some(0));
    assert_eq!(home.ask(1, &token_path("https://vault.azure.net")).0, 200);
    assert_eq!(home.ask(1, &token_path("https://management.azure.com")).0, 503);
    let (code, log) = host.end(Signal::TERM);
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("eyJ"), "a token in the log: {log}");
    assert!(!home.path().join("1.sock").exists(), "the sockets go with it");
}

/// A host whose authority nobody asks.
fn without_authority(more: &str) -> String {
    let authority = "[authority]\nurl = \"https://login.example\"\nca-file = \"certificate.pem\"\n";
    format!("{authority}{more}{}{}", vm(1, TENANT), vm(2, TENANT))
}

#[test]
fn a_playbook_of_a_host_is_for_each_of_its_vms() {
    let home = Home::new();
    fs::write(home.path().join("faults.yaml"), "steps: [{status: 503, retryAfter: 7, count: 1}]").unwrap();
    let config = without_authority("[faults]\nplaybook = \"faults.yaml\"\n");
    let host = home.host(&config);
    for number in [1, 2] {
        assert_eq!([(); 2].map(|()| home.ask(number, INFO).0), [503, 200]);
    }
    // A VM of a subscription that comes later meets it too, and the others not again.
    let later = vm(3, TENANT).replace("/subscriptions/20000000", "/subscriptions/20000001");
    fs::write(home.path().join("host.toml"), format!("{config}{later}")).unwrap();
    host.signal(Signal::HUP);
    eventually("the third VM is there", || home.listens(3));
    assert_eq!([1, 3, 3].map(|number| home.ask(number, INFO).0), [200, 503, 200]);
    assert_eq!(host.end(Signal::TERM).0, Some(0));
}

const INFO: &str = "/metadata/identity/info?api-version=2018-02-01";

#[test]
fn an_up_serves_a_vm_at_a_socket_and_says_that_commands_cannot_ask_there() {
    let home = Home::new();
    let seed = "virtualMachines:\n- name: front\n  identity: {systemAssigned: true}\n  attachment: {unix: 1.sock}\n";
    fs::write(home.path().join("seed.yaml"), seed).unwrap();
    let mut command = symbolon(home.path());
    command.args(["up", "--seed=seed.yaml", "--no-extension", "--data-dir=data", "--json"]);
    command.args(["--https=127.0.0.1:0", "--metrics=127.0.0.1:0"]);
    let up = Up::of(command);
    assert_eq!(home.ask(1, &token_path("r")).0, 200);
    assert_eq!(up.ready["imds"], Value::Null);
    let socket = home.path().join("1.sock");
    assert_eq!(up.ready["vms"][0]["imds"], format!("unix={}", socket.display()));
    let output = run(home.path(), &["token", "--resource=r", "--data-dir=data"]);
    let wanted = format!(
        "exit 1\n--- stdout\n--- stderr\nerror: VM 'front' is known by its attachment (unix={}): its metadata service answers \
         from within the VM alone\n",
        socket.display()
    );
    assert_eq!(told(&output, &[]), wanted);
    assert_eq!(up.end(Signal::TERM).0, Some(0));
    assert!(!socket.exists());
}

#[test]
fn what_is_wrong_with_the_configuration_is_told_before_anything_listens() {
    let home = Home::new();
    fs::write(home.path().join("host.toml"), "[authority]\nurl = \"https://a.example\"\n[limit]\n").unwrap();
    let output = run(home.path(), &["host", "--config=host.toml"]);
    let wanted = "exit 1\n--- stdout\n--- stderr\nerror: host.toml:3:2: unknown field `limit`, expected one of `authority`, \
                  `limits`, `metrics`, `attestation`, `faults`, `virtual-machines`\n";
    assert_eq!(told(&output, &[]), wanted);
    fs::write(home.path().join("host.toml"), "[authority]\nurl = \"https://a.example\"\n").unwrap();
    let mut command = symbolon(home.path());
    command.args(["host", "--config=host.toml"]).envs([("SSL_CERT_FILE", "none.pem"), ("SSL_CERT_DIR", "none")]);
    let wanted = "exit 1\n--- stdout\n--- stderr\nerror: host.toml:2:7: this system has no certificates to trust; name those of \
                  the authority with ca-file\n";
    assert_eq!(told(&command.output().unwrap(), &[]), wanted);
    let output = run(home.path(), &["host", "--config=none.toml"]);
    assert!(told(&output, &[]).contains("error: none.toml: can't be read: "), "{output:?}");
}

#[test]
fn a_thousand_user_assigned_identities_on_one_vm() {
    let home = Home::new();
    let names: Vec<String> = (0..1_000).map(|number| format!("app{number}")).collect();
    let seed = |count: usize| {
        let identities: Vec<_> = names[..count].iter().map(|name| format!("{{name: {name}}}")).collect();
        format!(
            "userAssignedIdentities: [{}]\nvirtualMachines:\n- name: vm\n  identity: {{userAssigned: [{}]}}\n",
            identities.join(", "),
            names[..count].join(", ")
        )
    };
    fs::write(home.path().join("seed.yaml"), seed(1_000)).unwrap();
    let up = Up::start(home.path(), &["--seed=seed.yaml"]);
    let identities = up.ready["vms"][0]["identities"].as_array().unwrap();
    assert_eq!(identities.len(), 1_000);
    let address = up.text("imds").strip_prefix("http://").unwrap();
    for identity in identities.iter().step_by(111) {
        let mut stream = TcpStream::connect(address).unwrap();
        let path = format!("{}&client_id={}", token_path("r"), identity["clientId"].as_str().unwrap());
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nMetadata: true\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let body: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        assert_eq!(claims(&body)["oid"], identity["principalId"]);
    }
    assert_eq!(up.end(Signal::TERM).0, Some(0));
}

#[test]
fn a_host_of_some_vms() {
    println!("{}", serve_many(FEW));
}

/// Each is asked who it is, and some for their tokens and documents.
#[test]
#[ignore = "it takes a minute; run it with: cargo xtask test --long"]
fn a_host_of_ten_thousand_vms() {
    println!("{}", serve_many(MANY));
}

/// What it took.
fn serve_many(count: usize) -> String {
    let home = Home::new();
    let tenant = |number: usize| format!("10000000-0000-4000-8000-{number:012}");
    let asked_more = || (0..count).step_by(count / 8);
    let tenants: Vec<_> = asked_more().map(|number| format!("{{name: t{number}, id: {}}}", tenant(number))).collect();
    let of_its_own = |number| {
        home.certify(&format!("{number}.pem"), &format!("{number}-both.pem"));
        let own = application(number).replace("{name", &format!("{{tenant: t{number}, name"));
        own.replace("certificate.pem", &format!("{number}.pem"))
    };
    let applications: Vec<_> = asked_more().map(of_its_own).collect();
    let seed = format!("tenants: [{}]\napplications: [{}]\n", tenants.join(", "), applications.join(", "));
    fs::write(home.path().join("seed.yaml"), seed).unwrap();
    let up = Up::start(home.path(), &["--seed=seed.yaml", "--no-extension"]);
    let mut config = format!("[authority]\nurl = \"{}\"\nca-file = \"{}\"\n", up.text("authority"), up.text("caFile"));
    for number in 0..count {
        let vm = vm(number, &tenant(number));
        let own = format!("{number}-both.pem");
        config += &if home.path().join(&own).exists() { vm.replace("both.pem", &own) } else { vm };
    }
    let clock = SystemClock::new();
    let began = clock.monotonic();
    let host = home.host(&config);
    let started = clock.monotonic().since(began);
    assert_eq!(host.ready["vms"].as_array().map(Vec::len), Some(count));
    for number in 0..count {
        let (status, body) = home.ask(number, "/metadata/identity/info?api-version=2018-02-01");
        assert_eq!((status, body["tenantId"].as_str()), (200, Some(tenant(number).as_str())), "VM {number}");
    }
    for number in asked_more() {
        let (status, body) = home.ask(number, &token_path("https://vault.azure.net"));
        assert_eq!(status, 200, "VM {number}: {body}");
        let claims = claims(&body);
        let principal = format!("40000000-0000-4000-8000-{number:012}");
        assert_eq!((&claims["oid"], &claims["tid"]), (&principal.into(), &tenant(number).into()), "VM {number}");
        let (status, body) = home.ask(number, "/metadata/instance?api-version=2021-02-01");
        let compute = &body["compute"];
        let id = format!("{GROUP}/Microsoft.Compute/virtualMachines/{number}");
        let vm_id = format!("50000000-0000-4000-8000-{number:012}");
        let wanted = (200, &Value::from(number.to_string()), &id.into(), &vm_id.into());
        assert_eq!((status, &compute["name"], &compute["resourceId"], &compute["vmId"]), wanted, "VM {number}");
    }
    let status = fs::read_to_string(format!("/proc/{}/status", host.child.id())).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let resident: usize = resident.trim().trim_end_matches(" kB").parse().unwrap();
    let said = format!("{count} VMs: ready after {} ms, {} MiB", started.as_millis(), resident / 1024);
    assert!(resident < ALONE + count * PER_VM, "{said}");
    let (code, log) = host.end(Signal::TERM);
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(up.end(Signal::TERM).0, Some(0));
    said
}
