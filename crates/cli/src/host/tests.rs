use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fs, io};

use domain::{Clock, IdentityKind, ManualClock, Timestamp};
use imds::{ControlPlane, ControlPlaneError};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use rustix::thread::CapabilitySet;
use tempfile::TempDir;

use super::*;

const VM: &str = "/subscriptions/20000000-0000-4000-8000-000000000001/resourceGroups/web/providers/\
                  Microsoft.Compute/virtualMachines/front";
const APP: &str = "/subscriptions/20000000-0000-4000-8000-000000000001/resourceGroups/web/providers/\
                   Microsoft.ManagedIdentity/userAssignedIdentities/app";

/// A host with one VM. `attachment` is TOML, and `more` stands behind the VM's own keys.
fn config(attachment: &str, more: &str) -> String {
    format!(
        "[authority]\nurl = \"https://login.example\"\nca-file = \"ca.pem\"\n[[virtual-machines]]\nname = \"front\"\n\
         id = \"{VM}\"\nvm-id = \"50000000-0000-4000-8000-000000000001\"\n\
         tenant = \"10000000-0000-4000-8000-000000000001\"\nattachment = {attachment}\n{more}"
    )
}

/// The ids of an identity, the keys of its section.
fn ids(number: u32) -> String {
    format!(
        "client-id = \"30000000-0000-4000-8000-{number:012}\"\nprincipal-id = \"40000000-0000-4000-8000-{number:012}\"\n\
         certificate = \"app.pem\"\n"
    )
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let certificate = CertificateParams::default().self_signed(&key).unwrap();
    let private = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).unwrap();
        fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(0o600)).unwrap();
    };
    private("ca.pem", &certificate.pem());
    private("app.pem", &format!("{}{}", certificate.pem(), key.serialize_pem()));
    private("alone.pem", &certificate.pem());
    let other = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    private("other.pem", &format!("{}{}", certificate.pem(), other.serialize_pem()));
    let mut old = CertificateParams::default();
    old.not_after = rcgen::date_time_ymd(2020, 1, 1);
    old.not_before = rcgen::date_time_ymd(2019, 1, 1);
    private("old.pem", &format!("{}{}", old.self_signed(&key).unwrap().pem(), key.serialize_pem()));
    let mut ending = CertificateParams::default();
    ending.not_after = rcgen::date_time_ymd(2090, 1, 1);
    private("ending.pem", &format!("{}{}", ending.self_signed(&key).unwrap().pem(), key.serialize_pem()));
    private("expired.yaml", "steps: [{expiredToken: true}]");
    private("loose.pem", "");
    fs::set_permissions(folder.path().join("loose.pem"), fs::Permissions::from_mode(0o640)).unwrap();
    folder
}

fn read_in(folder: &TempDir, text: &str) -> Result<Inventory, String> {
    let path = folder.path().join("host.toml");
    fs::write(&path, text).unwrap();
    let shown = format!("{}:", folder.path().join("host.toml").display());
    read(&path).map_err(|why| why.to_string().replace(&shown, "").replace(&folder.path().display().to_string(), "DIR"))
}

