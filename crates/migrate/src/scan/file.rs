//! Reads a file: whole, or in windows where it is large.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::kind::Kind;
use super::line::{Found, Lines};
use super::window::{Window, characters};
use super::{Report, clients, suppression};
use crate::finding::{Finding, Problem};

/// Files up to this many bytes are read whole; larger ones in windows, in which only single lines are judged.
pub const WHOLE: u64 = 4 << 20;
/// How much of a large file is read at once.
const STEP: u64 = 1 << 20;
/// How much of a window is seen again in the next one.
const CARRY: usize = 4 << 10;
/// Words that begin in the last bytes of a window are left to the next one, which sees what is around them.
const AHEAD: usize = 1 << 10;
/// How much is looked at to tell text from other files.
const START: usize = 8 << 10;

/// Reads one file into the report.
pub(super) fn scan(path: &Path, lines: &Lines, buffer: &mut Vec<u8>, report: &mut Report) {
    if let Err(error) = read(path, lines, buffer, report) {
        report.problems.push(Problem { path: Some(path.to_owned()), what: format!("can't be read: {error}") });
    }
}

fn read(path: &Path, lines: &Lines, buffer: &mut Vec<u8>, report: &mut Report) -> io::Result<()> {
    let mut file = File::open(path)?;
    buffer.clear();
    let read = (&mut file).take(WHOLE + 1).read_to_end(buffer)? as u64;
    report.files += 1;
    report.bytes += read;
    let start = buffer.get(..START.min(buffer.len())).unwrap_or_default();
    if let Some(text) = utf_16(buffer).filter(|_| read <= WHOLE) {
        whole(path, text.as_bytes(), lines, report);
    } else if memchr::memchr(0, start).is_some() {
        report.binary += 1;
    } else if read <= WHOLE {
        whole(path, buffer, lines, report);
    } else {
        windows(path, &mut file, lines, buffer, report)?;
    }
    Ok(())
}

/// The text of a file in UTF-16, which old editors of Windows write; anything else has no mark at its start.
pub(crate) fn utf_16(bytes: &[u8]) -> Option<String> {
    let (pair, body): (fn([u8; 2]) -> u16, _) = match bytes {
        [0xff, 0xfe, body @ ..] => (u16::from_le_bytes, body),
        [0xfe, 0xff, body @ ..] => (u16::from_be_bytes, body),
        _ => return None,
    };
    let units = body.as_chunks().0.iter().map(|&unit| pair(unit));
    Some(char::decode_utf16(units).map(|decoded| decoded.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}

/// Scans a text that is here whole.
pub(super) fn whole(path: &Path, bytes: &[u8], lines: &Lines, report: &mut Report) {
    if !lines.any(bytes) {
        return;
    }
    let kind = Kind::of(path, bytes);
    let window = Window::whole(bytes);
    let mut found = lines.find(&window, kind, report);
    found.extend(clients::find(path, kind, bytes, lines));
    keep(path, &window, found, report);
}

fn windows(path: &Path, file: &mut File, lines: &Lines, buffer: &mut Vec<u8>, report: &mut Report) -> io::Result<()> {
    let kind = Kind::of(path, buffer);
    let (mut offset, mut before, mut columns) = (0_u64, 0_u64, 0_u64);
    let (mut begin, mut last) = (0, false);
    loop {
        let end = if last { buffer.len() } else { buffer.len().saturating_sub(AHEAD) };
        let window = Window { bytes: buffer, offset, lines: before, columns, begin, end };
        let found = lines.find(&window, kind, report);
        keep(path, &window, found, report);
        if last {
            return Ok(());
        }
        let gone = buffer.len().saturating_sub(CARRY);
        begin = end.saturating_sub(gone);
        let passed = buffer.get(..gone).unwrap_or_default();
        before += memchr::memchr_iter(b'\n', passed).count() as u64;
        columns = match memchr::memrchr(b'\n', passed) {
            Some(newline) => characters(passed.get(newline + 1..).unwrap_or_default()),
            None => columns + characters(passed),
        };
        offset += gone as u64;
        drop(buffer.drain(..gone));
        let read = file.take(STEP).read_to_end(buffer)? as u64;
        report.bytes += read;
        last = read == 0;
    }
}

/// Puts what was found into the report, but for what a comment suppresses.
fn keep(path: &Path, window: &Window<'_>, mut found: Vec<Found>, report: &mut Report) {
    found.sort_by_key(|found| (found.start, found.rule));
    found.dedup_by_key(|found| (found.start, found.rule));
    let mut counted = Counted { at: 0, lines: window.lines, columns: window.columns };
    for found in found {
        if suppression::is_suppressed(window, found.start, found.rule) {
            report.suppressed += 1;
            continue;
        }
        let line = window.line(found.start);
        let end = found.end.min(line.end).max(found.start);
        let piece = |range| String::from_utf8_lossy(window.get(range));
        let (head, word) = (piece(line.start..found.start), piece(found.start..end));
        let (start, stop) = (head.len(), head.len() + word.len());
        let (number, column) = counted.place(window, found.start);
        report.findings.push(Finding {
            rule: found.rule,
            level: found.level,
            path: path.to_owned(),
            line: number,
            column,
            offset: window.offset + found.start as u64,
            length: found.end - found.start,
            text: format!("{head}{word}{}", piece(end..line.end)),
            start,
            end: stop,
            detail: found.detail,
        });
    }
}

/// The line and the column of places that come in order.
struct Counted {
    at: usize,
    lines: u64,
    columns: u64,
}

impl Counted {
    /// Both from 1.
    fn place(&mut self, window: &Window<'_>, at: usize) -> (u64, u64) {
        let between = window.get(self.at..at);
        self.lines += memchr::memchr_iter(b'\n', between).count() as u64;
        self.columns = match memchr::memrchr(b'\n', between) {
            Some(newline) => characters(between.get(newline + 1..).unwrap_or_default()),
            None => self.columns + characters(between),
        };
        self.at = at;
        (self.lines + 1, self.columns + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf_16_is_read_in_both_orders() {
        let text = "a\u{1f511}";
        let units: Vec<u16> = std::iter::once(0xfeff).chain(text.encode_utf16()).collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        assert_eq!(utf_16(&little).as_deref(), Some(text));
        assert_eq!(utf_16(&big).as_deref(), Some(text));
        assert_eq!(utf_16(text.as_bytes()), None);
    }
}
