//! In which form a file holds what it holds, by its first bytes.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::root::Root;

/// The form of a file, or of what one unpacks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As it lies.
    Plain,
    /// Packed in a way that is opened here.
    Packed(Packed),
    /// Files as they lie, one behind the other (POSIX.1-1988 ustar and what followed it).
    Tar,
    /// Packed or sealed in a way that isn't opened here; which one.
    Closed(&'static str),
}

/// What is opened here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packed {
    /// By gzip (RFC 1952), as logs are when they are rotated.
    Gzip,
    /// By zlib (RFC 1950), as Git keeps what was committed.
    Zlib,
}

impl Packed {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zlib => "zlib",
        }
    }
}

/// What the others begin with.
const CLOSED: [(&[u8], &str); 21] = [
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\x02\x21\x4c\x18", "lz4 (legacy)"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"PK\x03\x04", "zip"),
    (b"LZIP", "lzip"),
    (b"\x89LZO\0\r\n\x1a\n", "lzop"),
    (b"\x1f\x9d", "compress"),
    (b"hsqs", "squashfs"),
    (b"Rar!\x1a\x07", "rar"),
    (b"LUKS\xba\xbe", "LUKS"),
    (b"!<arch>\ndebian-binary", "deb"),
    (b"!<arch>\n", "ar"),
    (b"\xed\xab\xee\xdb", "rpm"),
    // An initial RAM disk has packed ones behind the first.
    (b"070701", "cpio"),
    (b"MSCF\0\0\0\0", "cab"),
    (b"MSWIM\0\0\0", "wim"),
    (b"QFI\xfb", "qcow2"),
    (b"PACK\0\0\0\x02", "a pack of Git"),
    (b"age-encryption.org/", "age"),
];

/// bzip2 says with a digit how large its blocks are; then comes the first of them, or in an empty file the end.
const BZIP2: &[u8] = b"BZh";
const BLOCKS: [&[u8]; 2] = [b"1AY&SY", b"\x17\x72\x45\x38\x50\x90"];

/// The older form of xz (`xz --format=lzma`): its usual properties, and how long it unpacks to in 8 bytes from here on, which
/// is either not known or no more than 2^56.
const LZMA: &[u8] = b"\x5d\0\0";
const LZMA_LENGTH: std::ops::Range<usize> = 5..13;

/// Where a member of a tar says that it is one.
const USTAR: &[u8] = b"ustar";
const USTAR_AT: usize = 257;

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
    pub(super) const HEAD: usize = PAGE;

    /// The form of what begins with these bytes.
    pub(super) fn of(head: &[u8]) -> Self {
        if head.starts_with(b"\x1f\x8b\x08") {
            return Self::Packed(Packed::Gzip);
        }
        if is_zlib(head) {
            return Self::Packed(Packed::Zlib);
        }
        if let Some((_, what)) = CLOSED.iter().find(|(begins, _)| head.starts_with(begins)) {
            return Self::Closed(what);
        }
        if is_bzip2(head) {
            return Self::Closed("bzip2");
        }
        if is_lzma(head) {
            return Self::Closed("lzma");
        }
        if head.get(USTAR_AT..).is_some_and(|at| at.starts_with(USTAR)) {
            return Self::Tar;
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

    /// What of it isn't opened where it lies within something else.
    pub(super) fn within(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Packed(packed) => Some(packed.name()),
            Self::Tar => Some("tar"),
            Self::Closed(what) => Some(what),
        }
    }
}

/// The usual window of 32 KiB, no dictionary, and a sum that is right (RFC 1950, 2.2).
fn is_zlib(head: &[u8]) -> bool {
    matches!(head, [0x78, flags, ..] if flags & 0x20 == 0 && (0x7800 + u16::from(*flags)) % 31 == 0)
}

fn is_bzip2(head: &[u8]) -> bool {
    match head.strip_prefix(BZIP2) {
        Some([b'1'..=b'9', block @ ..]) => BLOCKS.iter().any(|begins| block.starts_with(begins)),
        Some(_) | None => false,
    }
}

fn is_lzma(head: &[u8]) -> bool {
    let length = head.get(LZMA_LENGTH).filter(|_| head.starts_with(LZMA));
    length.is_some_and(|length| length.iter().all(|byte| *byte == 0xff) || length.last() == Some(&0))
}

/// How long a table of file systems may be, in bytes.
const MAX_TABLE: u64 = 1 << 20;

/// The swap that a machine has elsewhere than in a file below its root, by its `etc/fstab` (fstab(5)); and that it can't be
/// told, where the table is a link or longer than one is.
pub(super) fn swap(root: &Root) -> Vec<String> {
    let table = match root.file(Path::new("etc/fstab")).and_then(table) {
        Ok(table) => table,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => return vec![format!("swap, if it has any: {error}")],
    };
    let entries = table.lines().filter_map(|line| {
        let mut fields = line.split_whitespace().take_while(|field| !field.starts_with('#'));
        let (what, _, kind) = (fields.next()?, fields.next()?, fields.next()?);
        let file = what.strip_prefix('/').is_some_and(|below| root.file(Path::new(below)).is_ok());
        (kind == "swap" && !file).then(|| format!("swap on {what}"))
    });
    entries.collect()
}

