//! Whether a text still parses.

use jsonc_parser::{CollectOptions, parse_to_ast};

use super::source::Source;
use super::template::{OPTIONS, unmarked};
use crate::scan::Kind;

/// Whether what comes out parses where what went in did. Of kinds without a reader here, the recognised construct is all
/// that is known.
pub(super) fn still_parses(source: &Source<'_>, after: &str) -> bool {
    let parses: fn(&str) -> bool = match source.kind {
        Kind::Json => |text| parse_to_ast(&unmarked(text), &CollectOptions::default(), &OPTIONS).is_ok(),
        Kind::Xml => |text| roxmltree::Document::parse(text).is_ok(),
        Kind::Yaml => |text| serde_saphyr::from_multiple::<serde_json::Value>(text).is_ok(),
        Kind::Bicep
        | Kind::Batch
        | Kind::CSharp
        | Kind::Config
        | Kind::Dockerfile
        | Kind::Go
        | Kind::Java
        | Kind::JavaScript
        | Kind::PowerShell
        | Kind::Prose
        | Kind::Python
        | Kind::Ruby
        | Kind::Shell
        | Kind::Terraform
        | Kind::Text => return true,
    };
    parses(after) || !parses(source.text)
}
