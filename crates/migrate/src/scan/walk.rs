//! Walks the trees with several threads.

use std::path::{Path, PathBuf};

use ignore::overrides::OverrideBuilder;
use ignore::{DirEntry, WalkBuilder, WalkState};

use super::{Report, ScanError};
use crate::finding::Problem;

/// The file that names what a scan leaves out, written like `.gitignore`.
const IGNORE_FILE: &str = ".symbolonignore";

/// How trees are walked.
#[derive(Clone, Debug, Default)]
pub struct Walk {
    /// Also what ignore files (`.gitignore`, `.ignore`) leave out; `.symbolonignore` counts always.
    pub no_ignore: bool,
    /// Follow symbolic links to folders.
    pub follow: bool,
    /// Globs of what to leave out.
    pub exclude: Vec<String>,
    /// How many threads; 0 takes what the machine has.
    pub threads: usize,
}

/// Gives every file to `each`, which has a buffer and a report of its own thread, and each thread's report to `done`.
pub(super) fn walk(
    paths: &[PathBuf],
    options: &Walk,
    each: impl Fn(&mut Vec<u8>, &Path, &mut Report) + Sync,
    done: impl Fn(Report) + Sync,
) -> Result<(), ScanError> {
    let Some((first, others)) = paths.split_first() else { return Ok(()) };
    for path in paths {
        std::fs::metadata(path).map_err(|source| ScanError::Path { path: path.clone(), source })?;
    }
    let mut builder = WalkBuilder::new(first);
    for path in others {
        builder.add(path);
    }
    let mut overrides = OverrideBuilder::new("");
    for glob in &options.exclude {
        overrides.add(&format!("!{glob}")).map_err(ScanError::Pattern)?;
    }
    builder
        .standard_filters(!options.no_ignore)
        // Settings live in files such as `.env` and folders such as `.github`.
        .hidden(false)
        .require_git(false)
        .add_custom_ignore_filename(IGNORE_FILE)
        .overrides(overrides.build().map_err(ScanError::Pattern)?)
        .follow_links(options.follow)
        .threads(options.threads)
        .filter_entry(|entry| !(entry.file_name() == ".git" && is_folder(entry)));
    builder.build_parallel().run(|| {
        let mut mine = Mine { buffer: Vec::new(), report: Report::default(), done: &done };
        let each = &each;
        Box::new(move |entry| {
            match entry {
                // Links are followed only where they were given, or when that was asked for.
                Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_file()) || given_link(&entry) => {
                    each(&mut mine.buffer, entry.path(), &mut mine.report);
                }
                Ok(_) => {}
                Err(error) => mine.report.problems.push(problem(&error)),
            }
            WalkState::Continue
        })
    });
    Ok(())
}

/// What a thread has; it hands its report over when it ends.
struct Mine<'a, D: Fn(Report)> {
    buffer: Vec<u8>,
    report: Report,
    done: &'a D,
}

impl<D: Fn(Report)> Drop for Mine<'_, D> {
    fn drop(&mut self) {
        (self.done)(std::mem::take(&mut self.report));
    }
}

fn is_folder(entry: &DirEntry) -> bool {
    entry.file_type().is_some_and(|kind| kind.is_dir())
}

/// Whether it is a link to a file that was itself given.
fn given_link(entry: &DirEntry) -> bool {
    entry.depth() == 0 && entry.path_is_symlink() && entry.path().metadata().is_ok_and(|found| found.is_file())
}

/// What the walker has to say, with its path where it knows one.
fn problem(error: &ignore::Error) -> Problem {
    match error {
        ignore::Error::WithPath { path, err } => Problem { path: Some(path.clone()), ..problem(err) },
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => problem(err),
        ignore::Error::Loop { child, .. } => {
            Problem { path: Some(child.clone()), what: "a link that leads back to a folder above it".to_owned() }
        }
        ignore::Error::Partial(_)
        | ignore::Error::Io(_)
        | ignore::Error::Glob { .. }
        | ignore::Error::UnrecognizedFileType(_)
        | ignore::Error::InvalidDefinition => Problem { path: None, what: error.to_string() },
    }
}
