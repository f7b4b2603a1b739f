//! Comments by which an author says that a finding is meant: `symbolon:ignore` with rules' ids or without, on the line or
//! the one above, and `symbolon:ignore-file` near the start of a file.

use memchr::memmem;

use super::window::Window;
use crate::rule::Rule;

const WORD: &[u8] = b"symbolon:ignore";
/// Where the comment for a whole file may stand.
const START: usize = 4 << 10;

/// Whether a comment speaks for a finding of a rule that begins at `at`.
pub(super) fn is_suppressed(window: &Window<'_>, at: usize, rule: Rule) -> bool {
    let line = window.line(at);
    let above = line.start.checked_sub(1).map(|newline| window.line(newline)).unwrap_or(0..0);
    let whole = if window.offset == 0 { 0..START.min(window.bytes.len()) } else { 0..0 };
    let says = |range, file| {
        let text = window.get(range);
        memmem::find_iter(text, WORD).any(|found| {
            let rest = text.get(found + WORD.len()..).unwrap_or_default();
            let rest = rest.split(|&byte| byte == b'\n').next().unwrap_or_default();
            speaks_for(&String::from_utf8_lossy(rest), rule, file)
        })
    };
    says(line, false) || says(above, false) || says(whole, true)
}

/// Whether what follows the word names the rule, or none.
fn speaks_for(rest: &str, rule: Rule, file: bool) -> bool {
    let rest = match (rest.strip_prefix("-file"), file) {
        (Some(rest), true) => rest,
        (None, false) => rest,
        (Some(_), false) | (None, true) => return false,
    };
    let words = rest.split([' ', ',', '\t']).map(str::trim).filter(|word| !word.is_empty());
    let mut ids = words.map_while(Rule::of_id).peekable();
    ids.peek().is_none() || ids.any(|named| named == rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suppressed(text: &str, rule: Rule) -> bool {
        let at = text.find("50342").unwrap();
        is_suppressed(&Window::whole(text.as_bytes()), at, rule)
    }

    #[test]
    fn a_comment_speaks_for_its_line_the_next_and_a_whole_file() {
        for (text, port, endpoint) in [
            ("port = 50342  # symbolon:ignore", true, true),
            ("# symbolon:ignore SYM002 -- the emulator's own port\nport = 50342", true, false),
            ("# symbolon:ignore SYM001,SYM002\nport = 50342", true, true),
            ("# symbolon:ignore SYM002\n\nport = 50342", false, false),
            ("port = 50342\n# symbolon:ignore", false, false),
            ("# symbolon:ignore-file SYM002\n\n\nport = 50342", true, false),
            ("port = 50342", false, false),
        ] {
            assert_eq!(suppressed(text, Rule::Port), port, "{text}");
            assert_eq!(suppressed(text, Rule::Endpoint), endpoint, "{text}");
        }
    }
}
