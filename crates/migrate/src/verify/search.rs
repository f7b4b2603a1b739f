//! Searches a file: as it lies, and where it was packed by gzip or zlib, what it unpacks to.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use flate2::read::{MultiGzDecoder, ZlibDecoder};

use super::Found;
use super::form::{Form, Packed};
use super::pattern::{Kind, Patterns};
use super::place::Place;
use super::tar;

/// How much of a file is searched at once, and how much of that is searched again with the next piece, in bytes: more than
/// the longest thing that is looked for.
pub(super) const PIECE: usize = 1 << 20;
const OVERLAP: usize = 4 << 10;
/// How much of what a file unpacks to is searched, in bytes.
const MAX_UNPACKED: u64 = 1 << 30;

/// What came of searching a file.
#[derive(Default)]
pub(super) struct Looked {
    /// How long it is, in bytes.
    pub(super) bytes: u64,
    /// What is in it, each kind once.
    pub(super) found: Vec<Found>,
    /// Whether it was unpacked.
    pub(super) unpacked: bool,
    /// In which forms it holds what was not looked into.
    pub(super) skipped: BTreeSet<String>,
    /// Why what it unpacks to was not searched to its end.
    pub(super) unread: Option<String>,
}

/// Searches a file, which lies at `below`.
///
/// # Errors
/// When it can't be read.
pub(super) fn search(mut file: File, below: &Path, patterns: &Patterns) -> io::Result<Looked> {
    let mut raw = Pieces::default();
    raw.search(&file, patterns)?;
    let place = Place::of(below);
    let found = |(kind, offset), unpacked| {
        let (worth, why) = place.worth(kind);
        Found { path: below.to_owned(), offset: Some(offset), unpacked, what: kind.described(), worth, why }
    };
    let mut looked = Looked { bytes: raw.length, ..Looked::default() };
    looked.found.extend(raw.found.into_iter().map(|one| found(one, false)));
    match Form::of(&raw.head) {
        Form::Plain => {}
        Form::Closed(what) => looked.skipped = [what.to_owned()].into(),
        Form::Tar => {
            file.rewind()?;
            looked.skipped =
                tar::closed(BufReader::new(&file)).into_iter().map(|what| format!("{what} in tar")).collect();
        }
        Form::Packed(packed) => {
            let within = unpack(&mut file, packed, MAX_UNPACKED, patterns)?;
            looked.unpacked = true;
            looked.found.extend(within.pieces.found.into_iter().map(|one| found(one, true)));
            (looked.skipped, looked.unread) = (within.skipped, within.unread);
        }
    }
    Ok(looked)
}

/// What came of what a file unpacks to.
struct Unpacked {
    pieces: Pieces,
    skipped: BTreeSet<String>,
    unread: Option<String>,
}

/// Searches what a file unpacks to, no more than `max` bytes of it.
fn unpack(file: &mut File, packed: Packed, max: u64, patterns: &Patterns) -> io::Result<Unpacked> {
    file.rewind()?;
    let mut pieces = Pieces::default();
    let mut all = decoder(file, packed).take(max);
    let ended = pieces.search(&mut all, patterns);
    all.set_limit(1);
    let more = pieces.length == max && all.read(&mut [0]).is_ok_and(|read| read > 0);
    drop(all);
    let (name, length) = (packed.name(), pieces.length);
    let (mut skipped, mut unread) = (BTreeSet::new(), None);
    match ended {
        Ok(()) if more => unread = Some(format!("{name}: what comes behind {max} unpacked bytes was not searched")),
        Ok(()) => {}
        // Two bytes say that it is zlib's, and others begin with them too.
        Err(why) if packed == Packed::Zlib => {
            skipped.insert(format!("zlib, or what looks like it: broken behind {length} unpacked bytes: {why}"));
        }
        Err(why) => unread = Some(format!("{name}: broken behind {length} unpacked bytes: {why}")),
    }
    match Form::of(&pieces.head) {
        Form::Tar => {
            file.rewind()?;
            let closed = tar::closed(BufReader::new(decoder(file, packed).take(max)));
            skipped.extend(closed.into_iter().map(|what| format!("{what} in tar in {name}")));
        }
        form @ (Form::Plain | Form::Packed(_) | Form::Closed(_)) => {
            skipped.extend(form.within().map(|what| format!("{what} in {name}")));
        }
    }
    Ok(Unpacked { pieces, skipped, unread })
}

fn decoder<'a>(file: &'a File, packed: Packed) -> Box<dyn Read + 'a> {
    match packed {
        Packed::Gzip => Box::new(MultiGzDecoder::new(BufReader::new(file))),
        Packed::Zlib => Box::new(ZlibDecoder::new(BufReader::new(file))),
    }
}

/// What was searched so far.
#[derive(Default)]
struct Pieces {
    length: u64,
    /// The first bytes, which tell the form.
    head: Vec<u8>,
    /// What was found, each kind once, with where it begins.
    found: Vec<(Kind, u64)>,
}

impl Pieces {
    /// Searches all that can be read; what was read before an error counts.
    fn search(&mut self, mut from: impl Read, patterns: &Patterns) -> io::Result<()> {
        let (mut piece, mut begins) = (Vec::with_capacity(PIECE + OVERLAP), 0);
        loop {
            let before = piece.len();
            let ended = from.by_ref().take(PIECE as u64).read_to_end(&mut piece);
            if self.length == 0 {
                self.head.extend(piece.iter().take(Form::HEAD));
            }
            self.length += (piece.len() - before) as u64;
            for (kind, at) in patterns.find(&piece) {
                if !self.found.iter().any(|(known, _)| *known == kind) {
                    self.found.push((kind, begins + at as u64));
                }
            }
            if ended? == 0 {
                return Ok(());
            }
            let searched = piece.len().saturating_sub(OVERLAP);
            piece.drain(..searched);
            begins += searched as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn what_unpacks_to_more_than_is_searched_is_unread() {
        let mut packed = GzEncoder::new(tempfile::tempfile().unwrap(), Compression::default());
        packed.write_all(&[b'.'; 5_000]).unwrap();
        let mut file = packed.finish().unwrap();
        let patterns = Patterns::new().unwrap();
        let mut unread = |max| unpack(&mut file, Packed::Gzip, max, &patterns).unwrap().unread;
        assert_eq!((unread(5_001), unread(5_000)), (None, None));
        assert_eq!(unread(4_999).unwrap(), "gzip: what comes behind 4999 unpacked bytes was not searched");
    }
}
