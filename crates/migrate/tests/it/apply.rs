//! What is rewritten, and that nothing else is.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use migrate::apply::{Outcome, Rewriter, WriteError};
use migrate::{Finding, Rule};
use proptest::prelude::*;

use crate::corpus::{scanned, testdata};

/// What comes of each file below a path.
fn outcomes(path: &Path) -> Vec<Outcome> {
    let mut files: BTreeMap<PathBuf, Vec<Finding>> = BTreeMap::new();
    for finding in scanned(path).findings {
        files.entry(finding.path.clone()).or_default().push(finding);
    }
    let rewriter = Rewriter::new(&[]).unwrap();
    files.iter().map(|(path, findings)| rewriter.file(path, findings).unwrap()).collect()
}

/// A file of its own with a text, and what comes of it.
fn one(name: &str, text: &str) -> (tempfile::TempDir, PathBuf, Option<Outcome>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    let outcome = outcomes(&path).pop();
    (folder, path, outcome)
}

fn after(name: &str, text: &str) -> String {
    let (_folder, _, outcome) = one(name, text);
    outcome.map_or(text.to_owned(), |outcome| String::from_utf8(outcome.after().to_vec()).unwrap())
}

/// A form has `&` in it, which ends no command there.
#[test]
fn a_form_in_front_of_its_url_is_no_other_command() {
    let form = "--data 'authority=https://login.microsoftonline.com/t&resource=r' -X POST";
    let text = format!("curl -s -H Metadata:true {form} http://localhost:50342/oauth2/token\n");
    let imds = format!("http://{}{}?api-version=2018-02-01", contract::imds::ADDRESS, contract::imds::TOKEN_PATH);
    let form = form.trim_end_matches(" -X POST");
    assert_eq!(after("a.sh", &text), format!("curl --get -s -H Metadata:true {form} '{imds}'\n"));
    let other = "curl -s http://x & a --data 'resource=r' http://localhost:50342/oauth2/token -H Metadata:true\n";
    assert_eq!(after("a.sh", other), other);
}

/// Every change of the corpus and everything left to a person, as the golden file beside it has it. Written anew with
/// `UPDATE_GOLDEN=1`; a person then reads the difference.
#[test]
fn the_corpus_becomes_what_the_golden_file_says() {
    let root = testdata().join("corpus");
    let mut told = String::new();
    for outcome in outcomes(&root) {
        let name = outcome.path.strip_prefix(&root).unwrap().display().to_string();
        told.push_str(&outcome.diff().replace(root.display().to_string().trim_start_matches('/'), "corpus"));
        for note in &outcome.notes {
            told.push_str(&format!("{name}: note: {note}\n"));
        }
        for left in &outcome.by_hand {
            let edit = left.edit.replace('\n', "\n    ");
            told.push_str(&format!("{name}:{} {}\n    {edit}\n", left.finding.line, left.finding.rule.id()));
        }
    }
    let golden = testdata().join("applied.txt");
    #[expect(clippy::disallowed_methods, reason = "a switch of the test's own")]
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&golden, &told).unwrap();
    }
    let wanted = fs::read_to_string(&golden).unwrap();
    assert_eq!(told, wanted);
}

#[test]
fn applying_twice_changes_nothing_and_no_other_file() {
    let folder = tempfile::tempdir().unwrap();
    copy(&testdata().join("corpus"), folder.path());
    let before = contents(folder.path());
    let first = outcomes(folder.path());
    for outcome in first.iter().filter(|outcome| outcome.changes()) {
        outcome.write().unwrap();
    }
    let once = contents(folder.path());
    let named: Vec<_> = first.iter().filter(|outcome| outcome.changes()).map(|outcome| outcome.path.clone()).collect();
    for (path, bytes) in &before {
        assert_eq!(once.get(path) != Some(bytes), named.contains(path), "{}", path.display());
    }
    assert_eq!(before.len(), once.len(), "no file is left beside them");
    for outcome in outcomes(folder.path()) {
        assert!(!outcome.changes(), "{}", outcome.diff());
    }
}

