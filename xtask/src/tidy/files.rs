//! What may stand in files, and how long they may be.

use std::fs;

use anyhow::{Context, Result};

use super::Findings;
use crate::process::root;

/// Files are about 250 lines; longer ones than this must stand in the list, which only shrinks.
const LONGEST: usize = 400;
const OVERSIZE: &str = include_str!("oversize.txt");

/// Where the metadata addresses may stand as literals: where they are the subject.
const MAY_NAME_ADDRESSES: &[&str] =
    &["compat/", "crates/contract/", "crates/imds/", "crates/testkit/", "docs/", "fuzz/fuzz_targets/gate.rs"];
const ADDRESSES: [&str; 2] = ["169.254.169.254", "168.63.129.16"];

/// Places of one machine: no file names them.
const PLACES: [&str; 3] = ["/root/", "/work/", "../shared"];
/// What is unfinished or silenced: no Rust file has it.
const UNFINISHED: [&str; 5] = ["#[allow(", "#![allow(", "todo!(", "unimplemented!(", "dbg!("];

pub(super) fn check(tracked: &[&str], findings: &mut Findings) -> Result<()> {
    let oversize = oversize(OVERSIZE)?;
    for path in tracked {
        // Seeds of the fuzz targets and the like aren't text.
        let Ok(text) = fs::read_to_string(root().join(path)) else { continue };
        // These files name what they look for; others name paths of registries.
        if !path.starts_with("xtask/src/tidy/") && !path.ends_with(".lock") {
            contents(path, &text, findings);
        }
        if path.ends_with(".rs") {
            length(path, text.lines().count(), &oversize, findings);
        }
    }
    for (path, _) in &oversize {
        if !tracked.contains(path) {
            findings.add(format!("{path} is in the list of long files and isn't there"));
        }
    }
    Ok(())
}

fn contents(path: &str, text: &str, findings: &mut Findings) {
    let rust = path.ends_with(".rs");
    for (number, line) in text.lines().enumerate() {
        let mut add = |what: String| findings.add(format!("{path}:{}: {what}", number + 1));
        for place in PLACES.iter().filter(|place| names_place(line, place)) {
            add(format!("names {place}, which is a place of one machine"));
        }
        if !rust {
            continue;
        }
        for word in UNFINISHED.iter().filter(|word| line.contains(**word)) {
            add(format!("has '{word}'"));
        }
        if line.trim() == "#[ignore]" {
            add("an ignored test says why, and what to do".to_owned());
        }
        let code = !line.trim_start().starts_with("//");
        if code && !MAY_NAME_ADDRESSES.iter().any(|place| path.starts_with(place)) {
            for address in ADDRESSES.iter().filter(|address| line.contains(**address)) {
                add(format!("names {address}; it comes from configuration"));
            }
        }
    }
}

/// Whether a line names a place, and not one that only ends like it (`network/work/`).
fn names_place(line: &str, place: &str) -> bool {
    let own = |before: &str| !before.ends_with(|last: char| last.is_ascii_alphanumeric() || "._-}>)".contains(last));
    line.match_indices(place).any(|(at, _)| line.get(..at).is_some_and(own))
}

/// The list of long files.
fn oversize(list: &str) -> Result<Vec<(&str, usize)>> {
    let entry = |line| {
        let (path, lines) = str::rsplit_once(line, ' ').with_context(|| format!("oversize.txt: '{line}'"))?;
        Ok((path, lines.parse().with_context(|| format!("oversize.txt: '{line}'"))?))
    };
    list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(entry).collect()
}

fn length(path: &str, lines: usize, oversize: &[(&str, usize)], findings: &mut Findings) {
    match oversize.iter().find(|(long, _)| *long == path) {
        None if lines > LONGEST => findings.add(format!("{path} has {lines} lines; {LONGEST} is the most")),
        Some(_) if lines <= LONGEST => findings.add(format!("{path} isn't long any more: take it off the list")),
        Some((_, most)) if lines > *most => findings.add(format!("{path} has {lines} lines; it had {most}")),
        Some((_, most)) if lines < *most => {
            findings.add(format!("{path} has {lines} lines: put that number into the list, which only shrinks"));
        }
        None | Some(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        let mut findings = Findings::default();
        contents(path, text, &mut findings);
        findings.0
    }

    fn long(lines: usize, list: &str) -> Vec<String> {
        let mut findings = Findings::default();
        length("a.rs", lines, &oversize(list).unwrap(), &mut findings);
        findings.0
    }

    #[test]
    fn places_of_one_machine_are_found_in_every_file() {
        for line in ["see /root/x", "\"/work/main\"", "read ../shared/design.md", "cd /work/"] {
            assert_eq!(found("README.md", line).len(), 1, "{line}");
        }
        for line in ["compat/.work/run", "network/work/", "$ROOT/root/", "crates/shared"] {
            assert_eq!(found("README.md", line), Vec::<String>::new(), "{line}");
        }
    }

    #[test]
    fn what_is_unfinished_is_found_in_rust_alone() {
        for line in ["    todo!()", "#[allow(dead_code)]", "#![allow(warnings)]", "  #[ignore]", "dbg!(x);"] {
            assert_eq!(found("crates/a/src/lib.rs", line).len(), 1, "{line}");
            assert_eq!(found("CONTRIBUTING.md", line), Vec::<String>::new(), "{line}");
        }
        assert_eq!(found("crates/a/src/lib.rs", "#[expect(dead_code, reason = \"r\")]"), Vec::<String>::new());
        assert_eq!(found("crates/a/src/lib.rs", "#[ignore = \"needs a device\"]"), Vec::<String>::new());
    }

    #[test]
    fn metadata_addresses_stand_where_they_are_the_subject() {
        let line = "const IMDS: &str = \"169.254.169.254\";";
        assert_eq!(found("crates/cli/src/run.rs", line).len(), 1);
        assert_eq!(found("crates/cli/src/run.rs", "/// as 169.254.169.254 does"), Vec::<String>::new());
        assert_eq!(found("crates/contract/src/headers.rs", line), Vec::<String>::new());
    }

    #[test]
    fn the_list_of_long_files_only_shrinks() {
        assert_eq!(long(400, ""), Vec::<String>::new());
        assert_eq!(long(401, "").len(), 1);
        assert_eq!(long(450, "# why\na.rs 450\n"), Vec::<String>::new());
        assert_eq!(long(451, "a.rs 450").len(), 1);
        assert_eq!(long(449, "a.rs 450").len(), 1);
        assert_eq!(long(400, "a.rs 450").len(), 1);
        assert!(oversize("a.rs").is_err());
    }
}