#[test]
fn a_host_of_one_vm_with_both_kinds_of_identity() {
    let folder = folder();
    let more = format!(
        "[virtual-machines.system-assigned]\n{}[[virtual-machines.user-assigned]]\nid = \"{APP}\"\n{}\
         [limits]\nthrottle = false\nconnections = 8\n[metrics]\nlisten = \"127.0.0.1:0\"\n",
        ids(1),
        ids(2)
    );
    let read =
        read_in(&folder, &config("{ device = \"tap0\", hop-limit = 1, listen = \"192.0.2.1:80\" }", &more)).unwrap();
    let [placed] = &read.machines[..] else { panic!("one VM") };
    assert_eq!((placed.name.as_str(), placed.vm.id.as_str()), ("front", VM));
    assert_eq!(placed.attachment.to_string(), "listen=192.0.2.1:80,hop-limit=1,device=tap0");
    let identities: Vec<_> =
        placed.vm.identities.iter().map(|identity| (identity.kind, identity.id.as_str())).collect();
    assert_eq!(identities, [(IdentityKind::SystemAssigned, VM), (IdentityKind::UserAssigned, APP)]);
    assert_eq!(read.credentials.len(), 2);
    assert_eq!((read.throttled, read.connections), (false, 8));
    let defaults = read_in(&folder, &config("{ unix = \"vm.sock\" }", "")).unwrap();
    assert_eq!((defaults.throttled, defaults.connections, defaults.metrics), (true, 64, None));
    assert_eq!(defaults.machines[0].attachment.to_string(), format!("unix={}/vm.sock", folder.path().display()));
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let folder = folder();
    let device = "{ device = \"tap0\" }";
    let with = |section: &str| config(device, section);
    let certificate =
        |file: &str| with(&format!("[virtual-machines.system-assigned]\n{}", ids(1).replace("app.pem", file)));
    let second = config(device, "").replace("[authority]\nurl = \"https://login.example\"\nca-file = \"ca.pem\"\n", "");
    let (other_id, other_vm_id) = (second.replace("/front", "/back"), "50000000-0000-4000-8000-000000000002");
    let other = other_id.replace("50000000-0000-4000-8000-000000000001", other_vm_id);
    for (text, wanted) in [
        (String::new(), "1:1: missing field `authority`"),
        ("[authority]\nurl = \"x\"\nca = 1\n".to_owned(), "3:1: unknown field `ca`"),
        ("[authority\n".to_owned(), "1:11: "),
        (
            with("").replace("https://login.example", "http://login.example"),
            "2:7: 'http://login.example' is not the URL",
        ),
        (with("").replace("ca.pem", "none.pem"), "3:11: DIR/none.pem: "),
        (with("").replace("ca.pem", "loose.pem"), "3:11: DIR/loose.pem: there is no certificate in it"),
        (config("{ tap = \"x\" }", ""), "9:16: unknown field `tap`"),
        (config("{ source = \"10.0.0.4\" }", ""), "9:14: a neighbour can send from source address 10.0.0.4 at "),
        (format!("{}{other}", with("")), "15:14: network device tap0 of VM 'front' is that of VM 'front' already"),
        (
            format!(
                "{}{}",
                config("{ source = \"10.0.0.4\", accept-spoofing = true }", ""),
                other.replace(
                    "{ device = \"tap0\" }",
                    "{ source = \"10.0.0.5\", accept-spoofing = true, hop-limit = 1 }"
                )
            ),
            "15:14: VM 'front' is known in another way or with another hop-limit at ",
        ),
        (
            format!("{}{}", config("{ source = \"10.0.0.4\", accept-spoofing = true }", ""), other),
            "15:14: VM 'front' is known in another way",
        ),
        (
            format!("{}{}", with(""), second.replace("tap0", "tap1")),
            "11:8: id /subscriptions/20000000-0000-4000-8000-000000000001/",
        ),
        (format!("{}{}", with(""), other_id.replace("tap0", "tap1")), "13:9: vm-id 50000000-"),
        (with("size = 3"), "10:1: unknown field `size`"),
        (with("").replace("vm-id = \"5", "vm-id = \"x"), "7:9: 'x"),
        (with("[[virtual-machines.user-assigned]]\n").clone() + &ids(1), "11:13: a user-assigned identity has an id"),
        (
            with(&format!("[virtual-machines.system-assigned]\nid = \"{APP}\"\n{}", ids(1))),
            "11:6: a system-assigned identity has the id of its VM",
        ),
        (certificate("none.pem"), "13:15: DIR/none.pem can't be read: "),
        (certificate("alone.pem"), "13:15: DIR/alone.pem: there is no private key in PKCS#8 form"),
        (certificate("other.pem"), "13:15: DIR/other.pem: the private key is not that of the certificate"),
        (certificate("old.pem"), "13:15: DIR/old.pem: the certificate has run out"),
        (
            certificate("loose.pem"),
            "13:15: DIR/loose.pem has mode 0640, so others can sign in with it; run: chmod 600 DIR",
        ),
        (certificate("host.toml"), "13:15: DIR/host.toml has mode 0"),
        (with("[limits]\nconnections = 0"), "11:15: 0 connections"),
        (with("[limits]\nconnections = -1"), "11:15: "),
        (with("[metrics]\nlisten = \"0.0.0.0:1\""), "11:10: the metrics are for those who run this host"),
        (with("[attestation]\nname = \"a\""), "11:8: [attestation] has a data-dir for a CA of this host's own, or"),
        (with("[attestation]\n"), "10:1: [attestation] has a data-dir"),
        (
            with("[attestation]\ndata-dir = \"d\"\ncertificate = \"app.pem\""),
            "11:12: attested documents are signed from data-dir or with certificate, not both",
        ),
        (with("[attestation]\ncertificate = \"app.pem\"\nname = \"a\""), "12:8: this goes with data-dir; "),
        (with("[attestation]\ncertificate = \"other.pem\""), "11:15: DIR/other.pem: the private key is not that of"),
        (with("[attestation]\ncertificate = \"loose.pem\""), "11:15: DIR/loose.pem has mode 0640, so others can sign"),
        (with("[attestation]\ndata-dir = \"d\"\nname = \"vm example\""), "12:8: it is not a DNS name of at most 64 "),
        (
            with("[attestation]\ndata-dir = \"d\"\nissuer-url = \"https://a.example/ca.cer\""),
            "12:14: it is not a URL such as http://host.example/ca.cer",
        ),
        (
            with("[attestation]\ndata-dir = \"d\"\nissuer-listen = \"127.0.0.1:80\""),
            "12:17: the CA's certificate is served at the path of issuer-url, which isn't said",
        ),
        (
            with("[attestation]\ndata-dir = \"d\"\nissuer-listen = \"0.0.0.0:80\""),
            "12:17: the CA's certificate is served at one address; name it",
        ),
        (with("[faults]\nplaybook = \"none.yaml\""), "11:12: DIR/none.yaml can't be read"),
        (with("[faults]\nplaybook = \"ca.pem\""), "11:12: DIR/ca.pem:1:1: "),
        (with("[faults]\nplaybook = \"expired.yaml\""), "11:12: a host has no expired tokens"),
    ] {
        let error = read_in(&folder, &text).err().unwrap_or_else(|| panic!("it is taken: {text}"));
        assert!(error.starts_with(wanted), "{text}\n  {error}");
    }
}

