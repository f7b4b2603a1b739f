//! `symbolon migrate scan`.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};
use migrate::report::{human, json, sarif};
use migrate::scan::{Report, ScanError, scan as scan_trees};
use migrate::{Level, shown};

use super::{ExitStatus, options};
use crate::args::migrate::{MigrateScanArgs, ScanFormat, TreeArgs};
use crate::printer::Printer;

pub(super) fn scan(args: &MigrateScanArgs, printer: &Printer) -> anyhow::Result<ExitStatus> {
    let Some(report) = look(&args.tree, printer)? else { return Ok(ExitStatus::Usage) };
    match args.format {
        ScanFormat::Human => people(&report, args.notes, printer)?,
        ScanFormat::Json => printer.json_pretty(&json(&report))?,
        ScanFormat::Sarif => printer.json_pretty(&sarif(&report))?,
    }
    problems(&report, printer)?;
    Ok(if report.clean() { ExitStatus::Ok } else { ExitStatus::Failed })
}

/// Scans with progress on a terminal. What was typed wrongly is said here, and gives nothing.
pub(super) fn look(tree: &TreeArgs, printer: &Printer) -> anyhow::Result<Option<Report>> {
    let bar = ProgressBar::new_spinner();
    bar.set_style(ProgressStyle::with_template("{spinner} {pos} files, {msg}")?);
    let bytes = std::sync::atomic::AtomicU64::new(0);
    let seen = |count: u64| {
        use std::sync::atomic::Ordering::Relaxed;
        let before = bytes.fetch_add(count, Relaxed);
        bar.inc(1);
        // Writing the number for every file would cost more than reading it.
        if before >> 22 != (before + count) >> 22 {
            bar.set_message(format!("{} MiB", (before + count) >> 20));
        }
    };
    let quiet = |_: u64| {};
    let seen: &(dyn Fn(u64) + Sync) = if std::io::stderr().is_terminal() { &seen } else { &quiet };
    let scanned = scan_trees(&tree.paths, &options(tree), seen);
    bar.finish_and_clear();
    match scanned {
        Ok(report) => Ok(Some(report)),
        Err(error @ (ScanError::Path { .. } | ScanError::Pattern(_))) => {
            printer.note(format!("error: {:#}", anyhow::Error::from(error)))?;
            Ok(None)
        }
        Err(error @ ScanError::Rules(_)) => Err(error.into()),
    }
}

/// What could not be looked at.
pub(super) fn problems(report: &Report, printer: &Printer) -> std::io::Result<()> {
    for problem in &report.problems {
        match &problem.path {
            Some(path) => printer.note(format!("warning: {}: {}", shown(path.display()), shown(&problem.what)))?,
            None => printer.note(format!("warning: {}", shown(&problem.what)))?,
        }
    }
    Ok(())
}

fn people(report: &Report, notes: bool, printer: &Printer) -> anyhow::Result<()> {
    let colour = std::io::stdout().is_terminal();
    for finding in report.findings.iter().filter(|finding| notes || finding.counts()) {
        printer.line(human(finding, colour))?;
        printer.line("")?;
    }
    let count = |level, one| counted(report.count(level), one);
    let (errors, warnings) = (count(Level::Error, "error"), count(Level::Warning, "warning"));
    let files = counted(usize::try_from(report.files)?, "file");
    let mut line = format!("{errors}, {warnings}, {} in {files}", count(Level::Note, "note"));
    if report.suppressed > 0 {
        line.push_str(&format!("; {} suppressed by comments", report.suppressed));
    }
    Ok(printer.note(line)?)
}

/// A number with its noun.
pub(super) fn counted(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}
