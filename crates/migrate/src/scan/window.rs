//! A stretch of a file's bytes, with where it stands.

use memchr::{memchr, memrchr};

/// How much of a long line is looked at around a word, on each side.
const REACH: usize = 512;

/// A stretch of a file.
pub(super) struct Window<'a> {
    /// The bytes.
    pub(super) bytes: &'a [u8],
    /// Where they stand in the file.
    pub(super) offset: u64,
    /// How many lines end before them.
    pub(super) lines: u64,
    /// How many characters of their first line stand before them.
    pub(super) columns: u64,
    /// What begins before this place was found in the window before.
    pub(super) begin: usize,
    /// What begins here or later belongs to the next window.
    pub(super) end: usize,
}

impl<'a> Window<'a> {
    /// A file that is read whole.
    pub(super) fn whole(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0, lines: 0, columns: 0, begin: 0, end: bytes.len() }
    }

    /// The bytes of a range.
    pub(super) fn get(&self, range: std::ops::Range<usize>) -> &'a [u8] {
        self.bytes.get(range).unwrap_or_default()
    }

    /// The line around a place, cut to [`REACH`] on each side.
    pub(super) fn line(&self, at: usize) -> std::ops::Range<usize> {
        let from = at.saturating_sub(REACH);
        let before = self.bytes.get(from..at).unwrap_or_default();
        let start = memrchr(b'\n', before).map_or(from, |found| from + found + 1);
        let to = at.saturating_add(REACH).min(self.bytes.len());
        let after = self.bytes.get(at..to).unwrap_or_default();
        let end = memchr(b'\n', after).map_or(to, |found| at + found);
        let line = self.bytes.get(start..end).unwrap_or_default();
        start..end - usize::from(line.last() == Some(&b'\r'))
    }
}

/// How many characters begin in these bytes.
pub(super) fn characters(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&byte| byte & 0b1100_0000 != 0b1000_0000).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_stands_between_two_ends() {
        let window = Window::whole(b"one\r\ntwo\nthree");
        assert_eq!(window.line(1), 0..3);
        assert_eq!(window.line(6), 5..8);
        assert_eq!(window.line(10), 9..14);
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let long = vec![b'x'; 10_000];
        assert_eq!(Window::whole(&long).line(5_000), 5_000 - REACH..5_000 + REACH);
    }
}
