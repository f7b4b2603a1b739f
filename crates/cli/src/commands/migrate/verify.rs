//! `symbolon migrate verify`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use migrate::shown;
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
        printer.line(format!("unread   {}: {}", shown(path.display()), shown(why)))?;
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
    format!("{}{at}: {}{why}", shown(found.path.display()), found.what)
}

/// What was not looked into: of each form and folder one line. A machine has thousands of packed files.
fn skipped(all: &[(PathBuf, String)]) -> Vec<String> {
    let mut groups: BTreeMap<(PathBuf, &str), Vec<&Path>> = BTreeMap::new();
    for (path, what) in all {
        let folder: PathBuf = path.parent().unwrap_or(path).components().take(2).collect();
        let folder = if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder };
        groups.entry((folder, what)).or_default().push(path);
    }
    let line = |((folder, what), paths): ((PathBuf, &str), Vec<&Path>)| match paths.as_slice() {
        [path] => format!("{}: {}", shown(path.display()), shown(what)),
        paths => format!("{}: {} ({} files)", shown(folder.display()), shown(what), paths.len()),
    };
    groups.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_skipped_is_a_line_for_each_folder_and_form() {
        let all = ["a.xz", "b.xz", "c.zst", "var/log/x/1.xz", "var/log/2.xz", "\u{1b}[2J/a.xz"];
        let all = all.map(|path| (PathBuf::from(path), path.rsplit('.').next().unwrap().to_owned()));
        let wanted = [".: xz (2 files)", "c.zst: zst", "\u{fffd}[2J/a.xz: xz", "var/log: xz (2 files)"];
        assert_eq!(skipped(&all), wanted);
    }

    #[test]
    fn a_path_gives_a_terminal_nothing_to_obey() {
        let path = PathBuf::from("home/\u{1b}]0;x\u{7}\nusable   no");
        let (what, why) = ("a token", "");
        let found = Found { path, offset: Some(3), unpacked: false, what, worth: Worth::Usable, why };
        assert_eq!(line(&found), "home/\u{fffd}]0;x\u{fffd}\u{fffd}usable   no at byte 3: a token");
    }
}
