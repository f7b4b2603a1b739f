//! Findings as JSON: what a script reads.

use serde::Serialize;

use super::page;
use crate::finding::{Finding, Level, Problem};
use crate::scan::Report;

/// The report as one document. Its members stay; new ones may come.
#[must_use]
pub fn json(report: &Report) -> impl Serialize {
    Document {
        findings: report.findings.iter().map(Entry::of).collect(),
        problems: report.problems.clone(),
        ports: report.ports.iter().copied().collect(),
        files: report.files,
        binary: report.binary,
        bytes: report.bytes,
        suppressed: report.suppressed,
    }
}

#[derive(Serialize)]
struct Document<'a> {
    findings: Vec<Entry<'a>>,
    problems: Vec<Problem>,
    ports: Vec<u16>,
    files: u64,
    binary: u64,
    bytes: u64,
    suppressed: u64,
}

#[derive(Serialize)]
struct Entry<'a> {
    rule: &'static str,
    name: &'static str,
    level: Level,
    path: String,
    line: u64,
    column: u64,
    offset: u64,
    length: usize,
    text: &'a str,
    message: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    detail: &'a str,
    fix: &'static str,
    page: String,
}

impl<'a> Entry<'a> {
    fn of(finding: &'a Finding) -> Self {
        let info = finding.rule.info();
        Self {
            rule: info.id,
            name: info.name,
            level: finding.level,
            path: finding.path.display().to_string(),
            line: finding.line,
            column: finding.column,
            offset: finding.offset,
            length: finding.length,
            text: &finding.text,
            message: info.summary,
            detail: &finding.detail,
            fix: info.fix,
            page: page(finding.rule),
        }
    }
}
