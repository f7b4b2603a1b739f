//! In which form a file holds what it holds, by its first bytes.

use std::path::Path;

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As it lies.
    Plain,
    /// Packed by gzip (RFC 1952), as logs are when they are rotated.
    Gzip,
    /// Packed or sealed in a way that isn't opened here; which one.
    Closed(&'static str),
}

/// What the others begin with.
const CLOSED: [(&[u8], &str); 12] = [
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"BZh91AY&SY", "bzip2"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"PK\x03\x04", "zip"),
    (b"LZIP", "lzip"),
    (b"\x89LZO\0\r\n\x1a\n", "lzop"),
    (b"\x1f\x9d", "compress"),
    (b"hsqs", "squashfs"),
    (b"Rar!\x1a\x07", "rar"),
    (b"LUKS\xba\xbe", "LUKS"),
];

/// A file of systemd's journal begins with this; 12 bytes on stand the features that it may have used (its documented
/// format: systemd.io/JOURNAL_FILE_FORMAT), of which these pack long fields.
const JOURNAL: &[u8] = b"LPKSHHRH";
const JOURNAL_FEATURES: usize = 12;
const JOURNAL_PACKED: u8 = 0b1011;

/// Swap says so at the end of its first page (mkswap(8)).
const SWAP: &[u8] = b"SWAPSPACE2";
const PAGE: usize = 4096;

impl Form {
    /// How many bytes from the beginning on tell it.
    pub(super) const HEAD: u64 = PAGE as u64;

    /// The form of a file that begins with these bytes.
    pub(super) fn of(head: &[u8]) -> Self {
        if head.starts_with(b"\x1f\x8b\x08") {
            return Self::Gzip;
        }
        if let Some((_, what)) = CLOSED.iter().find(|(begins, _)| head.starts_with(begins)) {
            return Self::Closed(what);
        }
        let features = head.get(JOURNAL_FEATURES).filter(|_| head.starts_with(JOURNAL));
        if features.is_some_and(|features| features & JOURNAL_PACKED != 0) {
            return Self::Closed("the long fields of a journal");
        }
        // It is searched as it lies, but what lay over two pages may lie apart.
        if head.get(PAGE - SWAP.len()..PAGE) == Some(SWAP) {
            Self::Closed("swap: its pages apart")
        } else {
            Self::Plain
        }
    }
}

/// The swap that a machine has elsewhere than in a file below its root, by its `etc/fstab` (fstab(5)).
pub(super) fn swap(root: &Path) -> Vec<String> {
    let Ok(table) = std::fs::read(root.join("etc/fstab")) else { return Vec::new() };
    let table = String::from_utf8_lossy(&table);
    let entries = table.lines().filter_map(|line| {
        let mut fields = line.split_whitespace().take_while(|field| !field.starts_with('#'));
        let (what, _, kind) = (fields.next()?, fields.next()?, fields.next()?);
        let file = what.strip_prefix('/').is_some_and(|below| root.join(below).is_file());
        (kind == "swap" && !file).then(|| format!("swap on {}", what.replace(char::is_control, "\u{fffd}")))
    });
    entries.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_known_by_their_first_bytes() {
        assert_eq!(Form::of(b"\x1f\x8b\x08\x00"), Form::Gzip);
        assert_eq!(Form::of(b"\x28\xb5\x2f\xfd\x04"), Form::Closed("zstd"));
        assert_eq!(Form::of(b""), Form::Plain);
        assert_eq!(Form::of(b"BZ is a town"), Form::Plain);
        let journal = |features: u8| [&b"LPKSHHRH\0\0\0\0"[..], &[features, 0, 0, 0]].concat();
        assert_eq!(Form::of(&journal(0b1000)), Form::Closed("the long fields of a journal"));
        assert_eq!(Form::of(&journal(0b0100)), Form::Plain, "hashed by keys, and not packed");
        let mut swap = vec![0; PAGE];
        swap[PAGE - 10..].copy_from_slice(SWAP);
        assert_eq!(Form::of(&swap), Form::Closed("swap: its pages apart"));
        assert_eq!(Form::of(&swap[1..]), Form::Plain);
    }

    #[test]
    fn swap_is_where_the_table_says() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(swap(root.path()), Vec::<String>::new());
        std::fs::create_dir(root.path().join("etc")).unwrap();
        std::fs::write(root.path().join("swapfile"), "").unwrap();
        let table = "# <what> <where> <type>\nUUID=1 / ext4 defaults 0 1\nUUID=2 none swap sw 0 0\n/swapfile none swap sw\n\
                     #/dev/sdz none swap sw\n/dev/disk/azure/resource-part2\tnone\tswap\tsw\nshort\n";
        std::fs::write(root.path().join("etc/fstab"), table).unwrap();
        assert_eq!(swap(root.path()), ["swap on UUID=2", "swap on /dev/disk/azure/resource-part2"]);
    }
}
