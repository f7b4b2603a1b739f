//! Findings in the Static Analysis Results Interchange Format 2.1.0 (OASIS), which code hosts show beside the code.

use serde_json::{Value, json};

use super::page;
use crate::finding::{Finding, Level};
use crate::rule::Rule;
use crate::scan::Report;

/// Where the format's schema is.
pub const SARIF_SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// Where this project's files can be read.
const PROJECT: &str = env!("CARGO_PKG_REPOSITORY");

/// The report as one log with one run.
#[must_use]
pub fn sarif(report: &Report) -> Value {
    let rules: Vec<_> = Rule::ALL.into_iter().map(descriptor).collect();
    let notifications: Vec<_> = report
        .problems
        .iter()
        .map(|problem| match &problem.path {
            Some(path) => json!({
                "level": "error",
                "message": {"text": problem.what},
                "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri(path)}}}],
            }),
            None => json!({"level": "error", "message": {"text": problem.what}}),
        })
        .collect();
    json!({
        "$schema": SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "symbolon",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": PROJECT,
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": report.problems.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "results": report.findings.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

fn descriptor(rule: Rule) -> Value {
    let info = rule.info();
    json!({
        "id": info.id,
        "name": info.name,
        "shortDescription": {"text": info.summary},
        "fullDescription": {"text": info.explanation},
        "help": {"text": info.fix},
        "helpUri": format!("{PROJECT}/blob/main/{}", page(rule)),
        "defaultConfiguration": {"level": level(info.level)},
    })
}

fn result(finding: &Finding) -> Value {
    let info = finding.rule.info();
    let index = Rule::ALL.into_iter().position(|rule| rule == finding.rule);
    let own = finding.text.get(finding.start..finding.end).unwrap_or_default();
    let words = match finding.detail.as_str() {
        "" => info.summary.to_owned(),
        detail => format!("{}: {detail}", info.summary),
    };
    json!({
        "ruleId": info.id,
        "ruleIndex": index,
        "level": level(finding.level),
        "message": {"text": format!("{words}. {}", info.fix)},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": uri(&finding.path)},
            "region": {
                "startLine": finding.line,
                "startColumn": finding.column,
                "endLine": finding.line + own.matches('\n').count() as u64,
                "snippet": {"text": finding.text},
            },
        }}],
    })
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    }
}

/// A path as a reference in a URI: the bytes that may not stand there are escaped.
fn uri(path: &std::path::Path) -> String {
    use std::fmt::Write;
    let path = path.strip_prefix("./").unwrap_or(path);
    let mut uri = String::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'\\' if cfg!(windows) => uri.push('/'),
            byte if byte.is_ascii_alphanumeric() || b"/-._~".contains(byte) => uri.push(char::from(*byte)),
            // Writing to a string doesn't fail.
            byte => drop(write!(uri, "%{byte:02X}")),
        }
    }
    uri
}
