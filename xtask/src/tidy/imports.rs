//! Who may import whom. Adding a line here is the most reviewed kind of change.

use anyhow::{Context, Result};
use serde_json::Value;

use super::Findings;
use crate::process::output;

/// A crate of ours.
struct Rule {
    name: &'static str,
    /// Our crates that it may import.
    may: &'static [&'static str],
    /// Other people's crates that it must not import.
    must_not: &'static [&'static str],
    /// Packages that must not be in it at all, not even through others.
    never_links: &'static [&'static str],
}

const PURE: &[&str] = &["axum", "hyper", "rusqlite", "rustls", "tokio"];

/// `contract`, `domain` and `template` stand on nothing; everything else stands on them.
const RULES: &[Rule] = &[
    Rule { name: "contract", may: &[], must_not: &["tokio", "axum", "hyper", "rusqlite", "rustls"], never_links: PURE },
    Rule {
        name: "domain",
        may: &[],
        must_not: &["tokio", "axum", "hyper", "rusqlite", "serde", "serde_json"],
        never_links: PURE,
    },
    Rule { name: "template", may: &[], must_not: &["tokio", "axum", "hyper", "rusqlite", "rustls"], never_links: PURE },
    Rule {
        name: "envelope",
        may: &[],
        must_not: &["tokio", "axum", "hyper", "rusqlite", "rustls"],
        never_links: &["axum", "hyper", "openssl", "ring", "rsa", "rusqlite", "rustls", "tokio"],
    },
    Rule {
        name: "listen",
        may: &["contract"],
        must_not: &["axum", "rusqlite", "rustls"],
        never_links: &["axum", "rusqlite", "rustls", "symbolon-domain"],
    },
    Rule {
        name: "authority",
        may: &["contract", "domain"],
        must_not: &["axum", "hyper", "rusqlite", "rsa"],
        never_links: &["axum", "hyper", "rusqlite"],
    },
    Rule {
        name: "store",
        may: &["domain"],
        must_not: &["axum", "hyper", "http", "aws-lc-rs"],
        never_links: &["axum", "hyper", "symbolon-contract"],
    },
    Rule { name: "broker", may: &["authority", "domain"], must_not: &["axum", "rusqlite"], never_links: &["rusqlite"] },
    Rule {
        name: "imds",
        may: &["broker", "contract", "domain", "listen", "playbook"],
        must_not: &["axum", "rusqlite", "aws-lc-rs"],
        never_links: &["axum", "rusqlite", "symbolon-authority", "symbolon-store"],
    },
    Rule {
        name: "playbook",
        may: &["contract", "domain", "listen"],
        must_not: &["axum", "rusqlite", "rustls"],
        never_links: &["axum", "rusqlite", "rustls", "symbolon-authority", "symbolon-store"],
    },
    Rule {
        name: "control",
        may: &["authority", "broker", "contract", "domain", "envelope", "listen", "playbook", "store", "template"],
        must_not: &["rusqlite"],
        never_links: &["symbolon-guest", "symbolon-imds"],
    },
    Rule {
        name: "guest",
        may: &["broker", "contract", "domain", "envelope", "listen"],
        must_not: &["axum", "rusqlite"],
        never_links: &["axum", "rusqlite", "symbolon-authority", "symbolon-control", "symbolon-store"],
    },
    Rule {
        name: "wireserver",
        may: &["contract", "listen"],
        must_not: &["axum", "rusqlite", "rustls"],
        never_links: &["axum", "rusqlite", "rustls", "symbolon-authority", "symbolon-domain", "symbolon-store"],
    },
    Rule {
        name: "migrate",
        may: &["contract", "domain"],
        must_not: &["axum", "hyper", "rusqlite", "rustls", "tokio"],
        never_links: PURE,
    },
    Rule {
        name: "cli",
        may: &[
            "authority",
            "broker",
            "contract",
            "control",
            "domain",
            "guest",
            "imds",
            "listen",
            "migrate",
            "playbook",
            "store",
            "wireserver",
        ],
        must_not: &["axum", "rusqlite"],
        never_links: &["symbolon-testkit", "openssl", "ring", "rsa"],
    },
    // Its weak modes stand in front of a service of a data plane.
    Rule {
        name: "testkit",
        may: &["broker", "contract", "domain", "listen"],
        must_not: &["axum", "tokio-rustls"],
        never_links: &[],
    },
];

/// What is no part of the program, and may import what it likes.
const TOOLS: [&str; 2] = ["bench", "xtask"];

