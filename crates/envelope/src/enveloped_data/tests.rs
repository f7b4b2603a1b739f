use proptest::prelude::*;

use super::*;
use crate::openssl::{self, Scratch};
use crate::self_signed;

const DAY: i64 = 86_400;

fn pair() -> (Vec<u8>, Zeroizing<Vec<u8>>) {
    self_signed("TenantEncryptionCert", DAY, 100 * DAY).unwrap()
}

#[test]
fn openssl_opens_what_is_sealed_here() {
    let Some(scratch) = Scratch::new() else { return };
    let (certificate, key) = pair();
    let (certificate_path, key_path) = (scratch.write("c.der", &certificate), scratch.write("k.der", &key));
    for plain in [&b""[..], b"{\"a\":1}", &[7; 16], &vec![9; 300_000]] {
        let sealed = scratch.write("sealed.der", &seal(&certificate, plain).unwrap());
        let pem = scratch.path("c.pem");
        openssl::run(&["x509", "-inform", "DER", "-in", &certificate_path, "-out", &pem]);
        let opened = openssl::run(&[
            "cms", "-decrypt", "-inform", "DER", "-in", &sealed, "-recip", &pem, "-inkey", &key_path, "-keyform",
            "DER", "-binary",
        ]);
        assert_eq!(opened, plain);
    }
}

#[test]
fn what_openssl_seals_is_opened_here() {
    let Some(scratch) = Scratch::new() else { return };
    let (certificate, key) = pair();
    let pem = scratch.path("c.pem");
    openssl::run(&["x509", "-inform", "DER", "-in", &scratch.write("c.der", &certificate), "-out", &pem]);
    for cipher in ["-aes-128-cbc", "-aes-192-cbc", "-aes-256-cbc"] {
        for plain in [&b"x"[..], &vec![3; 100_000]] {
            let (from, to) = (scratch.write("plain", plain), scratch.path("sealed.der"));
            openssl::run(&["cms", "-encrypt", "-binary", "-outform", "DER", cipher, "-in", &from, "-out", &to, &pem]);
            assert_eq!(*open(&key, &certificate, &scratch.read("sealed.der")).unwrap(), plain, "{cipher}");
        }
    }
    let (from, to) = (scratch.write("plain", b"x"), scratch.path("sealed.der"));
    openssl::run(&["cms", "-encrypt", "-binary", "-outform", "DER", "-des3", "-in", &from, "-out", &to, &pem]);
    assert_eq!(open(&key, &certificate, &scratch.read("sealed.der")), Err(EnvelopeError::Unsupported));
}

#[test]
fn one_of_several_readers_opens_it() {
    let Some(scratch) = Scratch::new() else { return };
    let readers = [pair(), pair()];
    let pems = [0, 1].map(|index| {
        let pem = scratch.path(&format!("{index}.pem"));
        openssl::run(&["x509", "-inform", "DER", "-in", &scratch.write("c.der", &readers[index].0), "-out", &pem]);
        pem
    });
    let (from, to) = (scratch.write("plain", b"for both"), scratch.path("sealed.der"));
    let [first, second] = &pems;
    openssl::run(&[
        "cms",
        "-encrypt",
        "-binary",
        "-outform",
        "DER",
        "-aes-256-cbc",
        "-in",
        &from,
        "-out",
        &to,
        first,
        second,
    ]);
    for (certificate, key) in &readers {
        assert_eq!(**open(key, certificate, &scratch.read("sealed.der")).unwrap(), b"for both"[..]);
    }
}

#[test]
fn another_key_does_not_open_it() {
    let ((certificate, key), (other_certificate, other_key)) = (pair(), pair());
    let sealed = seal(&certificate, b"secret").unwrap();
    assert_eq!(open(&other_key, &certificate, &sealed), Err(EnvelopeError::Closed));
    assert_eq!(open(&key, &other_certificate, &sealed), Err(EnvelopeError::Closed));
    assert_eq!(open(b"no key", &certificate, &sealed), Err(EnvelopeError::PrivateKey));
    assert_eq!(open(&key, b"no certificate", &sealed), Err(EnvelopeError::Certificate));
    assert_eq!(seal(b"no certificate", b""), Err(EnvelopeError::Certificate));
}

