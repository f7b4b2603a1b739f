//! A body that comes in chunks: sizes of up to eight hexadecimal digits, no extensions, no trailers.

/// Follows the chunks of one body. Only what was judged may be passed on.
#[derive(Clone, Copy, Debug)]
pub struct Chunked {
    state: State,
    /// How many bytes of data may still come.
    left: u64,
}

/// The chunks aren't what they must be, or more than may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the chunks of the body are malformed or too many")]
pub struct BrokenChunk;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Size { digits: u8, size: u64 },
    SizeEnd { size: u64 },
    Data { size: u64 },
    DataCr,
    DataLf,
    EndCr,
    EndLf,
    Done,
}

const MAX_DIGITS: u8 = 8;

impl Chunked {
    /// A body of at most so many bytes of data.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        Self { state: State::Size { digits: 0, size: 0 }, left: limit }
    }

    /// Whether the last chunk has come.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Judges the next bytes; gives how many of them belong to the body.
    ///
    /// # Errors
    /// When they can't be part of it.
    pub fn follow(&mut self, bytes: &[u8]) -> Result<usize, BrokenChunk> {
        let mut at = 0;
        while let (Some(byte), false) = (bytes.get(at), self.is_done()) {
            if let State::Data { size } = self.state {
                let there = (bytes.len() - at) as u64;
                let taken = size.min(there);
                at += usize::try_from(taken).map_err(|_| BrokenChunk)?;
                self.state = if taken == size { State::DataCr } else { State::Data { size: size - taken } };
            } else {
                self.state = self.step(*byte)?;
                at += 1;
            }
        }
        Ok(at)
    }

    fn step(&mut self, byte: u8) -> Result<State, BrokenChunk> {
        match (self.state, byte) {
            (State::Size { digits: 1.., size }, b'\r') => Ok(State::SizeEnd { size }),
            (State::Size { digits, size }, digit) if digits < MAX_DIGITS => {
                let digit = char::from(digit).to_digit(16).ok_or(BrokenChunk)?;
                Ok(State::Size { digits: digits + 1, size: size * 16 + u64::from(digit) })
            }
            (State::SizeEnd { size: 0 }, b'\n') => Ok(State::EndCr),
            (State::SizeEnd { size }, b'\n') => {
                self.left = self.left.checked_sub(size).ok_or(BrokenChunk)?;
                Ok(State::Data { size })
            }
            (State::DataCr, b'\r') => Ok(State::DataLf),
            (State::DataLf, b'\n') => Ok(State::Size { digits: 0, size: 0 }),
            (State::EndCr, b'\r') => Ok(State::EndLf),
            (State::EndLf, b'\n') => Ok(State::Done),
            (
                State::Size { .. }
                | State::SizeEnd { .. }
                | State::Data { .. }
                | State::DataCr
                | State::DataLf
                | State::EndCr
                | State::EndLf
                | State::Done,
                _,
            ) => Err(BrokenChunk),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn follow(bytes: &[u8]) -> Result<(usize, bool), BrokenChunk> {
        let mut chunked = Chunked::new(16);
        let count = chunked.follow(bytes)?;
        Ok((count, chunked.is_done()))
    }

    #[test]
    fn sound_chunks_end_where_they_say() {
        assert_eq!(follow(b"3\r\nabc\r\n00a\r\n0123456789\r\n0\r\n\r\nGET"), Ok((30, true)));
        assert_eq!(follow(b"0\r\n\r\n"), Ok((5, true)));
        assert_eq!(follow(b"3\r\nab"), Ok((5, false)));
    }

    #[test]
    fn everything_else_is_broken() {
        for wrong in [
            "\r\n",
            "3;a=b\r\nabc\r\n",
            "0x3\r\nabc",
            "3\nabc",
            "3\r\nabcd",
            "3\r\nabc\n",
            "-1\r\n",
            "+3\r\n",
            " 3\r\n",
            "000000003\r\n",
            "11\r\n",
            "0\r\nTrailer: a\r\n\r\n",
            "g\r\n",
        ] {
            assert_eq!(follow(wrong.as_bytes()), Err(BrokenChunk), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn pieces_are_judged_like_the_whole(body: Vec<u8>, cuts in prop::collection::vec(1usize..9, 0..40)) {
            let mut encoded = Vec::new();
            for chunk in body.chunks(7) {
                encoded.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                encoded.extend_from_slice(chunk);
                encoded.extend_from_slice(b"\r\n");
            }
            encoded.extend_from_slice(b"0\r\n\r\n");
            let mut chunked = Chunked::new(u64::MAX);
            let mut rest = encoded.as_slice();
            for cut in cuts {
                let piece = &rest[..cut.min(rest.len())];
                prop_assert_eq!(chunked.follow(piece), Ok(piece.len()));
                rest = &rest[piece.len()..];
            }
            prop_assert_eq!(chunked.follow(rest), Ok(rest.len()));
            prop_assert!(chunked.is_done());
        }

        #[test]
        fn any_bytes_have_a_verdict(bytes: Vec<u8>) {
            let _ = follow(&bytes);
        }
    }
}
