use super::*;

/// A folder with a script, a setting and a declaration that use the extension.
fn app() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join("app")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(home.path().join("app").join(name), text).unwrap();
    write(".env", "LOG=info\nMSI_ENDPOINT=http://localhost:50342/oauth2/token\n");
    write("requirements.txt", "msrestazure==0.4.14\n");
    home
}

#[test]
fn scan_ends_with_what_it_found() {
    let home = app();
    let scan = |args: &[&str]| {
        let mut all = vec!["migrate", "scan"];
        all.extend(args);
        told(&run(home.path(), &all), &[])
    };
    insta::assert_snapshot!(scan(&["app/.env"]), @r"
    exit 1
    --- stdout
    error[SYM003]: a setting leads clients to the extension
     --> app/.env:2:1
      |
    2 | MSI_ENDPOINT=http://localhost:50342/oauth2/token
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: Take the setting away: without it the libraries ask the metadata service.
      = note: docs/reference/migrate-rules.md#sym003

    --- stderr
    1 error, 0 warnings, 0 notes in 1 file
    ");
    insta::assert_snapshot!(scan(&["app", "--exclude=.env", "--exclude=*.txt"]), @r"
    exit 0
    --- stdout
    --- stderr
    0 errors, 0 warnings, 0 notes in 0 files
    ");
    insta::assert_snapshot!(scan(&["gone"]), @r"
    exit 2
    --- stdout
    --- stderr
    error: gone can't be scanned: No such file or directory (os error 2)
    ");
    assert!(scan(&["app", "--port=0"]).starts_with("exit 2"));
    for format in ["json", "sarif"] {
        let output = run(home.path(), &["migrate", "scan", "app", "--format", format]);
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(document.to_string().contains("SYM010"), "{format}");
    }
}

#[test]
fn apply_writes_only_when_told_and_ends_with_what_is_left() {
    let home = app();
    let apply = |args: &[&str]| {
        let mut all = vec!["migrate", "apply"];
        all.extend(args);
        told(&run(home.path(), &all), &[])
    };
    let setting = home.path().join("app/.env");
    let before = std::fs::read_to_string(&setting).unwrap();
    insta::assert_snapshot!(apply(&["app"]), @r"
    exit 1
    --- stdout
    --- a/app/.env
    +++ b/app/.env
    @@ -1,2 +1 @@
     LOG=info
    -MSI_ENDPOINT=http://localhost:50342/oauth2/token
    --- stderr
    by hand: app/requirements.txt:1:12: SYM010: a client library that asks the extension
        line 1: require a later version than ==0.4.14; msrestazure asks the metadata service from 0.4.25 on
    1 place in 1 file to change; --write changes it; 1 by hand
    ");
    assert_eq!(std::fs::read_to_string(&setting).unwrap(), before);
    insta::assert_snapshot!(apply(&["app/.env", "--write"]), @r"
    exit 0
    --- stdout
    changed app/.env
    --- stderr
    1 place in 1 file changed; 0 by hand
    ");
    assert_eq!(std::fs::read_to_string(&setting).unwrap(), "LOG=info\n");
    assert!(apply(&["app/.env"]).starts_with("exit 0"));
}

#[test]
fn a_change_that_reaches_machines_is_told_with_a_note() {
    let home = tempfile::tempdir().unwrap();
    let extension = r#"{"publisher": "Microsoft.ManagedIdentity", "type": "ManagedIdentityExtensionForLinux"}"#;
    let profile = format!(
        "{{\"extensionProfile\": {{\"extensions\": [\n  {{\"name\": \"msi\", \"properties\": {extension}}}\n]}}}}\n"
    );
    std::fs::write(home.path().join("a\u{1b}[2J.json"), &profile).unwrap();
    let told = told(&run(home.path(), &["migrate", "apply", ".", "--write"]), &[]);
    assert!(
        told.contains("\nnote: ./a\u{fffd}[2J.json: lines 2 to 2: the next deployment of this template takes"),
        "{told}"
    );
    assert!(!told.contains('\u{1b}'), "{told}");
    assert!(told.contains("changed ./a\u{fffd}[2J.json\n"), "{told}");
}
