//! What signs attested documents, as another implementation sees it: the program `openssl`.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use authority::signing_pool::SigningPool;
use control::attestation::{AttestError, Attestation, DEFAULT_NAME, Naming, check_name};
use control::tls;
use domain::{Clock as _, SystemClock, Timestamp};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

fn naming() -> Naming {
    Naming { name: DEFAULT_NAME.to_owned(), issuer_url: Some("http://www.microsoft.com/ca.cer".to_owned()) }
}

fn open(folder: &Path, naming: &Naming, now: Timestamp) -> Attestation {
    tls::open(folder, &[], now).expect("a CA");
    Attestation::open(folder, naming, SigningPool::start().expect("threads"), now).expect("a signer")
}

fn openssl(args: &[&str]) -> (bool, String) {
    let output = Command::new("openssl").args(args).output().expect("the program");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

#[tokio::test]
async fn openssl_verifies_a_document_up_to_the_local_ca() {
    if Command::new("openssl").arg("version").output().is_err() {
        let _ = writeln!(std::io::stderr(), "SKIPPED: there is no program `openssl`");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let now = SystemClock::new().now();
    let attestation = open(folder.path(), &naming(), now);
    let signed = attestation.sign(b"{\"nonce\":\"1\"}".to_vec(), now).await.expect("a signature");
    let (document, ca) = (folder.path().join("d.der"), folder.path().join("ca.pem"));
    std::fs::write(&document, &signed).expect("the document");
    let (document, ca) = (document.to_str().expect("a path"), ca.to_str().expect("a path"));
    for tool in ["smime", "cms"] {
        let (good, text) =
            openssl(&[tool, "-verify", "-inform", "DER", "-in", document, "-CAfile", ca, "-purpose", "any"]);
        assert!(good && text.contains("{\"nonce\":\"1\"}"), "{tool}: {text}");
    }
    // Somebody else's CA.
    let other = tempfile::tempdir().expect("a folder");
    open(other.path(), &naming(), now);
    let other = other.path().join("ca.pem");
    let other = other.to_str().expect("a path");
    let (good, text) =
        openssl(&["smime", "-verify", "-inform", "DER", "-in", document, "-CAfile", other, "-purpose", "any"]);
    assert!(!good, "{text}");
    let certificate = folder.path().join("attested.pem");
    let (_, text) = openssl(&["x509", "-in", certificate.to_str().expect("a path"), "-noout", "-text"]);
    for part in
        ["CN = metadata.azure.com", "DNS:metadata.azure.com", "CA Issuers - URI:http://www.microsoft.com/ca.cer"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[tokio::test]
async fn a_certificate_that_ends_soon_is_made_anew_while_documents_are_signed() {
    let folder = tempfile::tempdir().expect("a folder");
    let now = Timestamp::from_unix(1_800_000_000);
    let after = |days: u64| now.plus(std::time::Duration::from_secs(days * 86_400));
    let certificate = || std::fs::read_to_string(folder.path().join("attested.pem")).expect("the certificate");
    let attestation = open(folder.path(), &naming(), now);
    let first = certificate();
    let der = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).expect("PEM").to_vec();
    let sign = async |at| attestation.sign(b"text".to_vec(), at).await.expect("a signature");
    let holds = |signed: &[u8], pem: &str| signed.windows(der(pem).len()).any(|part| part == der(pem));
    assert!(holds(&sign(after(59)).await, &first));
    assert_eq!(certificate(), first);
    let key = folder.path().join("ca.key");
    let ca = std::fs::read(&key).expect("the key");
    std::fs::remove_file(&key).expect("it was there");
    assert!(holds(&sign(after(61)).await, &first), "one that can't be made keeps nobody from a document");
    let ended = attestation.sign(b"text".to_vec(), after(90)).await;
    assert!(matches!(ended, Err(AttestError::Ended)), "but one that has ended does");
    std::fs::write(&key, ca).expect("the key");
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("ours");
    let signed = sign(after(91)).await;
    assert_ne!(certificate(), first);
    assert!(holds(&signed, &certificate()) && !holds(&signed, &first));
}

#[tokio::test]
async fn the_certificate_stays_until_it_must_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let now = Timestamp::from_unix(1_800_000_000);
    let read = || std::fs::read_to_string(folder.path().join("attested.pem")).expect("the certificate");
    open(folder.path(), &naming(), now);
    let first = read();
    open(folder.path(), &naming(), now.plus(std::time::Duration::from_secs(59 * 86_400)));
    assert_eq!(read(), first);
    open(folder.path(), &naming(), now.plus(std::time::Duration::from_secs(61 * 86_400)));
    let renewed = read();
    assert_ne!(renewed, first);
    let other = Naming { name: "westus.metadata.azure.com".to_owned(), issuer_url: None };
    open(folder.path(), &other, now.plus(std::time::Duration::from_secs(61 * 86_400)));
    assert_ne!(read(), renewed, "another name needs another certificate");
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(folder.path().join("attested.key")).expect("a key").permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_name_is_one_that_a_certificate_can_have() {
    for name in
        [DEFAULT_NAME, "*.metadata.azure.com", "localhost", "vm-1.example", &format!("{}.example", "a".repeat(56))]
    {
        assert_eq!(check_name(name).as_deref(), Ok(name));
        let naming = Naming { name: name.to_owned(), issuer_url: None };
        open(tempfile::tempdir().expect("a folder").path(), &naming, Timestamp::from_unix(1_800_000_000));
    }
    let long = format!("{}.example", "a".repeat(57));
    for wrong in [
        "",
        "vm example",
        "vm\u{fc}.example",
        "a..b",
        ".a",
        "a.",
        "*",
        "*.",
        "a.*.b",
        "10.0.0.4",
        "::1",
        "a\n",
        "-a",
        &long,
    ] {
        assert!(check_name(wrong).is_err(), "{wrong:?}");
    }
}