#[test]
fn one_file_serves_an_identity_that_several_vms_have_and_no_other() {
    let folder = folder();
    let vm = |name: &str, number: u32, ids: &str| {
        config(
            &format!("{{ device = \"tap{number}\" }}"),
            &format!("[[virtual-machines.user-assigned]]\nid = \"{APP}\"\n{ids}"),
        )
        .replace("front", name)
        .replace("50000000-0000-4000-8000-000000000001", &format!("50000000-0000-4000-8000-{number:012}"))
    };
    let authority = "[authority]\nurl = \"https://login.example\"\nca-file = \"ca.pem\"\n";
    let both = |second: &str| format!("{}{}", vm("front", 1, &ids(1)), vm("back", 2, second).replace(authority, ""));
    assert_eq!(read_in(&folder, &both(&ids(1))).unwrap().credentials.len(), 1);
    let error = read_in(&folder, &both(&ids(1).replace("40000000-", "40000001-"))).err().unwrap();
    assert!(error.contains("is there already with other ids or another file"), "{error}");
}

#[test]
fn low_ports_of_its_own_take_a_right_and_no_others() {
    let folder = folder();
    let rights = |metrics: u16, issuer: u16| {
        let more = format!(
            "[metrics]\nlisten = \"127.0.0.1:{metrics}\"\n[attestation]\ndata-dir = \"d\"\n\
             issuer-url = \"http://ca.example/ca.cer\"\nissuer-listen = \"127.0.0.1:{issuer}\"\n"
        );
        read_in(&folder, &config("{ unix = \"vm.sock\" }", &more)).unwrap().rights()
    };
    for (metrics, issuer) in [(0, 0), (1024, 8080)] {
        assert_eq!(rights(metrics, issuer), CapabilitySet::empty(), "{metrics} {issuer}");
    }
    for (metrics, issuer) in [(1, 0), (0, 80), (1023, 8080)] {
        assert_eq!(rights(metrics, issuer), CapabilitySet::NET_BIND_SERVICE, "{metrics} {issuer}");
    }
}