pub(super) fn check(findings: &mut Findings) -> Result<()> {
    let metadata = output("cargo", &["metadata", "--format-version=1", "--no-deps", "--locked"])?;
    let packages = packages(&metadata)?;
    for package in packages.iter().filter(|package| !TOOLS.contains(&crate_name(&package.name))) {
        let name = crate_name(&package.name);
        let Some(rule) = RULES.iter().find(|rule| rule.name == name) else {
            findings.add(format!("crate {name} has no line in xtask/src/tidy/imports.rs"));
            continue;
        };
        direct(rule, &package.imports, findings);
        let args = ["tree", "--package", &package.name, "--edges=normal", "--prefix=none", "--format={p}", "--locked"];
        linked(rule, &output("cargo", &args)?, findings);
    }
    for rule in RULES {
        if !packages.iter().any(|package| crate_name(&package.name) == rule.name) {
            findings.add(format!("the table of imports has a line for {}, which isn't a crate", rule.name));
        }
    }
    Ok(())
}

/// What a crate imports itself.
fn direct(rule: &Rule, imports: &[String], findings: &mut Findings) {
    for package in imports {
        let (name, imported) = (rule.name, crate_name(package));
        if is_ours(package) && !rule.may.contains(&imported) {
            findings.add(format!("crate {name} imports {imported}, which its line in the table doesn't allow"));
        }
        if rule.must_not.contains(&imported) {
            findings.add(format!("crate {name} must not know {imported}"));
        }
    }
}

/// What comes with a crate through others: `tree` has a package in each line.
fn linked(rule: &Rule, tree: &str, findings: &mut Findings) {
    for package in rule.never_links {
        if tree.lines().any(|line| line.split(' ').next() == Some(package)) {
            let (name, through) = (rule.name, "cargo tree --edges normal --invert");
            findings.add(format!("crate {name} links {package}; see: {through} {package}"));
        }
    }
}

/// A package of the workspace, with what it imports outside of its tests.
struct Package {
    name: String,
    imports: Vec<String>,
}

fn packages(metadata: &str) -> Result<Vec<Package>> {
    let metadata: Value = serde_json::from_str(metadata)?;
    let packages = metadata.get("packages").and_then(Value::as_array).context("cargo metadata has no packages")?;
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let read = |package: &Value| {
        let dependencies = package.get("dependencies").and_then(Value::as_array).into_iter().flatten();
        let imports = dependencies.filter(|dependency| text(dependency, "kind") != "dev");
        Package { name: text(package, "name"), imports: imports.map(|dependency| text(dependency, "name")).collect() }
    };
    Ok(packages.iter().map(read).collect())
}

/// Names of packages that aren't the name of their crate.
fn crate_name(package: &str) -> &str {
    match package {
        "symbolon" => "cli",
        other => other.strip_prefix("symbolon-").unwrap_or(other),
    }
}

fn is_ours(package: &str) -> bool {
    package == "symbolon" || package.starts_with("symbolon-")
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule = Rule { name: "domain", may: &["contract"], must_not: &["serde"], never_links: &["tokio"] };

    fn found(imports: &[&str]) -> Vec<String> {
        let mut findings = Findings::default();
        direct(&RULE, &imports.iter().map(|&import| import.to_owned()).collect::<Vec<_>>(), &mut findings);
        findings.0
    }

    #[test]
    fn an_import_that_the_table_does_not_allow_is_found() {
        assert_eq!(found(&["symbolon-contract", "uuid"]), Vec::<String>::new());
        let [finding] = &found(&["symbolon-testkit"])[..] else { panic!("one finding") };
        assert!(finding.contains("imports testkit"), "{finding}");
        assert_eq!(found(&["symbolon"]).len(), 1);
        assert_eq!(found(&["serde"]), ["crate domain must not know serde"]);
    }

    #[test]
    fn what_comes_through_others_is_found_by_its_whole_name() {
        let mut findings = Findings::default();
        linked(&RULE, "symbolon-domain v0.1.0\ntokio-util v0.7.0\n", &mut findings);
        assert_eq!(findings.0.len(), 0);
        linked(&RULE, "symbolon-domain v0.1.0\ntokio v1.47.0 (*)\n", &mut findings);
        assert_eq!(findings.0.len(), 1);
    }

    #[test]
    fn imports_of_tests_do_not_count() {
        let metadata = r#"{"packages":[{"name":"symbolon-domain","dependencies":[
            {"name":"uuid","kind":null},{"name":"symbolon-testkit","kind":"dev"},{"name":"cc","kind":"build"}]}]}"#;
        let packages = packages(metadata).unwrap();
        assert_eq!(packages[0].imports, ["uuid", "cc"]);
    }

    #[test]
    fn nothing_imports_the_testkit() {
        assert!(RULES.iter().all(|rule| !rule.may.contains(&"testkit")));
    }
}
