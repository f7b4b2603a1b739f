//! What may stand in files, and how long they may be.

use std::fs;

use anyhow::Result;

use super::Findings;
use crate::process::root;

/// Files are about 250 lines; longer ones than this must stand in the list, which only shrinks.
const LONGEST: usize = 400;
/// Files that are longer, with the length they may have at most.
const OVERSIZE: &[(&str, usize)] = &[];

/// Where the metadata addresses may stand as literals: where they are the subject.
const MAY_NAME_ADDRESSES: &[&str] = &["compat/", "crates/contract/", "crates/imds/", "crates/testkit/", "docs/"];
const ADDRESSES: [&str; 2] = ["169.254.169.254", "168.63.129.16"];

pub(super) fn check(tracked: &[&str], findings: &mut Findings) -> Result<()> {
    for path in tracked {
        let Ok(text) = fs::read_to_string(root().join(path)) else { continue };
        // This file names what it looks for.
        if path.starts_with("xtask/src/tidy/") || path.ends_with(".lock") {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            for word in words(path) {
                if line.contains(word) {
                    findings.add(format!("{path}:{}: has '{word}'", number + 1));
                }
            }
            let bare_ignore = line.trim() == concat!("#[ign", "ore]");
            if bare_ignore && path.ends_with(".rs") {
                findings.add(format!("{path}:{}: an ignored test says why, and what to do", number + 1));
            }
            let code = path.ends_with(".rs") && !line.trim_start().starts_with("//");
            if code && !MAY_NAME_ADDRESSES.iter().any(|place| path.starts_with(place)) {
                for address in ADDRESSES.iter().filter(|address| line.contains(**address)) {
                    findings.add(format!("{path}:{}: names {address}; it comes from configuration", number + 1));
                }
            }
        }
        if path.ends_with(".rs") {
            length(path, text.lines().count(), findings);
        }
    }
    for (path, _) in OVERSIZE {
        if !tracked.contains(path) {
            findings.add(format!("{path} is in the list of long files and isn't there"));
        }
    }
    Ok(())
}

/// Words that no file has: places of one machine, and in Rust what is unfinished or silenced.
fn words(path: &str) -> &'static [&'static str] {
    if path.ends_with(".rs") {
        &["/root/", "/work/main", "../shared", "#[allow(", "#![allow(", "todo!(", "unimplemented!(", "dbg!("]
    } else {
        &["/root/", "/work/main", "../shared"]
    }
}

fn length(path: &str, lines: usize, findings: &mut Findings) {
    match OVERSIZE.iter().find(|(long, _)| *long == path) {
        None if lines > LONGEST => findings.add(format!("{path} has {lines} lines; {LONGEST} is the most")),
        Some((_, most)) if lines > *most => findings.add(format!("{path} has {lines} lines; it had {most}")),
        Some((_, most)) if lines < *most => {
            findings.add(format!("{path} has {lines} lines: put that number into the list, which only shrinks"));
        }
        None | Some(_) => {}
    }
}
