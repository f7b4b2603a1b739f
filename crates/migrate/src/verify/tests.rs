use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStringExt;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::search::PIECE;
use super::tar::tests::tar;
use super::*;

/// Of a PKCS#8 key of RSA, the beginning.
const KEY: &[u8] =
    b"\x30\x82\x04\xbd\x02\x01\x00\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\x04\x82\x04\xa7";

struct Tree(tempfile::TempDir);

impl Tree {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn with(self, path: &str, bytes: impl AsRef<[u8]>) -> Self {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    fn told(&self) -> Vec<(String, &'static str, Worth)> {
        let report = verify(self.0.path()).unwrap();
        report.found.into_iter().map(|one| (one.path.display().to_string(), one.what, one.worth)).collect()
    }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let word = three.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for at in 0..=three.len() {
            text.push(char::from(LETTERS[(word >> (18 - 6 * at) & 63) as usize]));
        }
    }
    text
}

#[test]
fn whatever_a_thief_could_use_is_found_wherever_it_lies() {
    let pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIE";
    for (bytes, what) in [
        (b"x eyJ0eXAiOiJKV1QiLCJhbGciOi.y".to_vec(), "a token"),
        (pem.as_bytes().to_vec(), "a private key (PEM)"),
        (KEY.to_vec(), "a private key (PKCS#8)"),
        (
            b"\x30\x81\x87\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08".to_vec(),
            "a private key (PKCS#8)",
        ),
        (
            b"\x30\x82\x09\x99\x02\x01\x03\x30\x82\x09\x5f\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0".to_vec(),
            "a key with its certificate (PKCS#12)",
        ),
    ] {
        for before in [0, PIECE - 20, PIECE + 3, 3 * PIECE - 1] {
            let mut long = vec![b'.'; before];
            long.extend(&bytes);
            let tree = Tree::new().with("opt/app/.cache/x.bin", long);
            assert_eq!(tree.told(), [("opt/app/.cache/x.bin".to_owned(), what, Worth::Usable)], "{before}");
        }
    }
    for shift in 0..3 {
        let shifted = [&vec![0x30; shift][..], KEY].concat();
        let text = format!("{{\"privateKey\":\"{}\"}}", base64(&shifted));
        let told = Tree::new().with("a.json", text).told();
        assert_eq!(told, [("a.json".to_owned(), "a private key (PKCS#8 in base64)", Worth::Usable)], "{shift}");
    }
}

#[test]
fn where_it_lies_is_told() {
    let tree = Tree::new().with("a", [&vec![b'.'; PIECE + 100], &b"eyJ0eXAiOiJKV1QiLCJhbGciOi"[..]].concat());
    let report = verify(tree.0.path()).unwrap();
    assert_eq!(report.found[0].offset, Some(PIECE as u64 + 100));
    assert_eq!((report.files, report.bytes), (1, PIECE as u64 + 126));
    assert!(!report.proves());
}

#[test]
fn what_is_not_one_is_no_finding() {
    let tree = Tree::new()
        .with(
            "a.pem",
            "-----BEGIN CERTIFICATE-----\nMIID\n-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A",
        )
        .with("b", "eyJ and eyJshort")
        .with("c", "");
    assert_eq!(tree.told(), []);
    assert!(verify(tree.0.path()).unwrap().proves());
}

