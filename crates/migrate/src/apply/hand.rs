//! The edit to make by hand where a rewrite isn't safe.

use super::imds_url;
use super::source::Source;
use crate::finding::Finding;
use crate::rule::Rule;
use crate::scan::Kind;

/// What to do about a finding in a file that isn't touched at all.
pub(super) fn because(finding: &Finding, why: &str) -> String {
    format!("{}\n({why})", finding.rule.info().fix)
}

/// The exact edit, and why it isn't made here.
pub(super) fn edit(source: &Source<'_>, finding: &Finding, why: &str) -> String {
    let found = finding.text.get(finding.start..finding.end).unwrap_or_default();
    let line = finding.line;
    let what = match finding.rule {
        Rule::Endpoint => {
            let query = if found.ends_with("token") { "&resource=RESOURCE" } else { "" };
            format!(
                "line {line}: write {}{query} for {found}, send it with GET and the header `Metadata: true`, and put what a \
                 form holds into the query",
                imds_url()
            )
        }
        Rule::EndpointSetting => format!("line {line}: delete the setting: {found}"),
        Rule::Resource => match block(source, source.start(finding)) {
            Some((first, last)) => format!("delete lines {first} to {last}, and what depends on them"),
            None => format!("line {line}: delete the resource with {found}, and what depends on it"),
        },
        Rule::Client => format!("line {line}: require a later version than {found}; {}", finding.detail),
        Rule::PortOption => format!("line {line}: leave out {found} and the port behind it"),
        Rule::Call => format!("line {line}: use ManagedIdentityCredential of azure-identity for {found}"),
        Rule::Command => format!("line {line}: delete the command that installs {found}"),
        Rule::DiscoveryMount => format!("line {line}: delete the volume or mount of {found}"),
        Rule::Discovery => format!("line {line}: read no {found}; ask {}", imds_url()),
        Rule::EndpointRead | Rule::Port | Rule::Name => format!("line {line}: {}", finding.rule.info().fix),
    };
    if why.is_empty() { what } else { format!("{what}\n({why})") }
}

/// The lines of the block around a place in Bicep and Terraform: from its first line without an indent to the bracket that
/// closes it.
fn block(source: &Source<'_>, at: usize) -> Option<(usize, usize)> {
    if !matches!(source.kind, Kind::Bicep | Kind::Terraform) {
        return None;
    }
    let lines: Vec<_> = source.text.lines().collect();
    let own = source.before(at).matches('\n').count();
    let opens = |line: &&str| !line.starts_with([' ', '\t', '}', ')', '#', '/']) && line.trim_end().ends_with('{');
    let first = (0..=own).rev().find(|&number| lines.get(number).is_some_and(opens))?;
    let last = (own..lines.len()).find(|&number| lines.get(number).is_some_and(|line| line.starts_with('}')))?;
    Some((first + 1, last + 1))
}
