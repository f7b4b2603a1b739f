//! Changes files so that they ask the metadata service, where it is safe to; says what to do by hand where it isn't.
//!
//! A file is changed only around findings of a scan, only where the construct around one is recognised, and only if what
//! comes out still parses. Applying twice changes nothing.

mod block;
mod call;
mod go;
mod hand;
mod javascript;
mod patterns;
mod powershell;
mod python;
mod query;
mod setting;
mod shell;
mod source;
mod template;
mod verify;
mod write;

use std::path::{Path, PathBuf};

use contract::imds::{ADDRESS, TOKEN_PATH};

use self::patterns::Patterns;
use self::source::{Edit, Source};
pub use self::write::WriteError;
use crate::finding::{Finding, Problem};
use crate::rule::Rule;
use crate::scan::{Kind, RulesError, Scanner, WHOLE};
use crate::shown;

/// The version of the metadata service's interface that is asked for; the first that knows identities.
const API_VERSION: &str = "2018-02-01";

/// How often a file is looked at again after a change.
const ROUNDS: usize = 8;

/// The metadata service's token endpoint with its version, to which parameters are joined.
fn imds_url() -> String {
    format!("http://{ADDRESS}{TOKEN_PATH}?api-version={API_VERSION}")
}

/// A finding that isn't rewritten, with what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByHand {
    /// What it is about.
    pub finding: Finding,
    /// The edit to make.
    pub edit: String,
}

/// What comes of a file.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The file.
    pub path: PathBuf,
    /// The findings that are rewritten.
    pub rewritten: Vec<Finding>,
    /// The others.
    pub by_hand: Vec<ByHand>,
    /// What the change does beyond the file, which whoever makes it has to know.
    pub notes: Vec<String>,
    /// Its bytes as they were read.
    before: Vec<u8>,
    /// Its bytes as they are to be; the same where nothing is rewritten.
    after: Vec<u8>,
}

impl Outcome {
    /// Whether the file is to be changed.
    #[must_use]
    pub fn changes(&self) -> bool {
        self.before != self.after
    }

    /// The change as a unified diff; empty where there is none.
    #[must_use]
    pub fn diff(&self) -> String {
        let name = shown(self.path.display());
        let name = name.trim_start_matches("./").trim_start_matches('/');
        let (before, after) = (String::from_utf8_lossy(&self.before), String::from_utf8_lossy(&self.after));
        let diff = similar::TextDiff::from_lines(&*before, &*after);
        diff.unified_diff().context_radius(3).header(&format!("a/{name}"), &format!("b/{name}")).to_string()
    }

    /// What the file is to be.
    #[must_use]
    pub fn after(&self) -> &[u8] {
        &self.after
    }

    /// Writes the change: whole or not at all, and only if the file is still what was read.
    ///
    /// # Errors
    /// When the file has changed, and when it or its folder can't be written.
    pub fn write(&self) -> Result<(), WriteError> {
        write::replace(&self.path, &self.before, &self.after)
    }
}

/// What rewrites files.
pub struct Rewriter {
    patterns: Patterns,
    scanner: Scanner,
}

impl Rewriter {
    /// Makes one; with the ports that a scan knew or learned.
    ///
    /// # Errors
    /// When an expression of its own can't be read.
    pub fn new(ports: &[u16]) -> Result<Self, RulesError> {
        Ok(Self { patterns: Patterns::new()?, scanner: Scanner::new(ports)? })
    }

