//! Files that use the extension: the first line is the file's name, the rest its text. What is found stands where it is said
//! to; what is changed is changed once, is told, and nothing else is.
#![no_main]

use std::path::Path;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use migrate::apply::{Outcome, Rewriter};

static REWRITER: OnceLock<Rewriter> = OnceLock::new();

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some((name, text)) = text.split_once('\n') else { return };
    let rewriter = REWRITER.get_or_init(|| Rewriter::new(&[]).expect("its own expressions"));
    let path = Path::new(name);
    let outcome = rewriter.text(path, text);
    assert_told(&outcome, text);
    let after = std::str::from_utf8(outcome.after()).expect("what was text stays text");
    let again = rewriter.text(path, after);
    assert!(!again.changes(), "a second time changes {}", again.diff());
    if outcome.changes() {
        symbolon_fuzz::accepted();
    }
});

fn assert_told(outcome: &Outcome, text: &str) {
    assert_eq!(outcome.changes(), !outcome.rewritten.is_empty(), "a change is told, and nothing is that isn't one");
    assert_eq!(outcome.changes(), !outcome.diff().is_empty());
    assert!(outcome.by_hand.iter().all(|one| !one.edit.trim().is_empty() && one.finding.counts()));
    if !outcome.changes() {
        assert_eq!(outcome.after(), text.as_bytes());
        for one in &outcome.by_hand {
            let start = usize::try_from(one.finding.offset).expect("a place in it");
            let found = text.get(start..start + one.finding.length).expect("it stands where it is said to");
            assert!(!found.is_empty());
            let line = text[..start].matches('\n').count() as u64 + 1;
            assert_eq!(one.finding.line, line);
        }
    }
}
