//! What members of a tar are in a form that isn't opened here. They are searched with the tar, as they lie in it.

use std::collections::BTreeSet;
use std::io::{self, Read};

use super::form::Form;

/// A header, and what a member is padded to, in bytes.
const BLOCK: usize = 512;
/// Where in a header a member's length is: octal digits, or a number behind a first byte with its highest bit.
const LENGTH: std::ops::Range<usize> = 124..136;

/// The forms, each once, of members that aren't as they lie.
pub(super) fn closed(mut from: impl Read) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    let mut header = [0; BLOCK];
    while from.read_exact(&mut header).is_ok() {
        // Two of them end a tar; another may be behind it.
        if header == [0; BLOCK] {
            continue;
        }
        let length = length(&header).filter(|_| Form::of(&header) == Form::Tar);
        let Some((length, padded)) = length.and_then(|length| Some((length, padded(length)?))) else {
            found.insert("what is behind a broken header");
            break;
        };
        let mut head = Vec::new();
        let mut member = from.by_ref().take(padded);
        let read = member.by_ref().take(length.min(Form::HEAD as u64)).read_to_end(&mut head);
        found.extend(Form::of(&head).within());
        if read.and_then(|_| io::copy(&mut member, &mut io::sink())).is_err() {
            break;
        }
    }
    found
}

fn padded(length: u64) -> Option<u64> {
    length.checked_next_multiple_of(BLOCK as u64)
}

fn length(header: &[u8; BLOCK]) -> Option<u64> {
    let field = header.get(LENGTH)?;
    if let Some(number) = field.split_first().and_then(|(first, rest)| (*first == 0x80).then_some(rest)) {
        return number.iter().try_fold(0_u64, |all, byte| all.checked_mul(256)?.checked_add(u64::from(*byte)));
    }
    let digits = std::str::from_utf8(field).ok()?.trim_matches(['\0', ' ']);
    u64::from_str_radix(digits, 8).ok()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A tar of members, each with its length as it is written in its header.
    pub(in super::super) fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut all = Vec::new();
        for (length, content) in members {
            let mut header = [0; BLOCK];
            header[..4].copy_from_slice(b"name");
            header[124..124 + length.len()].copy_from_slice(length.as_bytes());
            header[257..263].copy_from_slice(b"ustar\0");
            all.extend(header);
            all.extend(*content);
            all.resize(all.len().next_multiple_of(BLOCK), 0);
        }
        all.resize(all.len() + 2 * BLOCK, 0);
        all
    }

    fn told(bytes: &[u8]) -> Vec<&'static str> {
        closed(bytes).into_iter().collect()
    }

    #[test]
    fn members_are_known_by_their_first_bytes() {
        let xz = [b"\xfd7zXZ\0".as_slice(), &[1; 600]].concat();
        let one = tar(&[("00000000003 ", b"abc"), ("0001136\0", &xz), ("0000004", b"\x1f\x8b\x08\0")]);
        assert_eq!(told(&one), ["gzip", "xz"]);
        assert_eq!(told(&[one, tar(&[("4", b"hsqs")])].concat()), ["gzip", "squashfs", "xz"], "one behind the other");
        let mut large = tar(&[("", b"BZh91AY&SY")]);
        large[124] = 0x80;
        large[135] = 10;
        assert_eq!(told(&large), ["bzip2"]);
        assert_eq!(told(&tar(&[("3", b"abc")])), Vec::<&str>::new());
    }

    #[test]
    fn what_is_broken_is_told_and_ends() {
        for length in ["9", "x", "-1", ""] {
            let broken = tar(&[(length, b"abc")]);
            assert_eq!(told(&broken), ["what is behind a broken header"], "{length}");
        }
        assert_eq!(told(&tar(&[("777777777777", b"abc")])), Vec::<&str>::new(), "it ends with the file");
        let mut broken = tar(&[("3", b"abc")]);
        broken[124..136].fill(0xff);
        assert_eq!(told(&broken), ["what is behind a broken header"]);
        assert_eq!(told(b"short"), Vec::<&str>::new());
    }
}
