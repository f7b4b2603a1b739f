//! `MSI_ENDPOINT` with the endpoint for a value: the setting goes, and the libraries ask the metadata service.

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
    // Whoever reads the setting in the same file would find none.
    let elsewhere = source.text.to_ascii_lowercase().matches("msi_endpoint").count() > named;
    match source.kind {
        _ if elsewhere => Err("the file names the setting in other places too".to_owned()),
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
