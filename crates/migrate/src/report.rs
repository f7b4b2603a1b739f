//! Writes findings: for people, as JSON, as SARIF.

mod human;
mod json;
mod sarif;

pub use human::human;
pub use json::json;
pub use sarif::{SARIF_SCHEMA, sarif};

use crate::rule::Rule;

/// Where a rule's page is, in this project's documents.
#[must_use]
pub fn page(rule: Rule) -> String {
    format!("docs/reference/migrate-rules.md#{}", rule.id().to_ascii_lowercase())
}
