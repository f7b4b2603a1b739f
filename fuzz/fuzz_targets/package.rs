//! A handler's package as an agent gets it: the list of packages, the zip file and the manifest in it. Nothing is written but
//! below the folder that it is for.
#![no_main]

use std::fs;
use std::io::Cursor;

use contract::guest_agent::handler::HandlerManifest;
use contract::guest_agent::package_manifest::PackageManifest;
use guest::agent::package::unpack;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(manifest) = PackageManifest::parse(data) {
        // What was read is written and read again as the same.
        let again = PackageManifest::parse(manifest.xml().as_bytes());
        assert!(again.is_ok_and(|again| again == manifest), "{manifest:?}");
        symbolon_fuzz::accepted();
    }
    if HandlerManifest::parse(data).is_ok() {
        symbolon_fuzz::accepted();
    }
    let folder = tempfile::tempdir().expect("a folder");
    let into = folder.path().join("a/handler");
    fs::create_dir(folder.path().join("a")).expect("made");
    let unpacked = unpack(Cursor::new(data), &into).is_ok();
    let names = |path| fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    assert!(names(folder.path().to_owned()).eq(["a"]), "something was written beside it");
    assert!(names(folder.path().join("a")).eq(unpacked.then_some("handler")), "it is there when all of it is");
    if unpacked {
        symbolon_fuzz::accepted();
    }
});