#[test]
fn each_envelope_has_its_own_key() {
    let (certificate, _) = pair();
    assert_ne!(seal(&certificate, b"same").unwrap(), seal(&certificate, b"same").unwrap());
}

#[test]
fn size_is_bounded_both_ways() {
    let (certificate, key) = pair();
    let most = vec![1; MAX_SEALED - 2048];
    assert_eq!(*open(&key, &certificate, &seal(&certificate, &most).unwrap()).unwrap(), most);
    assert_eq!(seal(&certificate, &vec![1; MAX_SEALED]), Err(EnvelopeError::TooLarge));
    assert_eq!(seal(&certificate, &vec![1; MAX_SEALED + 1]), Err(EnvelopeError::TooLarge));
    assert_eq!(open(&key, &certificate, &vec![0x30; MAX_SEALED + 1]), Err(EnvelopeError::TooLarge));
}

#[test]
fn cut_off_anywhere_it_is_refused() {
    let (certificate, key) = pair();
    let sealed = seal(&certificate, b"secret").unwrap();
    for length in 0..sealed.len() {
        assert_eq!(open(&key, &certificate, &sealed[..length]), Err(EnvelopeError::Malformed), "{length} bytes");
    }
    let longer = [&sealed[..], b"\0"].concat();
    assert_eq!(open(&key, &certificate, &longer), Err(EnvelopeError::Malformed));
}

#[test]
fn a_changed_key_is_refused_like_changed_padding() {
    let (certificate, key) = pair();
    let sealed = seal(&certificate, b"secret").unwrap();
    let data = read(&sealed).unwrap().unwrap();
    let wrapped = wrapped_key(&data, &Recipient::read(&certificate).unwrap()).unwrap();
    let at = |needle: &[u8]| sealed.windows(needle.len()).position(|window| window == needle).unwrap();
    let mut changed = sealed.clone();
    changed[at(wrapped.as_bytes()) + 100] ^= 1;
    assert_eq!(open(&key, &certificate, &changed), Err(EnvelopeError::Closed));
    let mut changed = sealed.clone();
    // The block before the padding's: its last byte decides over the padding's last byte. There is only the one block of
    // padding, so it is the initialisation vector.
    let (_, iv) = sealed.split_at(at(b"\x04\x10"));
    let vector_end = sealed.len() - iv.len() + 2 + 15;
    changed[vector_end] ^= 0x80;
    assert_eq!(open(&key, &certificate, &changed), Err(EnvelopeError::Closed));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_sealed_opens(plain in proptest::collection::vec(any::<u8>(), 0..2000)) {
        // One key for all cases: making one takes a tenth of a second.
        thread_local!(static PAIR: (Vec<u8>, Zeroizing<Vec<u8>>) = pair());
        PAIR.with(|(certificate, key)| {
            let opened = open(key, certificate, &seal(certificate, &plain).unwrap()).unwrap();
            prop_assert_eq!(&*opened, &plain);
            Ok(())
        })?;
    }

    #[test]
    fn bytes_changed_anywhere_never_panic(changes in proptest::collection::vec((any::<u16>(), any::<u8>()), 1..6)) {
        thread_local!(static SEALED: (Vec<u8>, Zeroizing<Vec<u8>>, Vec<u8>) = {
            let (certificate, key) = pair();
            let sealed = seal(&certificate, &[5; 100]).unwrap();
            (certificate, key, sealed)
        });
        SEALED.with(|(certificate, key, sealed)| {
            let mut changed = sealed.clone();
            for (position, byte) in changes {
                let position = usize::from(position) % changed.len();
                changed[position] = byte;
            }
            // CBC may give other bytes, or the same when the change undoes itself; it never gives more.
            prop_assert!(open(key, certificate, &changed).map_or(0, |plain| plain.len()) < changed.len());
            Ok(())
        })?;
    }
}
