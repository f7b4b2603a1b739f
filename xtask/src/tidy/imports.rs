//! Who may import whom. Adding a line here is the most reviewed kind of change.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Findings;
use crate::process::output;

/// A crate of ours.
struct Rule {
    name: &'static str,
    /// Our crates that it may import.
    may: &'static [&'static str],
    /// Other people's crates that it must not know.
    must_not: &'static [&'static str],
}

const SERVERS: &[&str] = &["axum", "hyper", "tokio-rustls"];

/// `contract` and `domain` stand on nothing; everything else stands on them.
const RULES: &[Rule] = &[
    Rule { name: "contract", may: &[], must_not: &["tokio", "axum", "hyper", "rusqlite", "rustls"] },
    Rule { name: "domain", may: &[], must_not: &["tokio", "axum", "hyper", "rusqlite", "serde", "serde_json"] },
    Rule { name: "listen", may: &["contract"], must_not: &["axum", "rusqlite", "rustls"] },
    Rule { name: "authority", may: &["contract", "domain"], must_not: &["axum", "hyper", "rusqlite", "rsa"] },
    Rule { name: "store", may: &["domain"], must_not: &["axum", "hyper", "http", "aws-lc-rs"] },
    Rule { name: "broker", may: &["authority", "domain"], must_not: &["axum", "rusqlite"] },
    Rule {
        name: "imds",
        may: &["broker", "contract", "domain", "listen"],
        must_not: &["axum", "rusqlite", "aws-lc-rs"],
    },
    Rule { name: "control", may: &["authority", "broker", "contract", "domain", "store"], must_not: &["rusqlite"] },
    Rule { name: "guest", may: &["broker", "contract", "domain", "listen"], must_not: &["axum", "rusqlite"] },
    Rule {
        name: "cli",
        may: &["authority", "broker", "contract", "control", "domain", "guest", "imds", "listen", "store"],
        must_not: &["axum", "rusqlite"],
    },
    Rule { name: "testkit", may: &["broker", "domain"], must_not: SERVERS },
];

/// Names of packages that aren't the name of their crate.
fn crate_name(package: &str) -> &str {
    match package {
        "symbolon" => "cli",
        other => other.strip_prefix("symbolon-").unwrap_or(other),
    }
}

pub(super) fn check(findings: &mut Findings) -> Result<()> {
    let metadata: Value = serde_json::from_str(&output("cargo", &["metadata", "--format-version=1", "--no-deps"])?)?;
    let packages = metadata.get("packages").and_then(Value::as_array).context("cargo metadata has no packages")?;
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut seen = BTreeMap::new();
    for package in packages {
        let package_name = text(package, "name");
        let name = crate_name(&package_name).to_owned();
        if matches!(name.as_str(), "xtask" | "bench") {
            continue;
        }
        let Some(rule) = RULES.iter().find(|rule| rule.name == name) else {
            findings.add(format!("crate {name} has no line in xtask/src/tidy/imports.rs"));
            continue;
        };
        seen.insert(rule.name, ());
        for dependency in package.get("dependencies").and_then(Value::as_array).into_iter().flatten() {
            let imported = text(dependency, "name");
            let for_tests = text(dependency, "kind") == "dev";
            let ours = imported.starts_with("symbolon-");
            let imported = crate_name(&imported);
            if for_tests {
                continue;
            }
            if ours && !rule.may.contains(&imported) {
                findings.add(format!("crate {name} imports {imported}, which its line in the table doesn't allow"));
            }
            if rule.must_not.contains(&imported) {
                findings.add(format!("crate {name} must not know {imported}"));
            }
        }
    }
    for rule in RULES {
        if !seen.contains_key(rule.name) {
            findings.add(format!("the table of imports has a line for {}, which isn't a crate", rule.name));
        }
    }
    Ok(())
}
