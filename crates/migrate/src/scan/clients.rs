//! Client libraries that are older than their change to the metadata service, in what declares or locks versions.

mod requirement;

use std::path::Path;

use regex::bytes::Regex;

use super::RulesError;
use super::kind::Kind;
use super::line::{Found, Lines, expression};
use crate::finding::Level;
use crate::rule::Rule;

/// A library, and when it changed.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// Where it comes from.
    pub ecosystem: Ecosystem,
    /// Its name there.
    pub name: &'static str,
    /// The first version that asks the metadata service.
    pub changed: &'static str,
    /// What says so.
    pub source: &'static str,
}

/// A registry of packages, with its way to write versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each name is its registry")]
pub enum Ecosystem {
    Python,
    Npm,
    Go,
    Maven,
    NuGet,
}

impl Ecosystem {
    /// Its name for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Python => "Python",
            Self::Npm => "npm",
            Self::Go => "Go",
            Self::Maven => "Maven, Gradle",
            Self::NuGet => "NuGet",
        }
    }
}

/// The libraries. Each version was taken from the source named, and where the packages can be had, from the packages on both
/// sides of it.
pub const CLIENTS: [Client; 8] = [
    Client {
        ecosystem: Ecosystem::Python,
        name: "msrestazure",
        changed: "0.4.25",
        source: "its release notes of 2018-03-29; packages 0.4.24 and 0.4.25",
    },
    Client {
        ecosystem: Ecosystem::Python,
        name: "azure-cli-core",
        changed: "2.0.30",
        source: "packages 2.0.29 and 2.0.30",
    },
    Client { ecosystem: Ecosystem::Python, name: "azure-cli", changed: "2.0.31", source: "as azure-cli-core" },
    Client {
        ecosystem: Ecosystem::Npm,
        name: "ms-rest-azure",
        changed: "2.6.0",
        source: "its Changelog.md; packages 2.5.9 and 2.6.0; Azure/azure-sdk-for-node#2836",
    },
    Client {
        ecosystem: Ecosystem::Npm,
        name: "@azure/ms-rest-nodeauth",
        changed: "0.9.1",
        source: "packages 0.8.4 and 0.9.1; Azure/ms-rest-nodeauth#42",
    },
    Client {
        ecosystem: Ecosystem::Go,
        name: "github.com/Azure/go-autorest",
        changed: "10.6.0",
        source: "its CHANGELOG.md",
    },
    Client {
        ecosystem: Ecosystem::Maven,
        name: "azure-client-authentication",
        changed: "1.4.0",
        source: "packages 1.3.0 and 1.4.0; Azure/autorest-clientruntime-for-java#419",
    },
    Client {
        ecosystem: Ecosystem::NuGet,
        name: "Microsoft.Azure.Services.AppAuthentication",
        changed: "1.0.3",
        source: "Azure/azure-sdk-for-net#4323 and #4427, before the release of 2018-06-13; the packages were not looked at",
    },
];

/// How each library is declared and locked.
pub(super) struct Clients {
    declared: Vec<(Client, Vec<Regex>)>,
}

impl Clients {
    pub(super) fn new() -> Result<Self, RulesError> {
        let made = |client: Client| {
            Ok((client, patterns(client).iter().map(|text| expression(text)).collect::<Result<_, _>>()?))
        };
        Ok(Self { declared: CLIENTS.into_iter().map(made).collect::<Result<_, regex::Error>>()? })
    }
}

/// Images of containers that are named by the version of az in them, the old ones among them (Azure/azure-cli's README.md).
const AZ_IMAGES: &str =
    r"(?:microsoft/azure-cli|azuresdk/azure-cli-python|mcr\.microsoft\.com/azure-cli):(?P<version>[0-9][0-9.]*[0-9])";

