//! `symbolon migrate apply`.

use anyhow::Context;
use migrate::apply::{ByHand, Outcome, Rewriter};
use migrate::{Finding, shown};

use super::ExitStatus;
use super::scan::{counted, look, problems};
use crate::args::migrate::MigrateApplyArgs;
use crate::printer::Printer;

pub(super) fn apply(args: &MigrateApplyArgs, printer: &Printer) -> anyhow::Result<ExitStatus> {
    let Some(report) = look(&args.tree, printer)? else { return Ok(ExitStatus::Usage) };
    problems(&report, printer)?;
    let ports: Vec<_> = report.ports.iter().chain(&args.tree.ports).copied().collect();
    let rewriter = Rewriter::new(&ports).context("the rewrites can't be made")?;
    let mut left = !report.problems.is_empty();
    let (mut files, mut changes, mut by_hand) = (0, 0, 0);
    for findings in report.findings.chunk_by(|one, next| one.path == next.path) {
        let Some(Finding { path, .. }) = findings.first() else { continue };
        let outcome = match rewriter.file(path, findings) {
            Ok(outcome) => outcome,
            Err(problem) => {
                printer.note(format!("warning: {}: {}", shown(path.display()), shown(&problem.what)))?;
                left = true;
                continue;
            }
        };
        if outcome.changes() {
            match change(&outcome, args.write, printer)? {
                true => (files, changes) = (files + 1, changes + outcome.rewritten.len()),
                false => left = true,
            }
            left |= !args.write;
        }
        for note in &outcome.notes {
            printer.note(format!("note: {}: {note}", shown(path.display())))?;
        }
        by_hand += outcome.by_hand.len();
        tell(&outcome.by_hand, printer)?;
    }
    let done = match (args.write, changes) {
        (true, _) => "changed",
        (false, 1) => "to change; --write changes it",
        (false, _) => "to change; --write changes them",
    };
    let (places, files) = (counted(changes, "place"), counted(files, "file"));
    printer.note(format!("{places} in {files} {done}; {by_hand} by hand"))?;
    Ok(if left || by_hand > 0 { ExitStatus::Failed } else { ExitStatus::Ok })
}

/// Shows a change or makes it; whether that went well.
fn change(outcome: &Outcome, write: bool, printer: &Printer) -> anyhow::Result<bool> {
    if !write {
        printer.line(outcome.diff().trim_end_matches('\n'))?;
        return Ok(true);
    }
    match outcome.write() {
        Ok(()) => printer.line(format!("changed {}", shown(outcome.path.display())))?,
        Err(error) => {
            let error = anyhow::Error::from(error);
            printer.note(format!("error: {} was not changed: {error:#}", shown(outcome.path.display())))?;
            return Ok(false);
        }
    }
    Ok(true)
}

/// What is left to a person.
fn tell(by_hand: &[ByHand], printer: &Printer) -> std::io::Result<()> {
    for ByHand { finding, edit } in by_hand {
        let place = format!("{}:{}:{}", shown(finding.path.display()), finding.line, finding.column);
        printer.note(format!("by hand: {place}: {}: {}", finding.rule.id(), finding.rule.info().summary))?;
        for line in edit.lines() {
            printer.note(format!("    {}", shown(line)))?;
        }
    }
    Ok(())
}
