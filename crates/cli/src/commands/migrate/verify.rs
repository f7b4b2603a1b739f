//! `symbolon migrate verify`.

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
        "searched {} files in {} folders ({} bytes) for tokens, private keys (PEM, PKCS#8, PKCS#12), protected settings, \
         and the extension's own files; not within what is compressed, nor in raw swap",
        report.files, report.folders, report.bytes
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
    let verdict = match (of(Worth::Usable).count(), report.unread.len()) {
        (0, 0) => "nothing usable is left".to_owned(),
        (0, unread) => format!("nothing usable was found, but {unread} could not be searched: nothing is proved"),
        (usable, _) => format!("{usable} usable: whoever has this disk can use them"),
    };
    Ok(printer.line(verdict)?)
}

fn line(found: &Found) -> String {
    let at = found.offset.map(|offset| format!(" at byte {offset}")).unwrap_or_default();
    let why = if found.why.is_empty() { String::new() } else { format!(" ({})", found.why) };
    format!("{}{at}: {}{why}", found.path.display(), found.what)
}