#[test]
fn each_construct_becomes_a_request_of_the_metadata_service() {
    let imds = format!("http://{}{}", contract::imds::ADDRESS, contract::imds::TOKEN_PATH);
    let table = [
        (
            "a.sh",
            "curl http://localhost:50342/oauth2/token?resource=x -H Metadata:true",
            "curl 'IMDS?api-version=2018-02-01&resource=x' -H Metadata:true",
        ),
        (
            "a.sh",
            "T=$(curl -s -XPOST http://localhost:50342/oauth2/token -d resource=x -H Metadata:true)",
            "T=$(curl -s -XPOST http://localhost:50342/oauth2/token -d resource=x -H Metadata:true)",
        ),
        (
            "a.sh",
            "T=$(curl -s -X POST http://localhost:50342/oauth2/token -d resource=$R -H 'metadata: True' | jq .)",
            "T=$(curl --get -s 'IMDS?api-version=2018-02-01' -d resource=$R -H 'metadata: True' | jq .)",
        ),
        (
            "a.sh",
            "curl \"http://localhost:50342/oauth2/token?resource=$R\"",
            "curl -H Metadata:true \"IMDS?api-version=2018-02-01&resource=$R\"",
        ),
        (
            "a.py",
            "r = requests.post('http://localhost:50342/oauth2/token', payload, headers=h)\nh = {'Metadata': 'true'}\n",
            "r = requests.get('IMDS?api-version=2018-02-01', payload, headers=h)\nh = {'Metadata': 'true'}\n",
        ),
        (
            "a.py",
            "url = 'http://localhost:50342/oauth2/token'\nr = requests.post(url, data=d, headers={'Metadata': 'true'})\n",
            "url = 'IMDS?api-version=2018-02-01'\nr = requests.get(url, params=d, headers={'Metadata': 'true'})\n",
        ),
        (
            "a.js",
            "axios.post('http://localhost:50342/oauth2/token', 'resource=' + r, { headers: { Metadata: 'true' } });",
            "axios.get('IMDS?api-version=2018-02-01&' + 'resource=' + r, { headers: { Metadata: 'true' } });",
        ),
        (
            "a.ps1",
            "irm http://localhost:50342/oauth2/token?resource=x -Headers @{Metadata='true'}",
            "irm 'IMDS?api-version=2018-02-01&resource=x' -Headers @{Metadata='true'}",
        ),
        ("a.env", "A=1\nMSI_ENDPOINT=http://localhost:50342/oauth2/token\nB=2\n", "A=1\nB=2\n"),
        (
            "a.sh",
            "export MSI_ENDPOINT=http://localhost:50342/oauth2/token\ncurl $MSI_ENDPOINT\n",
            "export MSI_ENDPOINT=http://localhost:50342/oauth2/token\ncurl $MSI_ENDPOINT\n",
        ),
    ];
    for (name, before, wanted) in table {
        assert_eq!(after(name, before), wanted.replace("IMDS", &imds), "{before}");
    }
}

#[test]
fn what_is_not_recognised_is_left_with_the_edit_to_make() {
    for (name, text) in [
        ("a.sh", "wget --post-data resource=x http://localhost:50342/oauth2/token\n"),
        ("a.sh", "curl -d resource=x -H \"$HEADER\" http://localhost:50342/oauth2/token\n"),
        ("a.sh", "curl -s http://localhost:50342/oauth2/token\n"),
        ("a.yml", "run: \"curl http://localhost:50342/oauth2/token -d resource=x -H Metadata:true\"\n"),
        ("a.py", "r = session.post('http://localhost:50342/oauth2/token', json=d, headers={'Metadata': 'true'})\n"),
        ("a.py", "U = 'http://localhost:50342/oauth2/token'\nopen(U)  # msi\n"),
        ("a.js", "fetch('http://localhost:50342/oauth2/token', options)\n"),
        ("a.go", "http.PostForm(\"http://localhost:50342/oauth2/token\", form)\n"),
        ("a.json", "{\"url\": \"http://localhost:50342/oauth2/token\"}\n"),
    ] {
        let (_folder, _, outcome) = one(name, text);
        let outcome = outcome.unwrap();
        assert!(!outcome.changes(), "{}", outcome.diff());
        let [left] = &outcome.by_hand[..] else { panic!("{text}") };
        assert!(left.finding.rule == Rule::Endpoint && left.edit.contains("api-version"), "{}", left.edit);
    }
}

