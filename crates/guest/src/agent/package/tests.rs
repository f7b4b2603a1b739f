use std::io::{Cursor, Write};
use std::os::unix::fs::PermissionsExt;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

fn packed(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn unpacked(package: &[u8], into: &Path) -> Result<(), PackageError> {
    unpack(Cursor::new(package), into)
}

/// The folder in which a package is unpacked, and what is in it and beside it.
fn world() -> (tempfile::TempDir, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let into = parent.path().join("a").join("handler");
    fs::create_dir(parent.path().join("a")).unwrap();
    (parent, into)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_package_is_there_when_all_of_it_is_and_for_its_owner_alone() {
    let (_parent, into) = world();
    fs::create_dir(&into).unwrap();
    fs::write(into.join("old"), "").unwrap();
    fs::create_dir(into.with_extension("new")).unwrap();
    let package = packed(&[("HandlerManifest.json", b"[]"), ("bin/handler", b"#!/bin/sh\n"), ("empty/", b"")]);
    unpacked(&package, &into).unwrap();
    assert_eq!(names(&into), ["HandlerManifest.json", "bin", "empty"]);
    assert_eq!(names(into.parent().unwrap()), ["handler"]);
    assert_eq!(fs::read(into.join("bin/handler")).unwrap(), b"#!/bin/sh\n");
    for path in ["", "bin", "bin/handler"] {
        assert_eq!(fs::metadata(into.join(path)).unwrap().permissions().mode() & 0o777, 0o700, "{path}");
    }
}

#[test]
fn names_that_lead_elsewhere_are_refused_and_nothing_is_left() {
    for name in ["../evil", "/evil", "a/../../evil", "a/../b", "..", "a\\..\\evil", "./a"] {
        let (parent, into) = world();
        let error = unpacked(&packed(&[("fine", b"x"), (name, b"x")]), &into).unwrap_err();
        assert!(matches!(&error, PackageError::Outside(named) if named == name), "{name}: {error}");
        assert_eq!(names(parent.path()), ["a"], "{name}");
        assert!(names(&parent.path().join("a")).is_empty(), "{name}");
    }
    assert_eq!(inside("a\0b"), None);
    assert_eq!(inside(""), None);
}

#[test]
fn links_are_refused() {
    let (_parent, into) = world();
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_symlink("link", "/etc", SimpleFileOptions::default()).unwrap();
    zip.start_file("link/evil", SimpleFileOptions::default()).unwrap();
    let package = zip.finish().unwrap().into_inner();
    assert!(matches!(unpacked(&package, &into), Err(PackageError::Kind(name)) if name == "link"));
    assert!(!into.exists());
}

#[test]
fn a_truncated_or_damaged_package_is_refused_wherever_it_is_broken() {
    let (_parent, into) = world();
    let text: Vec<u8> = (0..2_000_u32).flat_map(u32::to_le_bytes).collect();
    let package = packed(&[("a", &text), ("b", b"b")]);
    for length in (0..package.len()).step_by(97) {
        assert!(unpacked(&package[..length], &into).is_err(), "{length}");
        assert!(!into.exists());
    }
    // In the middle of the compressed bytes: only the checksum tells.
    let mut damaged = package.clone();
    damaged[1_000] ^= 0x10;
    assert!(matches!(unpacked(&damaged, &into), Err(PackageError::Entry { name, .. }) if name == "a"));
    assert!(!into.exists());
    unpacked(&package, &into).unwrap();
    assert_eq!(fs::read(into.join("a")).unwrap(), text);
}

#[test]
fn a_bomb_is_given_up_when_it_is_too_large_whatever_it_says_of_itself() {
    let (_parent, into) = world();
    let zeros = vec![0; 100_000];
    let mut package = packed(&[("a", &zeros), ("b", &zeros)]);
    assert!(package.len() < 2_000, "a hundred times smaller");
    unpack_bounded(Cursor::new(&package), &into, 200_000).unwrap();
    let error = unpack_bounded(Cursor::new(&package), &into, 199_999).unwrap_err();
    assert!(matches!(error, PackageError::TooLarge), "{error}");
    assert_eq!(fs::metadata(into.join("b")).unwrap().len(), 100_000, "what was there stays");
    // The lengths in its directory say that it is small.
    let length = 100_000_u32.to_le_bytes();
    for at in 0..package.len() - 4 {
        if package[at..at + 4] == length {
            package[at..at + 4].copy_from_slice(&1_u32.to_le_bytes());
        }
    }
    assert!(unpack_bounded(Cursor::new(&package), &into, 150_000).is_err());
    let many: Vec<_> = (0..=MAX_ENTRIES).map(|number| (number.to_string(), Vec::new())).collect();
    let many: Vec<_> = many.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    assert!(matches!(unpacked(&packed(&many), &into), Err(PackageError::TooLarge)));
}

#[test]
fn the_same_name_twice_is_refused() {
    let (_parent, into) = world();
    // The writer refuses to write such a one, so two names of one length are made equal.
    let mut package = packed(&[("same1", b"x"), ("same2", b"y")]);
    for at in 0..package.len() - 5 {
        if &package[at..at + 5] == b"same2" {
            package[at + 4] = b'1';
        }
    }
    assert!(matches!(unpacked(&package, &into), Err(PackageError::Twice)));
    assert!(!into.exists());
}

#[test]
fn what_is_much_more_than_the_package_is_long_is_given_up() {
    let (_parent, into) = world();
    let zeros = vec![0; 4 << 20];
    let package = packed(&[("zeros", &zeros)]);
    let length = u64::try_from(package.len()).unwrap();
    assert!(u64::try_from(zeros.len()).unwrap() > length * MAX_RATIO + IN_ANY_CASE, "{length}");
    assert!(matches!(unpacked(&package, &into), Err(PackageError::TooLarge)));
    // A little that compresses well isn't much.
    unpacked(&packed(&[("zeros", &zeros[..IN_ANY_CASE.try_into().unwrap()])]), &into).unwrap();
}
