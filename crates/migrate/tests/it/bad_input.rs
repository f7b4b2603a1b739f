//! Files and trees that are made to trouble a scan.

use std::fs;
use std::io::Write;

use migrate::Rule;
use migrate::scan::{Options, ScanError, Walk, scan};

use crate::corpus::scanned;

#[test]
fn a_path_that_is_not_there_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let error = scan(&[folder.path().join("gone")], &Options::default(), &|_| {}).unwrap_err();
    assert!(matches!(error, ScanError::Path { .. }), "{error}");
    let walk = Walk { exclude: vec!["{".to_owned()], ..Walk::default() };
    let error = scan(&[folder.path().to_owned()], &Options { walk, ..Options::default() }, &|_| {}).unwrap_err();
    assert!(matches!(error, ScanError::Pattern(_)), "{error}");
}

#[test]
fn a_word_is_found_once_wherever_it_stands_in_a_large_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.log");
    let word = b" http://localhost:50342/oauth2/token ";
    // Beyond what is read whole; around every border between two windows, and at both ends.
    let size = (6 << 20) + (1 << 19);
    let mut places = vec![0, size - word.len()];
    for border in [4_usize << 20, (5 << 20) - (4 << 10), 5 << 20, (6 << 20) - (8 << 10)] {
        places.extend((0..40).map(|step| border - 4200 + step * 210));
    }
    places.sort_unstable();
    places.dedup();
    let mut bytes = vec![b'x'; size];
    // One line of 5 MiB, then many.
    bytes.iter_mut().skip(5 << 20).step_by(97).for_each(|byte| *byte = b'\n');
    for &place in &places {
        bytes[place..place + word.len()].copy_from_slice(word);
    }
    fs::write(&path, &bytes).unwrap();
    let report = scanned(&path);
    let found: Vec<_> = report.findings.iter().map(|finding| finding.offset as usize - 1).collect();
    assert_eq!(found, places);
    let (mut at, mut line, mut column) = (0, 1, 1);
    for finding in &report.findings {
        for &byte in &bytes[at..finding.offset as usize] {
            (line, column) = if byte == b'\n' { (line + 1, 1) } else { (line, column + 1) };
        }
        at = finding.offset as usize;
        assert_eq!((finding.line, finding.column), (line, column));
        assert!(finding.text.len() < 2_000);
    }
}

#[test]
fn bytes_that_are_no_text_are_left_alone_or_read_as_far_as_they_go() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("binary", b"\x7fELF\0 http://localhost:50342/oauth2/token");
    write("latin.sh", b"# caf\xe9\ncurl http://localhost:50342/oauth2/token?resource=x # \xff\n");
    let wide: Vec<u8> =
        "\u{feff}$u = 'http://localhost:50342/oauth2/token'".encode_utf16().flat_map(u16::to_le_bytes).collect();
    write("wide.ps1", &wide);
    write("empty", b"");
    let report = scanned(folder.path());
    assert_eq!((report.files, report.binary), (4, 1));
    let found: Vec<_> = report.findings.iter().map(|found| found.path.file_name().unwrap().to_owned()).collect();
    assert_eq!(found, ["latin.sh", "wide.ps1"]);
    let rewriter = migrate::apply::Rewriter::new(&[]).unwrap();
    for finding in &report.findings {
        let outcome = rewriter.file(&finding.path, std::slice::from_ref(finding)).unwrap();
        assert!(!outcome.changes() && outcome.by_hand[0].edit.contains("UTF-8"));
    }
}

#[test]
fn ignore_files_and_suppressions_are_honoured() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let text = "MSI_ENDPOINT=http://localhost:50342/oauth2/token\n";
    fs::create_dir(folder.path().join(".git")).unwrap();
    write(".git/config", text);
    write(".gitignore", "ignored.env\n");
    write(".symbolonignore", "meant.env\n");
    write("ignored.env", text);
    write("meant.env", text);
    write(".env", text);
    let names = |walk: Walk| {
        let report = scan(&[folder.path().to_owned()], &Options { walk, ..Options::default() }, &|_| {}).unwrap();
        let name = |path: &std::path::Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        report.findings.iter().map(|finding| name(&finding.path)).collect::<Vec<_>>()
    };
    assert_eq!(names(Walk::default()), [".env"]);
    assert_eq!(names(Walk { no_ignore: true, ..Walk::default() }), [".env", "ignored.env"]);
    assert_eq!(names(Walk { exclude: vec!["*.env".to_owned()], ..Walk::default() }), Vec::<String>::new());
}

