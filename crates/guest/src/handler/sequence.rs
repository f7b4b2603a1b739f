//! Which settings are meant, and which were applied last.

use std::fs;
use std::io;
use std::path::Path;

use crate::disk::{DiskError, write_atomically};
use crate::files;

/// The file in which a handler keeps the number of the settings that it applied last.
const FILE: &str = "mrseq";
/// The longest number.
const MAX: u64 = 32;

/// The number of the newest settings file in a folder, by its time and then by its number: what is meant when no
/// agent says it. Without any there are no settings, which is number 0.
///
/// # Errors
/// When the folder can't be read.
pub fn newest(config: &Path) -> Result<u64, DiskError> {
    let failed = |why| DiskError::Io { doing: "read", path: config.to_owned(), why };
    let entries = match fs::read_dir(config) {
        Ok(entries) => entries,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(why) => return Err(failed(why)),
    };
    let mut newest = None;
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".settings")?.parse::<u64>().ok());
        let Some(number) = number else { continue };
        let changed = entry.metadata().and_then(|found| found.modified()).map_err(failed)?;
        newest = newest.max(Some((changed, number)));
    }
    Ok(newest.map_or(0, |(_, number)| number))
}

/// The number that was applied last by the handler in a folder; `None` when none was, or the file says nothing.
#[must_use]
pub fn applied(handler: &Path) -> Option<u64> {
    let text = files::read(&handler.join(FILE), MAX).ok()??;
    std::str::from_utf8(&text).ok()?.trim().parse().ok()
}

/// Notes which number was applied.
///
/// # Errors
/// When the disk refuses.
pub fn set_applied(handler: &Path, number: u64) -> Result<(), DiskError> {
    let path = handler.join(FILE);
    let written = write_atomically(&path, number.to_string().as_bytes(), 0o600);
    written.map_err(|why| DiskError::Io { doing: "written", path, why })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn the_newest_settings_are_meant_whatever_their_number_is() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(newest(&folder.path().join("none")).unwrap(), 0);
        assert_eq!(newest(folder.path()).unwrap(), 0);
        let put = |name: &str, at| {
            let file = fs::File::create(folder.path().join(name)).unwrap();
            file.set_modified(UNIX_EPOCH + Duration::from_secs(at)).unwrap();
        };
        put("9.settings", 100);
        put("2.settings", 200);
        put("HandlerState", 900);
        put("x.settings", 900);
        put("7.settings.bak", 900);
        assert_eq!(newest(folder.path()).unwrap(), 2);
        put("10.settings", 200);
        assert_eq!(newest(folder.path()).unwrap(), 10, "by number where the time is the same");
    }

    #[test]
    fn what_was_applied_is_read_again_and_rubbish_is_not() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(applied(folder.path()), None);
        set_applied(folder.path(), 7).unwrap();
        assert_eq!(applied(folder.path()), Some(7));
        for rubbish in ["", "-1", "seven", &"1".repeat(40)] {
            fs::write(folder.path().join(FILE), rubbish).unwrap();
            assert_eq!(applied(folder.path()), None, "{rubbish}");
        }
    }
}