#[test]
fn a_setting_without_which_the_lines_around_it_break_is_left_to_a_person() {
    const SETTING: &str = "MSI_ENDPOINT=http://localhost:50342/oauth2/token";
    for (name, text) in [
        ("Dockerfile", "ENV A=1 \\\n    SETTING\nRUN make\n"),
        ("Dockerfile", "ENV A=1 \\\r\n\r\n  # a\r\n  SETTING\r\nRUN make\r\n"),
        ("Dockerfile", "# escape=`\nENV A=1 `\n    SETTING\nRUN make\n"),
        ("a.service", "[Service]\nEnvironment=A=1 \\\nSETTING\n"),
        ("a.cmd", "if defined A ^\nset SETTING\n"),
        ("a.sh", "test -e a &&\n  export SETTING\nmake\n"),
        ("a.sh", "if a; then # b\n  export SETTING\nelse\n  b\nfi\n"),
        ("a.sh", "if a; then\n  b\nelse\n\n  export SETTING\nfi\n"),
        ("a.sh", "f() {\n  export SETTING\n  # b\n} >&2\n"),
        ("a.yml", "- run: |\n    for a in b; do\n      export SETTING\n    done; c\n"),
        (".profile", "(\n  SETTING\n)\n"),
    ] {
        let (_folder, _, outcome) = one(name, &text.replace("SETTING", SETTING));
        let outcome = outcome.unwrap();
        assert!(!outcome.changes(), "{}", outcome.diff());
        let [left] = &outcome.by_hand[..] else { panic!("{text}") };
        assert_eq!(left.finding.rule, Rule::EndpointSetting, "{text}");
    }
    for (name, text, wanted) in [
        ("a.sh", "if a; then\n  SETTING\n  b\nfi\n", "if a; then\n  b\nfi\n"),
        ("a.sh", "f() {\n  a\n  SETTING\n}\n", "f() {\n  a\n}\n"),
        ("Dockerfile", "RUN a \\\n  b\nENV SETTING\nRUN c\n", "RUN a \\\n  b\nRUN c\n"),
    ] {
        assert_eq!(after(name, &text.replace("SETTING", SETTING)), wanted);
    }
}

#[test]
fn a_file_that_changed_is_not_written() {
    let (_folder, path, outcome) = one("a.env", "MSI_ENDPOINT=http://localhost:50342/oauth2/token\n");
    fs::write(&path, "MSI_ENDPOINT=http://localhost:50342/oauth2/token\nNEW=1\n").unwrap();
    let error = outcome.unwrap().write().unwrap_err();
    assert!(matches!(error, WriteError::Changed), "{error}");
    assert!(fs::read_to_string(&path).unwrap().contains("NEW=1"));
}

#[test]
fn a_file_that_is_shorter_than_its_findings_is_left_alone() {
    let (_folder, path, _) = one("a.env", "MSI_ENDPOINT=http://localhost:50342/oauth2/token\n");
    let findings = scanned(&path).findings;
    fs::write(&path, "é").unwrap();
    let outcome = Rewriter::new(&[]).unwrap().file(&path, &findings).unwrap();
    assert!(!outcome.changes() && outcome.by_hand.len() == 1);
}

#[cfg(unix)]
#[test]
fn a_read_only_file_is_said_to_be_one_and_a_mode_is_kept() {
    use std::os::unix::fs::PermissionsExt;
    let text = "MSI_ENDPOINT=http://localhost:50342/oauth2/token\nA=1\n";
    let (_folder, path, outcome) = one("a.env", text);
    let outcome = outcome.unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    assert!(matches!(outcome.write().unwrap_err(), WriteError::Io(_)));
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    outcome.write().unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(fs::read_to_string(&path).unwrap(), "A=1\n");
}