#[cfg(unix)]
#[test]
fn links_in_a_loop_and_files_that_can_not_be_read_are_told() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    symlink(folder.path(), inner.join("up")).unwrap();
    symlink("nowhere", inner.join("broken")).unwrap();
    let secret = inner.join("secret.env");
    let mut file = fs::File::create(&secret).unwrap();
    file.write_all(b"MSI_ENDPOINT=http://localhost:50342/oauth2/token\n").unwrap();
    assert_eq!(scanned(folder.path()).findings.len(), 1);
    let walk = Walk { follow: true, ..Walk::default() };
    let options = Options { walk, ..Options::default() };
    let report = scan(&[folder.path().to_owned()], &options, &|_| {}).unwrap();
    assert_eq!(report.findings.len(), 1);
    assert!(report.problems.iter().any(|problem| problem.what.contains("leads back")), "{:?}", report.problems);
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
    // Root reads everything.
    if fs::File::open(&secret).is_err() {
        let report = scanned(folder.path());
        assert!(report.problems[0].what.contains("can't be read") && !report.clean());
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_is_reached_by_several_paths_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let (root, inner) = (folder.path().to_owned(), folder.path().join("inner"));
    fs::create_dir(&inner).unwrap();
    let file = inner.join("b.env");
    fs::write(&file, "A=1\nMSI_ENDPOINT=http://localhost:50342/oauth2/token\n").unwrap();
    let link = root.join("a.md");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let told = |paths: &[&std::path::Path]| {
        let paths: Vec<_> = paths.iter().map(|&path| path.to_owned()).collect();
        let report = scan(&paths, &Options::default(), &|_| {}).unwrap();
        report.findings.into_iter().map(|found| (found.path, found.line, found.rule)).collect::<Vec<_>>()
    };
    let alone = told(&[&root]);
    assert_eq!(alone, [(file.clone(), 2, Rule::EndpointSetting)]);
    for paths in [vec![&root, &root], vec![&root, &inner, &file], vec![&link, &root]] {
        let paths: Vec<_> = paths.into_iter().map(std::path::PathBuf::as_path).collect();
        assert_eq!(told(&paths), alone, "{paths:?}");
    }
    let dotted = root.join("inner/../inner");
    assert_eq!(told(&[&root, &dotted]).len(), 1);
    // Both uses of one line stay.
    fs::write(&file, "curl http://localhost:50342/oauth2/token -d a; curl http://localhost:50342/oauth2/token\n")
        .unwrap();
    assert_eq!(told(&[&root, &inner]).len(), 2);
    let report = scan(&[root, dotted], &Options::default(), &|_| {}).unwrap();
    let outcome = migrate::apply::Rewriter::new(&[]).unwrap().file(&report.findings[0].path, &report.findings).unwrap();
    assert!(outcome.by_hand.iter().all(|left| !left.edit.contains("another change is in its way")));
}

#[test]
fn a_template_that_does_not_parse_is_found_and_not_rewritten() {
    let path = crate::corpus::testdata().join("corpus/templates/broken.json");
    let report = scanned(&path);
    assert_eq!(report.findings.iter().map(|finding| finding.rule).collect::<Vec<_>>(), [Rule::Resource]);
    let outcome = migrate::apply::Rewriter::new(&[]).unwrap().file(&path, &report.findings).unwrap();
    assert!(!outcome.changes() && outcome.by_hand[0].edit.contains("doesn't parse"));
}

#[test]
fn what_nests_too_deep_and_what_is_too_large_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let deep = "[".repeat(1 << 20) + "\"ManagedIdentityExtensionForLinux\"";
    let url = "- http://localhost:50342/oauth2/token?resource=x\n";
    let nested = url.to_owned() + &"[".repeat(1 << 20);
    let large = url.to_owned() + &" ".repeat(5 << 20);
    for (name, text) in [("deep.json", &deep), ("nested.yml", &nested), ("large.yml", &large)] {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        let report = scanned(&path);
        assert_eq!(report.findings.len(), 1, "{name}");
        let outcome = migrate::apply::Rewriter::new(&[]).unwrap().file(&path, &report.findings).unwrap();
        assert!(outcome.by_hand.len() == 1 || outcome.changes(), "{name}");
        assert_eq!(outcome.changes(), name == "nested.yml", "{name}");
    }
}