    /// What comes of one file with its findings. Mentions are left alone.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn file(&self, path: &Path, findings: &[Finding]) -> Result<Outcome, Problem> {
        let trouble = |what: String| Problem { path: Some(path.to_owned()), what };
        let unread = |error: std::io::Error| trouble(format!("can't be read: {error}"));
        if std::fs::metadata(path).map_err(unread)?.len() > WHOLE {
            let findings = findings.iter().filter(|finding| finding.counts()).cloned();
            let by_hand =
                |finding| ByHand { edit: hand::because(&finding, "the file is too large to be rewritten"), finding };
            let by_hand = findings.map(by_hand).collect();
            let (before, after) = (Vec::new(), Vec::new());
            let (path, rewritten, notes) = (path.to_owned(), Vec::new(), Vec::new());
            return Ok(Outcome { path, rewritten, by_hand, notes, before, after });
        }
        Ok(self.outcome(path, std::fs::read(path).map_err(unread)?, findings))
    }

    /// What comes of a text that is to be in a file, by what a scan of it alone finds.
    #[must_use]
    pub fn text(&self, path: &Path, text: &str) -> Outcome {
        self.outcome(path, text.as_bytes().to_vec(), &self.scanner.text(path, text))
    }

    fn outcome(&self, path: &Path, before: Vec<u8>, findings: &[Finding]) -> Outcome {
        let findings: Vec<_> = findings.iter().filter(|finding| finding.counts()).cloned().collect();
        let none = |why: &str, findings: Vec<Finding>| {
            let by_hand = findings.into_iter().map(|finding| ByHand { edit: hand::because(&finding, why), finding });
            Rewritten { by_hand: by_hand.collect(), ..Rewritten::default() }
        };
        let Rewritten { done: rewritten, by_hand, notes, text } = match std::str::from_utf8(&before) {
            Err(_) => none("the file isn't UTF-8", findings),
            Ok(text) => {
                let kind = Kind::of(path, text.as_bytes());
                let result = self.rounds(path, text, kind, findings.clone());
                let parses = |after: &String| verify::still_parses(&Source { text, kind }, after);
                if result.text.as_ref().is_none_or(parses) {
                    result
                } else {
                    none("rewritten, the file would not parse", findings)
                }
            }
        };
        let after = text.map_or_else(|| before.clone(), String::into_bytes);
        Outcome { path: path.to_owned(), rewritten, by_hand, notes, before, after }
    }

    /// Rewrites until nothing more comes of it: what one change uncovers the next one takes, so that a second run finds
    /// nothing to do.
    fn rounds(&self, path: &Path, text: &str, kind: Kind, findings: Vec<Finding>) -> Rewritten {
        let mut all = self.round(&Source { text, kind }, findings);
        for _ in 0..ROUNDS {
            let after = all.text.as_deref().unwrap_or(text);
            let findings = self.scanner.text(path, after).into_iter().filter(Finding::counts).collect();
            let next = self.round(&Source { text: after, kind }, findings);
            if next.text.is_none() {
                break;
            }
            all.done.extend(next.done);
            all.notes.extend(next.notes);
            (all.by_hand, all.text) = (next.by_hand, next.text);
        }
        all
    }

    fn round(&self, source: &Source<'_>, findings: Vec<Finding>) -> Rewritten {
        let mut result = Rewritten::default();
        let mut edits: Vec<Edit> = Vec::new();
        let template = source.kind == Kind::Json;
        let removed = if template { template::remove(source.text) } else { template::Removal::default() };
        edits.extend(removed.edits);
        result.notes.extend(removed.profile.iter().map(|range| hand::of_scale_set(source, range)));
        for finding in findings {
            let judged = match finding.rule {
                _ if !source.has(&finding) => Err("the file has changed since it was scanned".to_owned()),
                _ if removed.ranges.iter().any(|range| range.contains(&source.start(&finding))) => Ok(Vec::new()),
                Rule::Endpoint => self.endpoint(source, &finding),
                Rule::EndpointSetting => setting::remove(source, &finding, &self.patterns),
                Rule::Resource if template => Err(removed.why.clone().unwrap_or_default()),
                Rule::Resource
                | Rule::Port
                | Rule::EndpointRead
                | Rule::Discovery
                | Rule::DiscoveryMount
                | Rule::Command
                | Rule::Name
                | Rule::Client
                | Rule::Call
                | Rule::PortOption => Err(String::new()),
            };
            match judged {
                Ok(new) if !source::overlap(&edits, &new) => {
                    edits.extend(new);
                    result.done.push(finding);
                }
                Ok(_) => {
                    let edit = hand::edit(source, &finding, "another change is in its way");
                    result.by_hand.push(ByHand { edit, finding });
                }
                Err(why) => {
                    let edit = hand::edit(source, &finding, &why);
                    result.by_hand.push(ByHand { edit, finding });
                }
            }
        }
        result.text = (!edits.is_empty()).then(|| source::edited(source.text, edits));
        result
    }

    /// The edits that make a request of the endpoint one of the metadata service.
    fn endpoint(&self, source: &Source<'_>, finding: &Finding) -> Result<Vec<Edit>, String> {
        let url = source.url(finding).ok_or("the path isn't beside the address")?;
        match source.kind {
            Kind::Shell | Kind::Dockerfile | Kind::Yaml | Kind::Text => shell::rewrite(source, &url, &self.patterns),
            Kind::PowerShell => powershell::rewrite(source, &url, &self.patterns),
            Kind::Python => python::rewrite(source, &url, &self.patterns),
            Kind::JavaScript => javascript::rewrite(source, &url, &self.patterns),
            Kind::Go => go::rewrite(source, &url, &self.patterns),
            Kind::Bicep
            | Kind::Batch
            | Kind::CSharp
            | Kind::Config
            | Kind::Java
            | Kind::Json
            | Kind::Prose
            | Kind::Ruby
            | Kind::Terraform
            | Kind::Xml => query::rewrite(source, &url, &self.patterns),
        }
    }
}

/// What comes of a text.
#[derive(Default)]
struct Rewritten {
    done: Vec<Finding>,
    by_hand: Vec<ByHand>,
    notes: Vec<String>,
    /// None where nothing is rewritten.
    text: Option<String>,
}
