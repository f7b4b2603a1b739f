use super::*;
use crate::openssl::{self, Scratch};
use crate::self_signed;

const DAY: i64 = 86_400;

fn pair() -> (Vec<u8>, Zeroizing<Vec<u8>>) {
    self_signed("TenantEncryptionCert", DAY, 100 * DAY).unwrap()
}

/// The PEM blocks of a text, by what they are, as DER.
fn blocks(scratch: &Scratch, pem: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let path = scratch.write("both.pem", pem);
    (
        openssl::run(&["x509", "-in", &path, "-outform", "DER"]),
        openssl::run(&["pkcs8", "-topk8", "-nocrypt", "-in", &path, "-outform", "DER"]),
    )
}

#[test]
fn openssl_reads_what_is_written_here() {
    let Some(scratch) = Scratch::new() else { return };
    let (certificate, key) = pair();
    let file = scratch.write("c.pfx", &pfx(&certificate, &key).unwrap());
    // As the guest agents of the field call it.
    let pem = openssl::run(&["pkcs12", "-nodes", "-password", "pass:", "-in", &file]);
    assert_eq!(blocks(&scratch, &pem), (certificate, key.to_vec()));
    let info = std::process::Command::new("openssl")
        .args(["pkcs12", "-info", "-noout", "-password", "pass:", "-in", &file])
        .output()
        .unwrap();
    let info = String::from_utf8(info.stderr).unwrap();
    assert!(info.contains("MAC: sha256, Iteration 2048"), "{info}");
    assert_eq!(info.matches("PBES2, PBKDF2, AES-256-CBC, Iteration 2048, PRF hmacWithSHA256").count(), 2, "{info}");
}

#[test]
fn what_openssl_writes_is_read_here() {
    let Some(scratch) = Scratch::new() else { return };
    let (certificate, key) = pair();
    let (other, _) = pair();
    let pem = |name: &str, der: &[u8], kind: &str| {
        let (from, to) = (scratch.write("der", der), scratch.path(name));
        openssl::run(&[kind, "-inform", "DER", "-in", &from, "-out", &to]);
        to
    };
    let (leaf, private, more) =
        (pem("c.pem", &certificate, "x509"), pem("k.pem", &key, "pkey"), pem("o.pem", &other, "x509"));
    let to = scratch.path("out.pfx");
    let base = ["pkcs12", "-export", "-in", &leaf, "-inkey", &private, "-out", &to, "-passout", "pass:"];
    for options in [
        &[][..],
        &["-certfile", &more],
        &["-macalg", "sha1"],
        &["-macalg", "sha384"],
        &["-macalg", "sha512"],
        &["-nomac"],
        &["-certpbe", "NONE"],
        &["-keypbe", "NONE"],
        &["-keypbe", "AES-128-CBC", "-certpbe", "AES-192-CBC"],
        &["-iter", "1"],
    ] {
        openssl::run(&[&base[..], options].concat());
        let (read, read_key) =
            open_pfx(&scratch.read("out.pfx")).unwrap_or_else(|error| panic!("{options:?}: {error}"));
        assert_eq!((read, &*read_key), (certificate.clone(), &*key), "{options:?}");
    }
    for (options, refusal) in [
        (&["-passout", "pass:word"][..], EnvelopeError::Closed),
        (&["-passout", "pass:word", "-nomac"], EnvelopeError::Closed),
        (&["-keypbe", "PBE-SHA1-3DES"], EnvelopeError::Unsupported),
        (&["-maciter", "-iter", "2000000"], EnvelopeError::Unsupported),
        (&["-nokeys"], EnvelopeError::Malformed),
    ] {
        openssl::run(&[&base[..], options].concat());
        let read = open_pfx(&scratch.read("out.pfx"));
        assert_eq!(read.err(), Some(refusal), "{options:?}");
    }
}

#[test]
fn what_is_written_is_read() {
    let (certificate, key) = pair();
    assert_eq!(open_pfx(&pfx(&certificate, &key).unwrap()), Ok((certificate, key)));
}

#[test]
fn another_certificate_s_key_is_not_written() {
    let ((certificate, _), (_, key)) = (pair(), pair());
    assert_eq!(pfx(&certificate, &key), Err(EnvelopeError::PrivateKey));
    assert_eq!(pfx(&certificate, b"no key"), Err(EnvelopeError::PrivateKey));
    assert_eq!(pfx(b"no certificate", &key), Err(EnvelopeError::Certificate));
}

#[test]
fn cut_off_or_changed_anywhere_it_is_refused() {
    let (certificate, key) = pair();
    let file = pfx(&certificate, &key).unwrap();
    for length in 0..file.len() {
        assert_eq!(open_pfx(&file[..length]).err(), Some(EnvelopeError::Malformed), "{length} bytes");
    }
    for position in 0..file.len() {
        let mut changed = file.clone();
        changed[position] ^= 0x40;
        // All that matters is under the code; what it says of itself beside its value isn't.
        let read = open_pfx(&changed);
        assert!(read.is_err() || read == Ok((certificate.clone(), key.clone())), "byte {position}");
    }
    assert_eq!(open_pfx(&vec![0x30; MAX_SEALED + 1]).err(), Some(EnvelopeError::TooLarge));
}