fn table(file: File) -> io::Result<String> {
    let mut table = Vec::new();
    file.take(MAX_TABLE + 1).read_to_end(&mut table)?;
    if table.len() as u64 > MAX_TABLE {
        return Err(io::Error::other(format!("longer than {MAX_TABLE} bytes")));
    }
    Ok(String::from_utf8_lossy(&table).into_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::process::Command;

    use super::*;

    #[test]
    fn forms_are_known_by_their_first_bytes() {
        assert_eq!(Form::of(b"\x1f\x8b\x08\x00"), Form::Packed(Packed::Gzip));
        assert_eq!(Form::of(b"\x28\xb5\x2f\xfd\x04"), Form::Closed("zstd"));
        assert_eq!(Form::of(b""), Form::Plain);
        assert_eq!(Form::of(b"BZ is a town"), Form::Plain);
        for level in b'1'..=b'9' {
            assert_eq!(Form::of(&[b"BZh", &[level][..], b"1AY&SY"].concat()), Form::Closed("bzip2"));
        }
        assert_eq!(Form::of(b"BZh9\x17\x72\x45\x38\x50\x90\0\0\0\0"), Form::Closed("bzip2"), "an empty one");
        assert_eq!((Form::of(b"BZh01AY&SY"), Form::of(b"BZh9 is a name")), (Form::Plain, Form::Plain));
        assert_eq!(Form::of(b"\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff\0"), Form::Closed("lzma"));
        assert_eq!(Form::of(b"\x5d\0\0\x80\0\x07\0\0\0\0\0\0\0\0"), Form::Closed("lzma"));
        assert_eq!(Form::of(b"\x5d\0\0 and more"), Form::Plain);
        assert_eq!(Form::of(b"\x02\x21\x4c\x18\0"), Form::Closed("lz4 (legacy)"));
        assert_eq!(Form::of(b"!<arch>\ndebian-binary   0"), Form::Closed("deb"));
        assert_eq!(Form::of(b"!<arch>\nfoo.o/"), Form::Closed("ar"));
        for flags in [0x01, 0x5e, 0x9c, 0xda] {
            assert_eq!(Form::of(&[0x78, flags, 0]), Form::Packed(Packed::Zlib));
        }
        assert_eq!((Form::of(b"x+y"), Form::of(b"x")), (Form::Plain, Form::Plain));
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
        let folder = tempfile::tempdir().unwrap();
        let told = || swap(&Root::open(folder.path()).unwrap());
        let (etc, table) = (folder.path().join("etc"), folder.path().join("etc/fstab"));
        assert_eq!(told(), Vec::<String>::new());
        fs::create_dir(&etc).unwrap();
        fs::write(folder.path().join("swapfile"), "").unwrap();
        symlink("swapfile", folder.path().join("link")).unwrap();
        let text = "# <what> <where> <type>\nUUID=1 / ext4 defaults 0 1\nUUID=2 none swap sw 0 0\n/swapfile none swap sw\n\
                    #/dev/sdz none swap sw\n/dev/disk/azure/resource-part2\tnone\tswap\tsw\nshort\n/link none swap sw\n";
        fs::write(&table, text).unwrap();
        assert_eq!(told(), ["swap on UUID=2", "swap on /dev/disk/azure/resource-part2", "swap on /link"]);
        fs::write(&table, vec![b'\n'; 1 << 20]).unwrap();
        assert_eq!(told(), Vec::<String>::new());
        fs::write(&table, vec![b'\n'; (1 << 20) + 1]).unwrap();
        assert_eq!(told(), ["swap, if it has any: longer than 1048576 bytes"]);

        // Nothing of whoever looks is read by a link of whoever is looked at, and a pipe isn't waited for.
        let other = tempfile::tempdir().unwrap();
        fs::write(other.path().join("fstab"), "/dev/host none swap sw\n").unwrap();
        fs::remove_file(&table).unwrap();
        symlink(other.path().join("fstab"), &table).unwrap();
        assert!(matches!(told().as_slice(), [one] if one.starts_with("swap, if it has any: ")), "{:?}", told());
        fs::remove_file(&table).unwrap();
        assert!(Command::new("mkfifo").arg(&table).status().unwrap().success());
        assert_eq!(told(), ["swap, if it has any: it is no regular file"]);
        fs::remove_dir_all(&etc).unwrap();
        symlink(other.path(), &etc).unwrap();
        assert!(matches!(told().as_slice(), [one] if one.starts_with("swap, if it has any: ")), "{:?}", told());
    }
}