/// Expressions whose `version` is what a file says of the library's version.
fn patterns(client: Client) -> Vec<String> {
    let name = regex::escape(client.name);
    let texts: &[&str] = match client.ecosystem {
        Ecosystem::Python => &[
            // requirements, setup.py, pyproject, tox.ini, Pipfile, `pip install` anywhere.
            r#"(?i)(?:^|[^\w./-])NAME(?:\[[^\]\n]*\])?["']?[ \t]*(?:[:=][ \t]*["'])?(?P<version>(?:[=<>!~^]{1,3}[ \t]*[0-9][\w.*]*[ \t]*,?[ \t]*)+)"#,
            // Poetry's exact version.
            r#"(?im)^NAME[ \t]*=[ \t]*["'](?P<version>[0-9][\w.*]*)["']"#,
            // Pipfile.lock.
            r#"(?i)"NAME"\s*:\s*\{[^{}]*?"version"\s*:\s*"(?P<version>==[^"]+)""#,
            // poetry.lock, uv.lock, pdm.lock.
            r#"(?i)name\s*=\s*"NAME"\s*\n\s*version\s*=\s*"(?P<version>[^"]+)""#,
        ],
        Ecosystem::Npm => &[
            r#""NAME"\s*:\s*"(?P<version>[0-9~^<>=][^"]*)""#,
            r#""(?:node_modules/)?NAME"\s*:\s*\{\s*"version"\s*:\s*"(?P<version>[^"]+)""#,
            // yarn.lock.
            r#"(?m)^"?NAME@[^\n]*:\r?\n\s+version:?\s+"?(?P<version>[0-9][^"\s]*)"#,
            // pnpm-lock.yaml.
            r#"(?m)^\s+['"]?/?NAME[@/](?P<version>[0-9][\w.]*)[^\n:]*:"#,
            // `npm install` anywhere.
            r"(?:install|add|i)\s+(?:\S+\s+)*NAME@(?P<version>[0-9][\w.]*)",
        ],
        Ecosystem::Go => &[
            r"NAME\s+v(?P<version>[0-9]+\.[0-9]+\.[0-9]+)",
            // dep's lock and manifest.
            r#"name\s*=\s*"NAME"(?:[^\[]|\["[^\]]*\])*?\n\s*version\s*=\s*"=?v?(?P<version>[0-9][^"]*)""#,
        ],
        Ecosystem::Maven => &[
            r"<artifactId>\s*NAME\s*</artifactId>\s*<version>\s*(?P<version>[0-9][^<\s]*)\s*</version>",
            r#"com\.microsoft\.azure:NAME:(?P<version>[0-9][^"'@\s]*)"#,
        ],
        Ecosystem::NuGet => &[
            r#"(?i)(?:Include|Update|id)="NAME"[^>]*?\bversion="(?P<version>[0-9][^"]*)""#,
            r#"(?i)(?:Include|Update)="NAME"[^>]*>\s*<Version>\s*(?P<version>[0-9][^<\s]*)\s*</Version>"#,
        ],
    };
    let images = (client.name == "azure-cli").then(|| AZ_IMAGES.to_owned());
    texts.iter().map(|text| text.replace("NAME", &name)).chain(images).collect()
}

/// The old libraries that a file declares.
pub(super) fn find(path: &Path, kind: Kind, bytes: &[u8], lines: &Lines) -> Vec<Found> {
    // What go.sum lists need not be what is built.
    if path.file_name().is_some_and(|name| name == "go.sum") {
        return Vec::new();
    }
    let mut found: Vec<Found> = Vec::new();
    for (client, patterns) in &lines.clients.declared {
        for captures in patterns.iter().flat_map(|pattern| pattern.captures_iter(bytes)) {
            let Some(version) = captures.name("version") else { continue };
            let text = String::from_utf8_lossy(version.as_bytes());
            if !requirement::is_old(text.trim(), client.changed, client.ecosystem) {
                continue;
            }
            let range = version.start()..version.start() + text.trim_end().len();
            if found.iter().any(|old| old.start < range.end && range.start < old.end) {
                continue;
            }
            let level = if kind == Kind::Prose { Level::Note } else { Level::Error };
            let detail = format!("{} asks the metadata service from {} on", client.name, client.changed);
            found.push(Found { rule: Rule::Client, level, start: range.start, end: range.end, detail });
        }
    }
    found
}
