//! `MSI_ENDPOINT` with the endpoint for a value: the setting goes, and the libraries ask the metadata service.

use std::ops::Range;

use super::patterns::Patterns;
use super::source::{Edit, Source};
use crate::finding::Finding;
use crate::scan::Kind;

pub(super) fn remove(source: &Source<'_>, finding: &Finding, patterns: &Patterns) -> Result<Vec<Edit>, String> {
    let start = source.start(finding);
    let line = source.line(start);
    let own = source.get(line.clone());
    let lower = own.to_ascii_lowercase();
    let named = lower.matches("msi_endpoint").count();
    if named == 0 {
        return Err("other tools read it too".to_owned());
    }
    // Whoever reads the setting in the same file would find none.
    let elsewhere = source.text.to_ascii_lowercase().matches("msi_endpoint").count() > named;
    match source.kind {
        _ if elsewhere => Err("the file names the setting in other places too".to_owned()),
        _ if continued(source, line.start) => Err("the line above it goes on in it".to_owned()),
        Kind::Config | Kind::Shell | Kind::Text | Kind::Yaml | Kind::Dockerfile if alone(source, line.clone()) => {
            Err("nothing would be left between what is around it".to_owned())
        }
        Kind::Config
        | Kind::Shell
        | Kind::Text
        | Kind::Yaml
        | Kind::Dockerfile
        | Kind::PowerShell
        | Kind::Xml
        | Kind::Terraform
        | Kind::Batch => {
            if patterns.setting.is_match(own) {
                return Ok(vec![Edit::remove(line.start..end(source, line.end))]);
            }
            let pair = patterns.pair.captures(source.from(line.start)).filter(|_| source.kind == Kind::Yaml);
            let pair = pair.ok_or("it isn't a line of its own")?;
            let part = |name: &str| pair.name(name).map_or("", |found| found.as_str());
            let removed = line.start..line.start + pair.get(0).map_or(0, |found| found.end());
            let below = part("below");
            // What is indented as its value is part of the same entry.
            let next = source.get(source.line(removed.end));
            if below.len() <= part("indent").len() || (next.starts_with(below) && !next.trim().is_empty()) {
                return Err("the entry has more than a name and a value".to_owned());
            }
            Ok(vec![Edit::remove(removed)])
        }
        Kind::Bicep
        | Kind::CSharp
        | Kind::Go
        | Kind::Java
        | Kind::JavaScript
        | Kind::Json
        | Kind::Prose
        | Kind::Python
        | Kind::Ruby => Err("what is around it isn't a plain setting".to_owned()),
    }
}

/// Behind the end of a line.
fn end(source: &Source<'_>, line: usize) -> usize {
    if source.from(line).starts_with('\n') { line + 1 } else { line }
}

/// Whether the line above goes on in this one, past the comments and blank lines that Dockerfiles and unit files allow
/// between the two.
fn continued(source: &Source<'_>, start: usize) -> bool {
    let above = above(source, start).trim_end();
    above.ends_with(['\\', '`', '^']) || above.ends_with("&&") || above.ends_with("||")
}

/// Whether a line is the only command of a shell's block, which may not be empty.
fn alone(source: &Source<'_>, line: Range<usize>) -> bool {
    let above = above(source, line.start);
    let above = above.split_once(" #").map_or(above, |(command, _)| command);
    let below = source.from(line.end).lines().find(|line| says(source, line)).unwrap_or_default();
    let last = above.split_whitespace().next_back().unwrap_or_default();
    let first = below.trim_start().split([' ', '\t', ';', '|', '&', '>', '<']).next().unwrap_or_default();
    let opens = matches!(last, "then" | "do" | "else" | "{") || last.ends_with('(');
    opens && (matches!(first, "fi" | "done" | "elif" | "else" | "}") || first.starts_with(')'))
}

/// The line above a place that says something; empty where there is none.
fn above<'a>(source: &Source<'a>, start: usize) -> &'a str {
    source.before(start).lines().rev().find(|line| says(source, line)).unwrap_or_default()
}

/// Whether a line is neither blank nor a comment.
fn says(source: &Source<'_>, line: &str) -> bool {
    !line.trim().is_empty() && !source.kind.is_comment(line)
}
