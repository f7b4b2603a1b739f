//! Judges the raw bytes of one request head, before any HTTP library sees them.
//!
//! Libraries mend what a data plane must refuse: a bare line feed, a fragment in the target, a second
//! `Host`, both framings of a body. Some of that leaves no trace in the parsed request. So one strict pass
//! over the bytes judges everything that a library judges, and what it lets through.

mod chunked;

use memchr::memchr;

pub use chunked::{BrokenChunk, Chunked};

/// How much a head may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most bytes of a head, its last line end included.
    pub head: usize,
    /// The most header lines; fewer than the 100 that HTTP libraries take.
    pub lines: usize,
    /// The most bytes of a body. Where none is read this may be much, so that path and method are judged first.
    pub body: u64,
    /// Whether a body may come in chunks: MSAL for Go sends its form so.
    pub chunked: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { head: 16 * 1024, lines: 64, body: 16 * 1024, chunked: false }
    }
}

/// What a scan found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scan {
    /// The head isn't complete yet, and nothing is wrong so far.
    Incomplete,
    /// A sound head.
    Head(Head),
    /// The head is refused, with an answer.
    Refused(FramingRefusal),
    /// It isn't HTTP/1 at all (a TLS hello, HTTP/2): the connection is closed without an answer.
    Hangup,
}

/// A sound head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its length in bytes, the empty line included.
    pub len: usize,
    /// The body behind it.
    pub body: Framing,
}

/// How long a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// So many bytes; 0 is none.
    Length(u64),
    /// It says so itself, chunk by chunk.
    Chunked,
}

/// Why a head is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FramingRefusal {
    /// It isn't an HTTP/1 head.
    Malformed,
    /// It is too long or has too many lines.
    HeadTooLarge,
    /// It announces more body than is read.
    BodyTooLarge,
    /// It expects something before it sends its body.
    Expectation,
}

/// Judges the bytes that arrived since the last request. They may hold more than one head.
#[must_use]
pub fn scan(bytes: &[u8], limits: &Limits) -> Scan {
    match scan_head(bytes, limits) {
        Ok(head) => Scan::Head(head),
        Err(Stop::More) if bytes.len() >= limits.head => Scan::Refused(FramingRefusal::HeadTooLarge),
        Err(Stop::More) => Scan::Incomplete,
        Err(Stop::Refuse(refusal)) => Scan::Refused(refusal),
        Err(Stop::Hangup) => Scan::Hangup,
    }
}

enum Stop {
    More,
    Refuse(FramingRefusal),
    Hangup,
}

const MALFORMED: Stop = Stop::Refuse(FramingRefusal::Malformed);

fn scan_head(bytes: &[u8], limits: &Limits) -> Result<Head, Stop> {
    // A TLS record of a handshake begins so.
    if bytes.first() == Some(&0x16) {
        return Err(Stop::Hangup);
    }
    let mut rest = bytes;
    let request = request_line(next_line(&mut rest, bytes, limits)?)?;
    let (mut length, mut chunked): (Option<u64>, bool) = (None, false);
    let mut lines = 0;
    loop {
        let line = next_line(&mut rest, bytes, limits)?;
        if line.is_empty() {
            break;
        }
        lines += 1;
        if lines > limits.lines {
            return Err(Stop::Refuse(FramingRefusal::HeadTooLarge));
        }
        let (name, value) = header_line(line)?;
        match name.len() {
            6 if name.eq_ignore_ascii_case(b"expect") => {
                return Err(Stop::Refuse(FramingRefusal::Expectation));
            }
            14 if name.eq_ignore_ascii_case(b"content-length") => {
                if length.is_some() {
                    return Err(MALFORMED);
                }
                length = Some(content_length(value)?);
            }
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                let may = limits.chunked && request.may_chunk && !chunked;
                if !may || !value.eq_ignore_ascii_case(b"chunked") {
                    return Err(MALFORMED);
                }
                chunked = true;
            }
            _ => {}
        }
    }
    let body = match (length, chunked) {
        (Some(_), true) => return Err(MALFORMED),
        (None, true) => Framing::Chunked,
        (length, false) => Framing::Length(length.unwrap_or(0)),
    };
    if let Framing::Length(length) = body
        && length > limits.body
    {
        return Err(Stop::Refuse(FramingRefusal::BodyTooLarge));
    }
    Ok(Head { len: bytes.len() - rest.len(), body })
}

