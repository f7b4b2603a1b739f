//! The corpus against the list that was made by hand beside it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use migrate::scan::{Options, Report, scan};
use migrate::{Finding, Level};

pub(crate) fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

pub(crate) fn scanned(path: &Path) -> Report {
    scan(&[path.to_owned()], &Options::default(), &|_| {}).unwrap()
}

/// `path:line RULE level`, as the list has it.
fn entry(finding: &Finding, root: &Path) -> String {
    let path = finding.path.strip_prefix(root).unwrap().display();
    let level = match finding.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    };
    format!("{path}:{} {} {level}", finding.line, finding.rule.id())
}

#[test]
fn the_corpus_has_what_the_list_says_and_nothing_else() {
    let root = testdata().join("corpus");
    let report = scanned(&root);
    assert_eq!(report.problems, []);
    let found: BTreeSet<String> = report.findings.iter().map(|finding| entry(finding, &root)).collect();
    let list = std::fs::read_to_string(testdata().join("expected.txt")).unwrap();
    let wanted: BTreeSet<String> =
        list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect();
    let missed: Vec<_> = wanted.difference(&found).collect();
    let too_many: Vec<_> = found.difference(&wanted).collect();
    assert!(missed.is_empty() && too_many.is_empty(), "missed: {missed:#?}\ntoo many: {too_many:#?}");
}

#[test]
fn what_uses_no_extension_counts_for_nothing() {
    let report = scanned(&testdata().join("corpus/clean"));
    assert!(report.clean(), "{:#?}", report.findings);
    assert_eq!(report.suppressed, 1);
}

#[test]
fn a_port_of_a_template_is_looked_for_in_the_other_files() {
    let report = scanned(&testdata().join("corpus"));
    assert!(report.ports.contains(&51_515));
    let places = report.findings.iter().filter(|finding| finding.path.ends_with("code/other_port.py"));
    assert_eq!(places.map(|finding| finding.line).collect::<Vec<_>>(), [1]);
    let alone = scanned(&testdata().join("corpus/code/other_port.py"));
    assert_eq!(alone.findings, []);
}

#[test]
fn a_port_of_something_else_near_the_extension_is_not_taken_for_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bicep");
    let text = "port: 8080\n\n\n\nresource m 'x' = {\n  type: 'ManagedIdentityExtensionForLinux'\n  port: 443\n  port: 50999\n}\n";
    std::fs::write(&path, text).unwrap();
    assert_eq!(scanned(&path).ports.into_iter().collect::<Vec<_>>(), [50_999]);
}
