//! The documents of a host's VMs that somebody signs or a control plane would make.

use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::json;

use super::*;

/// The DER of a VM's attested document.
fn attested(home: &Home, nonce: &str) -> Vec<u8> {
    let (status, body) = home.ask(1, &format!("/metadata/attested/document?api-version=2025-04-07&nonce={nonce}"));
    assert_eq!((status, &body["encoding"]), (200, &"pkcs7".into()), "{body}");
    STANDARD.decode(body["signature"].as_str().unwrap()).unwrap()
}

fn holds(whole: &[u8], part: &[u8]) -> bool {
    whole.windows(part.len()).any(|window| window == part)
}

fn der(pem: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(pem).unwrap()
}

#[test]
fn documents_that_a_control_plane_would_make() {
    let home = Home::new();
    let host = home.host(&without_authority(""));
    let events = "/metadata/scheduledevents?api-version=2020-07-01";
    assert_eq!(home.ask(1, events), (200, json!({"DocumentIncarnation": 0, "Events": []})));
    let (status, body) = home.send(1, "POST", events, r#"{"StartRequests":[{"EventId":"none"}]}"#);
    assert_eq!((status, body), (400, json!({"error": "Bad request. There is no scheduled event \"none\""})));
    assert_eq!(home.ask(1, "/metadata/attested/document?api-version=2025-04-07").0, 503, "nobody signs");
    assert_eq!(host.end(Signal::TERM).0, Some(0));
}

#[test]
fn documents_are_signed_below_a_ca_of_the_hosts_own_which_it_serves() {
    let home = Home::new();
    let config = without_authority(
        "[attestation]\ndata-dir = \"data\"\nname = \"vm.example\"\nissuer-url = \"http://ca.example/pki/ca.cer\"\n\
         issuer-listen = \"127.0.0.1:0\"\n",
    );
    let host = home.host(&config);
    let folder = home.path().join("data/tls");
    let signed = attested(&home, "first");
    assert!(holds(&signed, br#""nonce":"first""#) && holds(&signed, &der(&folder.join("attested.pem"))));
    assert!(holds(&signed, b"http://ca.example/pki/ca.cer") && holds(&signed, b"vm.example"));
    let url = host.text("issuerCertificate");
    let (address, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let served = raw(address, &format!("GET /{path} HTTP/1.1\r\nHost: ca.example\r\nConnection: close\r\n\r\n"));
    let (head, ca) = (String::from_utf8_lossy(&served), der(&folder.join("ca.pem")));
    assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("application/pkix-cert"), "{head}");
    assert!(served.ends_with(&ca), "DER and nothing else");
    for (line, wanted) in [("GET /ca.cer", "404"), ("POST /pki/ca.cer", "405"), ("GET", "400")] {
        let refused = raw(address, &format!("{line} HTTP/1.1\r\nHost: ca.example\r\nConnection: close\r\n\r\n"));
        assert!(refused.starts_with(format!("HTTP/1.1 {wanted} ").as_bytes()), "{line}");
    }
    assert_eq!(host.end(Signal::TERM).0, Some(0));
    // The next start finds what this one made.
    let host = home.host(&config);
    assert!(holds(&attested(&home, "second"), &der(&folder.join("attested.pem"))));
    assert_eq!(der(&folder.join("ca.pem")), ca);
    assert_eq!(host.end(Signal::TERM).0, Some(0));
}

#[test]
fn documents_are_signed_with_a_certificate_that_somebody_made() {
    let home = Home::new();
    let host = home.host(&without_authority("[attestation]\ncertificate = \"both.pem\"\n"));
    assert!(holds(&attested(&home, "1"), &der(&home.path().join("certificate.pem"))));
    assert_eq!(host.end(Signal::TERM).0, Some(0));
}

/// A file with a certificate that ends at the beginning of a day, and its key.
fn signer(home: &Home, days: i64) -> std::path::PathBuf {
    let end = jiff::Timestamp::from_second(SystemClock::new().now().unix() + days * 86_400).unwrap();
    let end = jiff::tz::Offset::UTC.to_datetime(end).date();
    let mut params = CertificateParams::default();
    params.not_after = rcgen::date_time_ymd(end.year().into(), end.month().cast_unsigned(), end.day().cast_unsigned());
    let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let path = home.path().join("signer.pem");
    fs::write(&path, format!("{}{}", params.self_signed(&key).unwrap().pem(), key.serialize_pem())).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

#[test]
fn the_doctor_looks_when_the_certificate_of_documents_ends() {
    let home = Home::new();
    // Nobody listens there.
    let look = |more: &str| {
        let config = without_authority(more).replace("https://login.example", "https://127.0.0.1:1");
        fs::write(home.path().join("host.toml"), config).unwrap();
        let output = run(home.path(), &["doctor", "--host-config=host.toml", "--json"]);
        serde_json::from_slice::<Value>(&output.stdout).unwrap_or_else(|_| panic!("{}", told(&output, &[])))
    };
    let found = |more: &str, check: &str| {
        let all = look(more);
        let one = all.as_array().unwrap().iter().find(|one| one["check"] == check).unwrap_or_else(|| panic!("{all}"));
        let words = ["verdict", "detail", "advice"].map(|name| one[name].as_str().unwrap_or("-").to_owned());
        words.join("; ")
    };
    assert_eq!(found("", "attestation"), "skipped; nobody signs attested documents; -");
    let local = "[attestation]\ndata-dir = \"data\"\n";
    let anew = "ok; the certificate of attested documents is made anew before it ends; -";
    assert_eq!(found(local, "attestation"), anew);
    let given = "[attestation]\ncertificate = \"signer.pem\"\n";
    for (days, verdict, advice) in
        [(40, "ok", "-"), (29, "advice", "replace it and start again"), (2, "advice", "replace it and start again")]
    {
        signer(&home, days);
        // A day may begin meanwhile.
        let wanted = [days - 1, days - 2]
            .map(|left| format!("{verdict}; the certificate of attested documents ends in {left} days; {advice}"));
        let said = found(given, "attestation");
        assert!(wanted.contains(&said), "{said}");
    }
    signer(&home, 0);
    let ended = found(given, "configuration");
    assert!(ended.starts_with("failed; ") && ended.contains("signer.pem: the certificate has run out"), "{ended}");
}

#[test]
fn what_becomes_of_the_other_sections_files_keeps_no_vm_from_coming() {
    let home = Home::new();
    let signer = signer(&home, 10);
    fs::write(home.path().join("faults.yaml"), "steps: [{status: 503, path: /none}]").unwrap();
    let config =
        without_authority("[attestation]\ncertificate = \"signer.pem\"\n[faults]\nplaybook = \"faults.yaml\"\n");
    let host = home.host(&config);
    let certificate = der(&signer);
    fs::remove_file(&signer).unwrap();
    fs::write(home.path().join("faults.yaml"), "steps: 3").unwrap();
    fs::write(home.path().join("host.toml"), format!("{config}{}", vm(3, TENANT))).unwrap();
    host.signal(Signal::HUP);
    eventually("the third VM is there", || home.path().join("3.sock").exists().then_some(()));
    assert!(holds(&attested(&home, "1"), &certificate), "what it read at the start counts");
    let (code, log) = host.end(Signal::TERM);
    assert!(code == Some(0) && log.contains("the certificate of attested documents ends soon"), "{log}");
}

#[test]
fn a_data_directory_that_cannot_be_used_is_told_with_its_key() {
    let home = Home::new();
    fs::write(home.path().join("host.toml"), without_authority("[attestation]\ndata-dir = \".\"\n")).unwrap();
    let output = run(home.path(), &["host", "--config=host.toml"]);
    let told = told(&output, &[]);
    assert!(told.contains("is not a data directory of symbolon (it holds '"), "{told}");
    assert!(told.ends_with("'); take an empty one at data-dir\n"), "{told}");
}

#[test]
fn an_up_tells_where_it_serves_its_cas_certificate() {
    let home = Home::new();
    let up = Up::start(
        home.path(),
        &["--attested-issuer-url=http://ca.example/pki/ca.cer", "--attested-issuer-listen=127.0.0.1:0"],
    );
    let (address, path) = up.text("issuerCertificate").strip_prefix("http://").unwrap().split_once('/').unwrap();
    assert_eq!(path, "pki/ca.cer");
    let served = raw(address, &format!("GET /{path} HTTP/1.1\r\nHost: ca.example\r\nConnection: close\r\n\r\n"));
    assert!(served.ends_with(&der(Path::new(up.text("caFile")))));
    assert_eq!(up.end(Signal::TERM).0, Some(0));
}

/// What a server answers, to its end.
fn raw(address: &str, request: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}
