//! A text with its kind, the URL of a finding in it, and edits of it.

use std::ops::Range;

use crate::finding::Finding;
use crate::scan::Kind;

/// What is rewritten.
pub(super) struct Source<'a> {
    pub(super) text: &'a str,
    pub(super) kind: Kind,
}

/// A change: what stands in a range becomes another text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) range: Range<usize>,
    pub(super) text: String,
}

impl Edit {
    pub(super) fn new(range: Range<usize>, text: impl Into<String>) -> Self {
        Self { range, text: text.into() }
    }

    pub(super) fn remove(range: Range<usize>) -> Self {
        Self::new(range, "")
    }
}

/// The endpoint's URL in a text.
#[derive(Clone, Debug)]
pub(super) struct Url {
    /// From its scheme or host to the end of its path, with a `/` that ends it.
    pub(super) range: Range<usize>,
    /// Whether a query follows.
    pub(super) query: bool,
}

impl<'a> Source<'a> {
    /// The text of a range; empty for one that isn't of this text.
    pub(super) fn get(&self, range: Range<usize>) -> &'a str {
        self.text.get(range).unwrap_or_default()
    }

    /// What stands before a place.
    pub(super) fn before(&self, at: usize) -> &'a str {
        self.get(0..at)
    }

    /// What stands from a place on.
    pub(super) fn from(&self, at: usize) -> &'a str {
        self.get(at..self.text.len())
    }

    /// Where a finding begins.
    pub(super) fn start(&self, finding: &Finding) -> usize {
        usize::try_from(finding.offset).unwrap_or(usize::MAX)
    }

    /// Whether what was found still stands there.
    pub(super) fn has(&self, finding: &Finding) -> bool {
        let start = self.start(finding);
        let found = finding.text.get(finding.start..finding.end).unwrap_or_default();
        !found.is_empty() && self.text.get(start..).is_some_and(|text| text.starts_with(found))
    }

    /// The URL that a finding is: with its path, and with a port that is written out.
    pub(super) fn url(&self, finding: &Finding) -> Option<Url> {
        let start = self.start(finding);
        let mut end = start + finding.length;
        let own = self.get(start..end);
        if !own.ends_with("token") || own.contains(['{', '$', '%', '+', '<', ' ']) {
            return None;
        }
        if self.from(end).starts_with('/') {
            end += 1;
        }
        Some(Url { range: start..end, query: self.from(end).starts_with('?') })
    }

    /// The line around a place, without its end.
    pub(super) fn line(&self, at: usize) -> Range<usize> {
        let start = self.before(at).rfind('\n').map_or(0, |newline| newline + 1);
        let end = self.from(at).find('\n').map_or(self.text.len(), |newline| at + newline);
        start..end
    }

    /// The lines around a place: so many before and after its own.
    pub(super) fn lines(&self, at: usize, count: usize) -> &'a str {
        let own = self.line(at);
        let (mut start, mut end) = (own.start, own.end);
        for _ in 0..count {
            start = start.checked_sub(1).map_or(0, |newline| self.line(newline).start);
            end = if end < self.text.len() { self.line(end + 1).end } else { end };
        }
        self.get(start..end)
    }
}

/// Whether an edit meets another.
pub(super) fn overlap(edits: &[Edit], new: &[Edit]) -> bool {
    let meets = |one: &Edit, other: &Edit| {
        let empty = one.range.is_empty() && other.range.is_empty() && one.range.start == other.range.start;
        empty || (one.range.start < other.range.end && other.range.start < one.range.end)
    };
    new.iter().any(|new| edits.iter().any(|old| meets(old, new)))
}

/// The text with its edits, which don't overlap.
pub(super) fn edited(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        result.push_str(text.get(at..edit.range.start).unwrap_or_default());
        result.push_str(&edit.text);
        at = edit.range.end;
    }
    result.push_str(text.get(at..).unwrap_or_default());
    result
}

/// Where a name stands that is no part of a longer one.
pub(super) fn uses(text: &str, name: &str) -> impl Iterator<Item = usize> {
    let is_word = |character: Option<char>| character.is_some_and(|one| one.is_alphanumeric() || one == '_');
    let own = move |&at: &usize| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let after = text.get(at + name.len()..).and_then(|text| text.chars().next());
        !is_word(before) && !is_word(after)
    };
    text.match_indices(name).map(|(at, _)| at).filter(own)
}
