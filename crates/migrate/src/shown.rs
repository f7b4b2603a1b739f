//! What is told to people of a tree that somebody else filled.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use serde::Serializer;

/// A path or another text that came from a tree, with U+FFFD for every control character: a terminal would obey them, and a
/// line break would make one line of a report two.
#[must_use]
pub fn shown(text: impl Display) -> String {
    text.to_string().replace(char::is_control, "\u{fffd}")
}

/// A path in JSON, with U+FFFD for what isn't UTF-8: a name on somebody's disk may have any byte.
pub(crate) fn path<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&path.display())
}

/// The same of one that may be unknown.
pub(crate) fn known<S: Serializer>(path: &Option<PathBuf>, to: S) -> Result<S::Ok, S::Error> {
    match path {
        Some(known) => self::path(known, to),
        None => to.serialize_none(),
    }
}

/// The same of many, each with what is said of it.
pub(crate) fn each<S: Serializer>(all: &[(PathBuf, String)], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(all.iter().map(|(path, what)| (path.to_string_lossy(), what)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        assert_eq!(shown("a\u{1b}[2Jb\nusable\r\u{9b}m\u{7f}"), "a\u{fffd}[2Jb\u{fffd}usable\u{fffd}\u{fffd}m\u{fffd}");
        assert_eq!(shown("var/log/gr\u{fc}n log"), "var/log/gr\u{fc}n log");
    }
}
