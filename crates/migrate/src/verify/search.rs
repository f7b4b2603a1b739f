//! Searches a file: as it lies, and where it was packed by gzip, what it unpacks to.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::Found;
use super::form::Form;
use super::pattern::{Kind, Patterns};
use super::place::Place;

/// How much of a file is searched at once, and how much of that is searched again with the next piece, in bytes: more than
/// the longest thing that is looked for.
pub(super) const PIECE: usize = 1 << 20;
const OVERLAP: usize = 4 << 10;
/// How much of what a file unpacks to is searched, in bytes: one that unpacks to more was made to.
const MAX_UNPACKED: u64 = 1 << 30;

/// What came of searching a file.
pub(super) struct Looked {
    /// How long it is, in bytes.
    pub(super) bytes: u64,
    /// What is in it, each kind once.
    pub(super) found: Vec<Found>,
    /// Whether it was unpacked.
    pub(super) unpacked: bool,
    /// What of it was not searched.
    pub(super) skipped: Option<String>,
}

/// Searches a file.
///
/// # Errors
/// When it can't be read.
pub(super) fn search(path: &Path, below: &Path, patterns: &Patterns) -> io::Result<Looked> {
    let mut file = File::open(path)?;
    let mut head = Vec::new();
    file.by_ref().take(Form::HEAD).read_to_end(&mut head)?;
    let mut raw = Pieces::default();
    raw.search(head.as_slice().chain(&file), patterns)?;
    let place = Place::of(below);
    let found = |(kind, offset), unpacked| {
        let (worth, why) = place.worth(kind);
        Found { path: below.to_owned(), offset: Some(offset), unpacked, what: kind.described(), worth, why }
    };
    let mut looked = Looked { bytes: raw.length, found: Vec::new(), unpacked: false, skipped: None };
    looked.found.extend(raw.found.into_iter().map(|one| found(one, false)));
    match Form::of(&head) {
        Form::Plain => {}
        Form::Closed(what) => looked.skipped = Some(what.to_owned()),
        Form::Gzip => {
            file.rewind()?;
            let mut within = Pieces::default();
            let all = MultiGzDecoder::new(BufReader::new(file)).take(MAX_UNPACKED);
            let ended = within.search(all, patterns);
            looked.unpacked = true;
            looked.found.extend(within.found.into_iter().map(|one| found(one, true)));
            looked.skipped = match ended {
                Err(why) => Some(format!("gzip, broken behind {} bytes: {why}", within.length)),
                Ok(()) if within.length == MAX_UNPACKED => Some(format!("gzip, behind {MAX_UNPACKED} bytes")),
                Ok(()) => None,
            };
        }
    }
    Ok(looked)
}

/// What was searched so far.
#[derive(Default)]
struct Pieces {
    length: u64,
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
