//! What a person has to know: the edit to make by hand where a rewrite isn't safe, and what a rewrite does elsewhere.

use std::ops::Range;

use super::block::{self, Block};
use super::imds_url;
use super::source::{Source, uses};
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
        Rule::Resource => match block::of(source, source.start(finding)) {
            Some(block) => removal(source, &block),
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

/// What taking the extension out of a scale set's model does.
pub(super) fn of_scale_set(source: &Source<'_>, range: &Range<usize>) -> String {
    let line = |at| source.before(at).matches('\n').count() + 1;
    format!(
        "lines {} to {}: the next deployment of this template takes the extension from every machine of the scale set, with no \
         forwarding, no quiet time and no way back; deploy it after the cutover",
        line(range.start),
        line(range.end)
    )
}

/// What to do to be rid of a block.
fn removal(source: &Source<'_>, block: &Block) -> String {
    let (first, last) = block.lines;
    let mut told = format!("delete lines {first} to {last}, and what depends on them");
    if let Some(name) = &block.name {
        let line = |at| source.before(at).matches('\n').count() + 1;
        let mut others: Vec<_> = uses(source.text, name).map(line).filter(|at| !(first..=last).contains(at)).collect();
        others.dedup();
        if !others.is_empty() {
            let others: Vec<_> = others.iter().map(usize::to_string).collect();
            told.push_str(&format!(" (line {} names {name})", others.join(", ")));
        }
    }
    if source.kind == Kind::Terraform {
        told.push_str("; the next apply of Terraform removes the extension then, so cut the machines over before");
    }
    told
}
