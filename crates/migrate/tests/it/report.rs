//! How findings are written.

use std::path::Path;

use migrate::report::{human, json, sarif};
use serde_json::Value;

use crate::corpus::{scanned, testdata};

#[test]
fn sarif_fits_its_published_schema() {
    let schema = std::fs::read_to_string(testdata().join("sarif-2.1.0.schema.json")).unwrap();
    // Its expressions for languages have a bracket that closes nothing, which JavaScript takes for itself and others refuse.
    let schema: Value = serde_json::from_str(&schema.replace("{2}]?$", r"{2}\\]?$")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut report = scanned(&testdata().join("corpus"));
    report.problems.push(migrate::Problem { path: Some("a b/\u{e9}".into()), what: "can't be read".to_owned() });
    report.problems.push(migrate::Problem { path: None, what: "something".to_owned() });
    let log = sarif(&report);
    let wrong: Vec<_> = validator.iter_errors(&log).map(|error| error.to_string()).collect();
    assert_eq!(wrong, Vec::<String>::new());
    let run = &log["runs"][0];
    assert_eq!(run["results"].as_array().unwrap().len(), report.findings.len());
    let notified = &run["invocations"][0]["toolExecutionNotifications"][0];
    assert_eq!(notified["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "a%20b/%C3%A9");
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
    }
    // The test itself tells a log that is none.
    let mut broken = log;
    broken["version"] = "2.0.0".into();
    assert!(!validator.is_valid(&broken));
}

#[test]
fn a_finding_is_shown_with_its_line_underlined() {
    let report = scanned(&testdata().join("corpus/settings/.env"));
    let mut finding = report.findings[0].clone();
    finding.path = Path::new(".env").to_owned();
    let shown = human(&finding, false);
    let lines: Vec<_> = shown.lines().map(str::trim_end).collect();
    assert_eq!(lines[0], "error[SYM003]: a setting leads clients to the extension");
    assert_eq!(lines[1], " --> .env:2:1");
    assert_eq!(lines[3], "2 | MSI_ENDPOINT=http://localhost:50342/oauth2/token");
    assert_eq!(lines[4], "  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^");
    assert!(shown.contains("docs/reference/migrate-rules.md#sym003"));
    assert!(human(&finding, true).contains('\u{1b}'));
}

#[test]
fn json_has_what_a_script_needs() {
    let report = scanned(&testdata().join("corpus/dependencies/go.mod"));
    let text = serde_json::to_value(json(&report)).unwrap();
    let found = &text["findings"][0];
    assert_eq!((&found["rule"], &found["level"], &found["line"]), (&"SYM010".into(), &"error".into(), &3.into()));
    assert!(found["detail"].as_str().unwrap().contains("10.6.0"), "{found}");
    assert_eq!(text["files"], 1);
}

#[test]
fn what_a_terminal_would_obey_is_shown_and_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let text = "echo '\u{1b}[2J' && curl http://localhost:50342/oauth2/token?resource=x # \u{9b}1m\n";
    std::fs::write(folder.path().join("a\u{1b}[2J\n.sh"), text).unwrap();
    let report = scanned(folder.path());
    let told = human(report.findings.first().unwrap(), false);
    assert!(told.contains("a\u{fffd}[2J\u{fffd}.sh:1:"), "{told}");
    assert!(!told.contains(|c: char| c.is_control() && c != '\n'), "{told:?}");
}