#[test]
fn the_agents_key_is_allowed_as_long_as_it_opens_nothing() {
    let key = "-----BEGIN PRIVATE KEY-----\nMII";
    let prv = "var/lib/waagent/0123456789ABCDEF0123456789ABCDEF01234567.prv";
    let tree = Tree::new().with("var/lib/waagent/TransportPrivate.pem", key).with(prv, key);
    let told = tree.told();
    assert!(told.iter().all(|(_, _, worth)| *worth == Worth::Allowed) && told.len() == 2, "{told:?}");
    let sealed = format!(r#"{{"protectedSettings": "{}"}}"#, "M".repeat(64));
    let settings = "var/lib/waagent/P.T-1/config/0.settings";
    let tree = tree.with(settings, &sealed);
    assert!(tree.told().iter().all(|(_, _, worth)| *worth == Worth::Usable));
    // The ciphertext alone opens nothing, and elsewhere the same key is somebody's.
    assert_eq!(Tree::new().with(settings, sealed).told()[0].2, Worth::Remains);
    assert_eq!(Tree::new().with("home/u/TransportPrivate.pem", key).told()[0].2, Worth::Usable);
    assert_eq!(Tree::new().with("etc/ssh/ssh_host_rsa_key", key).told()[0].2, Worth::Allowed);
    // What the agent keeps in its history is redacted.
    let redacted = r#"{"protectedSettings": "*** REDACTED ***"}"#;
    assert_eq!(Tree::new().with("var/lib/waagent/history/x.json", redacted).told(), []);
}

#[test]
fn what_is_left_of_the_extension_is_told_and_of_no_use() {
    let tree = Tree::new()
        .with("var/lib/waagent/ManagedIdentity-Settings", r#"{"url":"http://localhost:50342"}"#)
        .with("var/log/azure/Microsoft.ManagedIdentity.ManagedIdentityExtensionForLinux/a.log", "x")
        .with("etc/systemd/system/msi-extension.service", "[Unit]");
    let windows = "Microsoft.ManagedIdentity.ManagedIdentityExtensionForWindows";
    let tree = tree
        .with("var/lib/waagent/ManagedIdentity-x.json", "{}")
        .with("WindowsAzure/Config/ManagedIdentity-Settings", r#"{"url":"http://localhost:50342"}"#)
        .with(&format!("WindowsAzure/Logs/Plugins/{windows}/1.0.0.1/msixtn-handler-0.log"), "x")
        .with(&format!("Packages/Plugins/{windows}/1.0.0.1/msi-extension-handler.exe"), "x");
    let told = tree.told();
    assert_eq!(told.len(), 7, "{told:?}");
    assert!(told.iter().all(|(_, _, worth)| *worth == Worth::Remains));
    assert!(verify(tree.0.path()).unwrap().proves());
}

#[test]
fn links_are_not_followed_and_what_is_not_there_is_said() {
    let outside = Tree::new().with("key", "-----BEGIN PRIVATE KEY-----");
    let tree = Tree::new().with("a", "");
    std::os::unix::fs::symlink(outside.0.path(), tree.0.path().join("link")).unwrap();
    std::os::unix::fs::symlink(tree.0.path(), tree.0.path().join("loop")).unwrap();
    assert_eq!(tree.told(), []);
    assert!(verify(&tree.0.path().join("nothing")).is_err());
    assert!(verify(&tree.0.path().join("a")).is_err());
}

#[test]
fn a_folder_that_is_no_machines_root_proves_nothing() {
    let tree = Tree::new();
    fs::create_dir_all(tree.0.path().join("mnt/disk")).unwrap();
    let error = verify(tree.0.path()).unwrap_err().to_string();
    assert!(error.contains("isn't mounted"), "{error}");
    fs::create_dir_all(tree.0.path().join("var/lib")).unwrap();
    let report = verify(tree.0.path()).unwrap();
    assert!(report.proves() && report.files == 0);
    assert!(verify(Tree::new().with("WindowsAzure/a.log", "").0.path()).unwrap().proves());
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

#[test]
fn what_gzip_packed_is_unpacked() {
    let token = b"GET / Authorization: Bearer eyJ0eXAiOiJKV1QiLCJhbGciOi.x";
    let text = [&vec![b'.'; PIECE - 40], &token[..]].concat();
    // A rotated log that was packed twice is two members, one after the other.
    for packed in [gzip(&text), [gzip(b"x"), gzip(&text[1..])].concat()] {
        assert!(packed.len() < 5_000, "the token isn't there as it lies");
        let tree = Tree::new().with("var/log/app.log.2.gz", &packed);
        let report = verify(tree.0.path()).unwrap();
        let found = &report.found[0];
        assert_eq!((found.what, found.unpacked, found.offset), ("a token", true, Some(PIECE as u64 - 12)));
        assert_eq!((report.unpacked, report.bytes, report.proves()), (1, packed.len() as u64, false));
        assert_eq!(report.skipped, []);
        let broken = &packed[..packed.len() - 9];
        let report = verify(Tree::new().with("a.gz", broken).0.path()).unwrap();
        assert_eq!(report.found.len(), 1, "what comes before the break");
        assert!(report.unread[0].1.starts_with("gzip: broken behind 10"), "{:?}", report.unread);
    }
    let none = verify(Tree::new().with("a.gz", gzip(b"nothing")).0.path()).unwrap();
    assert!(none.proves() && none.found.is_empty() && none.unpacked == 1);
    let other = verify(Tree::new().with("not.gz", b"\x1f\x8b\x08 is no gzip").0.path()).unwrap();
    assert!(other.unread[0].1.starts_with("gzip: broken behind 0 unpacked bytes: "), "{:?}", other.unread);
    assert!(!other.proves(), "who knows what is behind the break");
}

#[test]
fn what_zlib_packed_is_unpacked() {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    packed.write_all(b"blob 30\0AZURE_TOKEN=eyJ0eXAiOiJKV1QiLCJhbGciOi.x").unwrap();
    let packed = packed.finish().unwrap();
    let report = verify(Tree::new().with(".git/objects/0a/1b", &packed).0.path()).unwrap();
    assert_eq!((report.found[0].what, report.found[0].unpacked), ("a token", true));
    // `x^` may begin anything.
    let report = verify(Tree::new().with("formula", "x^2 + y^2 = z^2").0.path()).unwrap();
    assert!(report.proves() && report.skipped[0].1.starts_with("zlib, or what looks like it: "), "{report:?}");
}

#[test]
fn what_is_packed_within_what_is_unpacked_is_named() {
    let xz = b"\xfd7zXZ\0...".as_slice();
    let archive = tar(&[("11", xz), ("3", b"abc")]);
    let tree = Tree::new()
        .with("a.tar", &archive)
        .with("b.tar.gz", gzip(&archive))
        .with("c.gz", gzip(&gzip(b"twice")))
        .with("d.gz", gzip(xz))
        .with("e.tar.gz", gzip(&tar(&[("3", b"abc")])));
    let report = verify(tree.0.path()).unwrap();
    let skipped: Vec<_> = report.skipped.iter().map(|(path, what)| (path.to_str().unwrap(), what.as_str())).collect();
    let wanted =
        [("a.tar", "xz in tar"), ("b.tar.gz", "xz in tar in gzip"), ("c.gz", "gzip in gzip"), ("d.gz", "xz in gzip")];
    assert_eq!(skipped, wanted);
}

#[test]
fn what_is_not_looked_into_is_named() {
    let tree = Tree::new()
        .with("var/log/syslog.1.xz", b"\xfd7zXZ\0...")
        .with("var/log/a.zst", b"\x28\xb5\x2f\xfd...")
        .with("etc/fstab", "UUID=7 none swap sw 0 0\n");
    let report = verify(tree.0.path()).unwrap();
    let skipped: Vec<_> = report.skipped.iter().map(|(path, what)| (path.to_str().unwrap(), what.as_str())).collect();
    let wanted = [("var/log/a.zst", "zstd"), ("var/log/syslog.1.xz", "xz"), ("etc/fstab", "swap on UUID=7")];
    assert_eq!(skipped, wanted);
    assert!(report.proves(), "a machine has thousands of those");
}

#[test]
fn a_name_that_is_no_utf_8_is_told_too() {
    let name = |end: &str| std::ffi::OsString::from_vec([b"gr\xfcn.", end.as_bytes()].concat());
    let tree = Tree::new();
    fs::write(tree.0.path().join(name("pem")), "-----BEGIN PRIVATE KEY-----").unwrap();
    fs::write(tree.0.path().join(name("xz")), b"\xfd7zXZ\0").unwrap();
    fs::write(tree.0.path().join(name("gz")), b"\x1f\x8b\x08").unwrap();
    let told = serde_json::to_value(verify(tree.0.path()).unwrap()).unwrap();
    let paths = [&told["unread"][0][0], &told["found"][0]["path"], &told["skipped"][0][0]];
    assert_eq!(paths, ["gr\u{fffd}n.gz", "gr\u{fffd}n.pem", "gr\u{fffd}n.xz"]);
}