#[cfg(unix)]
#[test]
fn a_file_with_another_name_is_not_written() {
    let text = "MSI_ENDPOINT=http://localhost:50342/oauth2/token\nA=1\n";
    let (folder, path, outcome) = one("a.env", text);
    let other = folder.path().join("other");
    fs::hard_link(&path, &other).unwrap();
    let error = outcome.as_ref().unwrap().write().unwrap_err();
    assert!(matches!(error, WriteError::Linked), "{error}");
    assert_eq!((fs::read_to_string(&path).unwrap(), fs::read_dir(folder.path()).unwrap().count()), (text.into(), 2));
    fs::remove_file(other).unwrap();
    outcome.unwrap().write().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "A=1\n");
}

#[cfg(unix)]
#[test]
fn an_owner_is_kept() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    let (_folder, path, outcome) = one("a.env", "MSI_ENDPOINT=http://localhost:50342/oauth2/token\nA=1\n");
    // Only root may give a file away; anybody else's stays their own.
    let (user, group) = match chown(&path, Some(4242), Some(4343)) {
        Ok(()) => (4242, 4343),
        Err(_) => fs::metadata(&path).map(|own| (own.uid(), own.gid())).unwrap(),
    };
    fs::set_permissions(&path, fs::Permissions::from_mode(0o4750)).unwrap();
    outcome.unwrap().write().unwrap();
    let after = fs::metadata(&path).unwrap();
    assert_eq!((after.uid(), after.gid(), after.mode() & 0o7777), (user, group, 0o4750));
    assert_eq!(fs::read_to_string(&path).unwrap(), "A=1\n");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever surrounds the constructs, applying twice is applying once.
    #[test]
    fn applying_is_idempotent(lines in prop::collection::vec(line(), 1..6), name in name()) {
        let before = lines.join("\n");
        let once = after(name, &before);
        prop_assert_eq!(after(name, &once), once.clone());
    }
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "a.sh",
        "a.yml",
        "a.py",
        "a.js",
        "a.go",
        "a.ps1",
        "a.json",
        "a.env",
        "Dockerfile",
        "a.xml",
        "a.tf",
    ])
}

fn line() -> impl Strategy<Value = String> {
    let url = prop::sample::select(vec![
        "http://localhost:50342/oauth2/token",
        "http://127.0.0.1:50342/oauth2/token/?resource=x",
        "'http://localhost:50342/oauth2/token?resource=x'",
        "\"http://localhost:50343/oauth2/token\"",
    ]);
    let around = prop::sample::select(vec![
        ("curl ", " -d resource=x -H Metadata:true"),
        ("- run: curl ", " -H \"Metadata: true\" \\"),
        ("requests.post(", ", data={'resource': 'x'}, headers={'Metadata': 'true'})"),
        ("fetch(", ", {method: 'POST', body: 'resource=x', headers: {Metadata: 'true'}})"),
        ("http.NewRequest(\"POST\", ", ", strings.NewReader(form))"),
        ("irm ", " -Method Post -Body @{a='b'} `"),
        ("MSI_ENDPOINT=", ""),
        ("  - name: MSI_ENDPOINT\n    value: ", ""),
        ("{\"resources\": [{\"properties\": {\"publisher\": \"Microsoft.ManagedIdentity\"}}], \"a\": ", "}"),
        ("<add key=\"MSI_ENDPOINT\" value=", "/>"),
    ]);
    prop_oneof![
        4 => (around, url).prop_map(|((before, after), url)| format!("{before}{url}{after}")),
        1 => "[ -~]{0,20}",
        1 => Just("# 'é {".to_owned()),
    ]
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if path.is_dir() {
            fs::create_dir_all(to.join(&name)).unwrap();
            copy(&path, &to.join(name));
        } else {
            fs::write(to.join(name), fs::read(&path).unwrap()).unwrap();
        }
    }
}

fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}