#[test]
fn what_counts_from_the_next_start_is_not_looked_at_when_vms_are_read_again() {
    let folder = folder();
    let more = "[metrics]\nlisten = \"0.0.0.0:1\"\n[attestation]\ncertificate = \"old.pem\"\n\
                [faults]\nplaybook = \"none.yaml\"\n";
    let text = config("{ unix = \"vm.sock\" }", more);
    assert!(read_in(&folder, &text).is_err(), "a start refuses it");
    assert_eq!(read_machines(&folder.path().join("host.toml")).unwrap().machines.len(), 1);
    let unknown = format!("{text}size = 3\n");
    fs::write(folder.path().join("host.toml"), unknown).unwrap();
    let error = read_machines(&folder.path().join("host.toml")).err().expect("it is taken").to_string();
    assert!(error.contains("unknown field `size`"), "{error}");
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_certificate_of_somebodys_making_is_told_of_before_its_end_and_signs_nothing_after_it() {
    const DAY: Duration = Duration::from_secs(86_400);
    let folder = folder();
    let text = config("{ unix = \"vm.sock\" }", "[attestation]\ncertificate = \"ending.pem\"\n");
    let signing = read_in(&folder, &text).unwrap().signing.unwrap();
    // The first of January 2090.
    let end = Timestamp::from_unix(3_786_912_000);
    let clock = ManualClock::new(end.minus(31 * DAY));
    let attestation = signing.open(clock.now()).unwrap().attestation;
    let control_plane = NoControlPlane { attestation, clock: Arc::new(clock.clone()) };
    let log = Log::default();
    let lines = log.clone();
    let _logging = tracing::subscriber::set_default(
        tracing_subscriber::fmt().with_ansi(false).with_writer(move || lines.clone()).finish(),
    );
    let logged = || String::from_utf8(std::mem::take(&mut *log.0.lock().unwrap())).unwrap();
    let sign = || control_plane.attest(b"text".to_vec());
    control_plane.look_after().await;
    assert_eq!((sign().await.is_ok(), logged().as_str()), (true, ""));

    // Told without anybody asking, and once a day.
    clock.set_wall(end.minus(29 * DAY));
    control_plane.look_after().await;
    let told = logged();
    assert!(told.contains(" WARN ") && told.contains("ends soon") && told.contains("days=29"), "{told}");
    clock.advance(DAY);
    assert_eq!((sign().await.is_ok(), logged().as_str()), (true, ""));
    clock.advance(Duration::from_secs(1));
    assert!(sign().await.is_ok() && logged().contains("days=27"));

    clock.set_wall(end.minus(Duration::from_secs(2)));
    assert!(sign().await.is_ok() && logged().contains("ends soon"));
    for at in [end, end.plus(2 * DAY)] {
        clock.set_wall(at);
        assert!(matches!(sign().await, Err(ControlPlaneError::NoSigner)));
        let told = logged();
        assert!(told.contains("ERROR ") && told.contains("has ended, and none is signed"), "{told}");
        assert!(matches!(sign().await, Err(ControlPlaneError::NoSigner)));
        assert_eq!(logged(), "", "once a day");
    }
}
