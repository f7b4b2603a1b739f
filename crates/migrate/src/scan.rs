//! Walks trees and finds what uses the extension.
//!
//! A file is read once, in a buffer that its thread keeps: whole up to [`WHOLE`], in windows beyond. An expression looks for
//! a few words in it; only around those are the rules asked, so that a tree without the extension costs little more than
//! reading it. What a template says of another port is looked for in a second walk, which only then takes place.

mod clients;
mod file;
mod kind;
mod line;
mod near;
mod suppression;
mod walk;
mod window;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

pub use clients::{CLIENTS, Client, Ecosystem};
pub use file::WHOLE;
pub use kind::Kind;
use line::Lines;
pub use line::WORDS;
pub use walk::Walk;

use crate::finding::{Finding, Level, Problem};

/// Where and how to look.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How the tree is walked.
    pub walk: Walk,
    /// Ports that the extension has here, beside the ones that templates name.
    pub ports: Vec<u16>,
}

/// What a scan came to.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What was found, in order.
    pub findings: Vec<Finding>,
    /// What could not be looked at, in order.
    pub problems: Vec<Problem>,
    /// How many files were read.
    pub files: u64,
    /// How many of them aren't text, and were left alone.
    pub binary: u64,
    /// How many bytes were read.
    pub bytes: u64,
    /// How many findings a comment suppressed.
    pub suppressed: u64,
    /// Ports that templates and settings gave to the extension.
    pub ports: BTreeSet<u16>,
}

impl Report {
    /// Whether the extension is used, or it can't be known.
    #[must_use]
    pub fn clean(&self) -> bool {
        self.problems.is_empty() && !self.findings.iter().any(Finding::counts)
    }

    /// How many findings have a level.
    #[must_use]
    pub fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }
}

/// Why nothing was scanned.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// A given path isn't there or can't be asked for.
    #[error("{path} can't be scanned")]
    Path {
        /// The path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A pattern of `--exclude` is none.
    #[error("the pattern of what to leave out is none")]
    Pattern(#[source] ignore::Error),
    /// The rules can't be made.
    #[error("the rules can't be made")]
    Rules(#[from] RulesError),
}

/// Why the rules can't be made.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// Of an expression.
    #[error("an expression can't be read")]
    Expression(#[from] regex::Error),
}

/// Scans paths. `seen` is told the number of bytes of each file that was read, from several threads.
///
/// # Errors
/// For a path that isn't there and a pattern that is none. What can't be read inside a tree is one of the report's problems.
pub fn scan(paths: &[PathBuf], options: &Options, seen: &(dyn Fn(u64) + Sync)) -> Result<Report, ScanError> {
    let mut report = pass(paths, options, &Lines::new(&options.ports)?, seen)?;
    let known = |port: &u16| options.ports.contains(port) || line::KNOWN_PORTS.contains(port);
    let learned: Vec<_> = report.ports.iter().copied().filter(|port| !known(port)).collect();
    if !learned.is_empty() {
        let more = pass(paths, options, &Lines::only(&learned)?, &|_| {})?;
        let places: BTreeSet<_> = report.findings.iter().map(|found| (found.path.clone(), found.line)).collect();
        let new = more.findings.into_iter().filter(|found| !places.contains(&(found.path.clone(), found.line)));
        report.findings.extend(new);
        report.suppressed += more.suppressed;
    }
    once(&mut report.findings);
    report.findings.sort_by(Finding::order);
    report.problems.sort();
    report.problems.dedup();
    Ok(report)
}

/// Leaves each place once where given paths overlap or links lead to the same file: by the file's own name where it was
/// reached by that, else by the first path.
fn once(findings: &mut Vec<Finding>) {
    let files: BTreeSet<_> = findings.iter().map(|found| found.path.clone()).collect();
    let mut names: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
    for path in files {
        // What is gone since then is nobody's double.
        let real = std::fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
        let own = path.file_name() == real.file_name();
        let known = names.get(&real).is_some_and(|known| !own || known.file_name() == real.file_name());
        if !known {
            names.insert(real, path);
        }
    }
    let names: BTreeSet<_> = names.into_values().collect();
    let mut seen = BTreeSet::new();
    findings.retain(|found| names.contains(&found.path) && seen.insert((found.path.clone(), found.offset, found.rule)));
}

/// Scans texts that are no files yet.
pub(crate) struct Scanner {
    lines: Lines,
}

impl Scanner {
    /// With ports that the extension has, as in [`Options`].
    pub(crate) fn new(ports: &[u16]) -> Result<Self, RulesError> {
        Ok(Self { lines: Lines::new(ports)? })
    }

    /// What a text has that is to be in a file.
    pub(crate) fn text(&self, path: &Path, text: &str) -> Vec<Finding> {
        let mut report = Report::default();
        file::whole(path, text.as_bytes(), &self.lines, &mut report);
        report.findings
    }
}

/// One walk.
fn pass(paths: &[PathBuf], options: &Options, lines: &Lines, seen: &(dyn Fn(u64) + Sync)) -> Result<Report, ScanError> {
    let total = Mutex::new(Report::default());
    walk::walk(
        paths,
        &options.walk,
        |buffer, path, report| {
            let before = report.bytes;
            file::scan(path, lines, buffer, report);
            seen(report.bytes - before);
        },
        |report| {
            let mut total = total.lock().unwrap_or_else(PoisonError::into_inner);
            total.findings.extend(report.findings);
            total.problems.extend(report.problems);
            total.ports.extend(report.ports);
            total.files += report.files;
            total.binary += report.binary;
            total.bytes += report.bytes;
            total.suppressed += report.suppressed;
        },
    )?;
    Ok(total.into_inner().unwrap_or_else(PoisonError::into_inner))
}