/// The next line without its CRLF; `rest` moves behind it.
fn next_line<'b>(rest: &mut &'b [u8], all: &[u8], limits: &Limits) -> Result<&'b [u8], Stop> {
    let Some(end) = memchr(b'\n', rest) else {
        // A lone carriage return or control byte is wrong already now, but waiting for the line is as safe.
        return Err(Stop::More);
    };
    let (line, behind) = (rest.get(..end).unwrap_or_default(), rest.get(end + 1..).unwrap_or_default());
    if all.len() - behind.len() > limits.head {
        return Err(Stop::Refuse(FramingRefusal::HeadTooLarge));
    }
    let Some((b'\r', line)) = line.split_last() else { return Err(MALFORMED) };
    *rest = behind;
    Ok(line)
}

/// `METHOD SP target SP HTTP/1.x`; the target in origin form.
fn request_line(line: &[u8]) -> Result<RequestLine, Stop> {
    let mut parts = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(MALFORMED);
    };
    if method == b"PRI" && version == b"HTTP/2.0" {
        return Err(Stop::Hangup);
    }
    if !matches!(version, b"HTTP/1.1" | b"HTTP/1.0") {
        return Err(MALFORMED);
    }
    if method.is_empty() || method.len() > 32 || !method.iter().all(u8::is_ascii_alphabetic) {
        return Err(MALFORMED);
    }
    if target.first() != Some(&b'/') || !is_target(target) {
        return Err(MALFORMED);
    }
    Ok(RequestLine { may_chunk: method == b"POST" && version == b"HTTP/1.1" })
}

/// What of the request line matters to the headers behind it.
struct RequestLine {
    may_chunk: bool,
}

/// Visible ASCII without what a fragment begins with, what a filter may read as `/`, and what no client sends
/// raw and HTTP libraries refuse in words of their own (WHATWG URL, "path percent-encode set", "query
/// percent-encode set"). Quotes in a path and grave accents in a query are read by all.
fn is_target(bytes: &[u8]) -> bool {
    let (path, query) = bytes.split_at(memchr(b'?', bytes).unwrap_or(bytes.len()));
    is_part(path, b'`') && is_part(query, b'"')
}

/// No branch depends on a byte, so that many are judged at once.
fn is_part(bytes: &[u8], not: u8) -> bool {
    !bytes.iter().fold(false, |bad, byte| {
        let byte = *byte;
        bad | (byte <= b' ')
            | (byte >= 0x7f)
            | (byte == b'#')
            | (byte == b'\\')
            | (byte == b'<')
            | (byte == b'>')
            | (byte == not)
    })
}

/// Anything but control bytes; a tab is none here.
fn is_value(bytes: &[u8]) -> bool {
    !bytes.iter().fold(false, |bad, byte| bad | ((*byte < b' ') & (*byte != b'\t')) | (*byte == 0x7f))
}

/// RFC 9110 §5.6.2.
fn is_token(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-' || b"!#$%&'*+.^_`|~".contains(byte))
}

/// `name: value`; no blank before the colon, no folding, no control byte but the tab.
fn header_line(line: &[u8]) -> Result<(&[u8], &[u8]), Stop> {
    let colon = memchr(b':', line).ok_or(MALFORMED)?;
    let (name, value) = (line.get(..colon).unwrap_or_default(), line.get(colon + 1..).unwrap_or_default());
    if name.is_empty() || !is_token(name) {
        return Err(MALFORMED);
    }
    if !is_value(value) {
        return Err(MALFORMED);
    }
    Ok((name, value.trim_ascii()))
}

fn content_length(value: &[u8]) -> Result<u64, Stop> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(MALFORMED);
    }
    let text = std::str::from_utf8(value).map_err(|_| MALFORMED)?;
    // More digits than a number can hold are more than may come.
    text.parse().map_err(|_| Stop::Refuse(FramingRefusal::BodyTooLarge))
}

#[cfg(test)]
mod tests;
