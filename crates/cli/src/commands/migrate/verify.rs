//! `symbolon migrate verify`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use migrate::verify::{Found, Report, Worth, verify as search};

use super::ExitStatus;
use crate::args::migrate::machines::MigrateVerifyArgs;
use crate::printer::Printer;

pub(super) fn verify(args: &MigrateVerifyArgs, printer: &Printer) -> anyhow::Result<ExitStatus> {
    let root = &args.guest_root;
    let report = search(root).with_context(|| format!("{} can't be searched", root.display()))?;
    if args.json {
        printer.json_pretty(&report)?;
    } else {
        people(&report, printer)?;
    }
    Ok(if report.proves() { ExitStatus::Ok } else { ExitStatus::Failed })
}

fn people(report: &Report, printer: &Printer) -> anyhow::Result<()> {
    printer.line(format!(
        "searched {} files in {} folders ({} bytes), {} of them unpacked too, for tokens, private keys (PEM, PKCS#8, PKCS#12), \
         protected settings, and the extension's own files",
        report.files, report.folders, report.bytes, report.unpacked
    ))?;
    let of = |worth: Worth| report.found.iter().filter(move |found| found.worth == worth);
    for (worth, title) in [(Worth::Usable, "usable"), (Worth::Remains, "remains"), (Worth::Allowed, "allowed")] {
        for found in of(worth) {
            printer.line(format!("{title:8} {}", line(found)))?;
        }
    }
    for (path, why) in &report.unread {
        printer.line(format!("unread   {}: {why}", path.display()))?;
    }
    for line in skipped(&report.skipped) {
        printer.line(format!("skipped  {line}"))?;
    }
    let verdict = match (of(Worth::Usable).count(), report.unread.len()) {
        (0, 0) if report.skipped.is_empty() => "nothing usable is left".to_owned(),
        (0, 0) => "nothing usable is left where it was looked".to_owned(),
        (0, unread) => format!("nothing usable was found, but {unread} could not be searched: nothing is proved"),
        (usable, _) => format!("{usable} usable: whoever has this disk can use them"),
    };
    Ok(printer.line(verdict)?)
}

fn line(found: &Found) -> String {
    let unpacked = if found.unpacked { " of what it unpacks to" } else { "" };
    let at = found.offset.map(|offset| format!(" at byte {offset}{unpacked}")).unwrap_or_default();
    let why = if found.why.is_empty() { String::new() } else { format!(" ({})", found.why) };
    format!("{}{at}: {}{why}", found.path.display(), found.what)
}

/// What was not looked into: of each form and folder one line. A machine has thousands of packed files.
fn skipped(all: &[(PathBuf, String)]) -> Vec<String> {
    let mut groups: BTreeMap<(PathBuf, &str), Vec<&Path>> = BTreeMap::new();
    for (path, what) in all {
        let folder = path.parent().unwrap_or(path).components().take(2).collect();
        groups.entry((folder, what)).or_default().push(path);
    }
    let line = |((folder, what), paths): ((PathBuf, &str), Vec<&Path>)| match paths.as_slice() {
        [path] => format!("{}: {what}", path.display()),
        paths => format!("{}: {what} ({} files)", folder.display(), paths.len()),
    };
    groups.into_iter().map(line).collect()
}
