//! Calls with their arguments, and literals with their members, in languages with brackets and quotes.

use std::ops::Range;

/// Where an argument stands, without blanks around it.
pub(super) type Piece = Range<usize>;

/// What stands between brackets.
pub(super) struct Bracketed {
    /// The pieces between its commas.
    pub(super) pieces: Vec<Piece>,
    /// Where its closing bracket stands.
    pub(super) end: usize,
}

/// Reads from behind an opening bracket up to the one that closes it. Nothing comes of what doesn't close, of comments (whose
/// quotes mean nothing), and of quotes that nest.
pub(super) fn read(text: &str, open: usize) -> Option<Bracketed> {
    let bytes = text.as_bytes();
    let (mut depth, mut at, mut start) = (0_usize, open, open);
    let mut pieces = Vec::new();
    loop {
        let byte = *bytes.get(at)?;
        match byte {
            b'"' | b'\'' | b'`' => at = end_of_string(bytes, at)?,
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' if depth == 0 => {
                push(text, start..at, &mut pieces);
                return Some(Bracketed { pieces, end: at });
            }
            b')' | b']' | b'}' => depth -= 1,
            b',' if depth == 0 => {
                push(text, start..at, &mut pieces);
                start = at + 1;
            }
            b'/' if matches!(bytes.get(at + 1), Some(b'/' | b'*')) => return None,
            b'#' => return None,
            _ => {}
        }
        at += 1;
    }
}

/// Where the string ends that begins at a quote: the place of its last quote.
pub(super) fn end_of_string(bytes: &[u8], start: usize) -> Option<usize> {
    let quote = *bytes.get(start)?;
    // Three quotes are another kind of string.
    if bytes.get(start + 1) == Some(&quote) && bytes.get(start + 2) == Some(&quote) {
        return None;
    }
    let mut at = start + 1;
    loop {
        match *bytes.get(at)? {
            b'\\' => at += 1,
            b'\n' if quote != b'`' => return None,
            b'$' if quote == b'`' && bytes.get(at + 1) == Some(&b'{') => return None,
            byte if byte == quote => return Some(at),
            _ => {}
        }
        at += 1;
    }
}

fn push(text: &str, range: Range<usize>, pieces: &mut Vec<Piece>) {
    let piece = text.get(range.clone()).unwrap_or_default();
    let blank = piece.len() - piece.trim_start().len();
    let trimmed = piece.trim().len();
    if trimmed > 0 {
        let start = range.start + blank;
        pieces.push(start..start + trimmed);
    }
}

/// The range that takes a piece out with one comma and the blanks beside it.
pub(super) fn without(text: &str, all: &Bracketed, index: usize) -> Option<Range<usize>> {
    let piece = all.pieces.get(index)?;
    let before = text.get(..piece.start)?.trim_end();
    match all.pieces.get(index + 1) {
        // The comma before the piece, or the bracket, stays.
        Some(_) => {
            let comma = piece.end + text.get(piece.end..)?.find(',')?;
            Some(before.len()..comma + 1)
        }
        None if index > 0 => Some(before.strip_suffix(',').map_or(before.len(), str::len)..piece.end),
        None => Some(piece.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Option<Vec<&str>> {
        let all = read(text, text.find('(')? + 1)?;
        Some(all.pieces.iter().map(|piece| text.get(piece.clone()).unwrap()).collect())
    }

    #[test]
    fn arguments_are_split_at_their_own_commas() {
        assert_eq!(
            pieces("f(a, g(b, c), 'd, e', {f: [1, 2]},\n  h=1,\n)"),
            Some(vec!["a", "g(b, c)", "'d, e'", "{f: [1, 2]}", "h=1"])
        );
        assert_eq!(pieces("f()"), Some(vec![]));
        assert_eq!(pieces(r#"f("a\"b)", c)"#), Some(vec![r#""a\"b)""#, "c"]));
        for text in ["f(a", "f(a, 'b\n')", "f(a, # b\n c)", "f(a /* , */)", "f(`${a}`)", "f(\"\"\"a\"\"\")"] {
            assert_eq!(pieces(text), None, "{text}");
        }
    }

    #[test]
    fn a_piece_goes_with_one_comma() {
        let text = "{ a: 1, b: 2, c: 3 }";
        let all = read(text, 1).unwrap();
        for (index, left) in [(0, "{ b: 2, c: 3 }"), (1, "{ a: 1, c: 3 }"), (2, "{ a: 1, b: 2 }")] {
            let range = without(text, &all, index).unwrap();
            assert_eq!(text.get(..range.start).unwrap().to_owned() + text.get(range.end..).unwrap(), left);
        }
    }
}
