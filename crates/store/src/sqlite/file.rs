//! The database file: made whole, opened only when it is ours.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use tempfile::NamedTempFile;

use super::error::driver;
use super::migrations::{self, Standing};
use crate::{Error, FileRefusal, Founding};

/// `sybn`, in the header of every file of ours.
const APPLICATION_ID: u32 = 0x7379_626e;
/// How long to wait for another process.
const PATIENCE: Duration = Duration::from_secs(5);
/// Compiled statements kept by a connection.
const STATEMENTS: usize = 128;
/// What a connection that reads may keep of the file, in KiB: enough for the upper pages of every index, and the lowest of
/// most, where there are 100,000 machines. SQLite's own 2 MiB aren't, and each page that isn't kept is a call of the system.
/// It takes no more than it has read, and four connections that are kept read in turn, the first whenever it is free.
const KEPT_BY_READER: i64 = 32 * 1024;
/// The part of the header that is looked at, and where things are in it (sqlite.org/fileformat2.html §1.3).
const HEADER_LENGTH: usize = 72;
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Makes the file when there is none, and refuses one that is not ours, without touching it. Gives the path with its
/// directory resolved, so that no symbolic link is left in it.
pub(super) fn ensure(path: &Path, founding: &Founding) -> Result<PathBuf, Error> {
    let path = resolve(path)?;
    match fs::symlink_metadata(&path) {
        Ok(metadata) => inspect(&path, &metadata)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            found(&path, founding)?;
            let metadata = fs::symlink_metadata(&path).map_err(io_error("look at", &path))?;
            inspect(&path, &metadata)?;
        }
        Err(error) => return Err(io_error("look at", &path)(error)),
    }
    Ok(path)
}

/// Opens the connection that writes, and brings the file to our format.
pub(super) fn open_writer(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let mut connection = connect(path, flags)?;
    // Until we know that we may, not even the log is folded back into a file that we refuse.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .map_err(refusal(path, "configure the database"))?;
    let standing = migrations::standing(&connection).map_err(refusal(path, "read the format"))?;
    match standing {
        Standing::Current | Standing::Behind(_) => {}
        Standing::Newer(found) => {
            return Err(refuse(path, FileRefusal::Newer { found, supported: migrations::supported() }));
        }
        Standing::Other(version) => return Err(refuse(path, FileRefusal::OtherHistory { version })),
    }
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)
        .map_err(refusal(path, "configure the database"))?;
    // What is deleted may have been secret: nothing of it stays in the file.
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;")
        .map_err(refusal(path, "configure the database"))?;
    if matches!(standing, Standing::Behind(_)) {
        // Earlier versions left there what they deleted.
        connection.execute_batch("VACUUM").map_err(refusal(path, "clear the database"))?;
        migrations::run(&mut connection).map_err(refusal(path, "migrate the database"))?;
        let emptied = "PRAGMA wal_checkpoint(TRUNCATE)";
        connection.query_row(emptied, [], |_| Ok(())).map_err(refusal(path, "clear the database"))?;
    }
    connection
        .query_row("SELECT installation FROM installation", [], |_| Ok(()))
        .map_err(refusal(path, "read the installation"))?;
    Ok(connection)
}

/// Opens a connection that reads.
pub(super) fn open_reader(path: &Path) -> Result<Connection, Error> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    // Negative: in KiB and not in pages.
    connection.pragma_update(None, "cache_size", -KEPT_BY_READER).map_err(driver("configure the database"))?;
    Ok(connection)
}

/// Stops syncing: for a file that nobody needs after the process.
pub(super) fn forgo_durability(connection: &Connection) -> Result<(), Error> {
    connection.execute_batch("PRAGMA synchronous = OFF").map_err(driver("configure the database"))
}

/// Has SQLite read every page and index.
pub(super) fn check(path: &Path) -> Result<(), Error> {
    let connection = open_reader(path)?;
    let verdict: String = connection
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(refusal(path, "check the database"))?;
    if verdict != "ok" {
        return Err(refuse(path, FileRefusal::Damaged(verdict.into())));
    }
    let mut statement = connection.prepare("PRAGMA foreign_key_check").map_err(driver("check references"))?;
    if statement.exists([]).map_err(driver("check references"))? {
        return Err(refuse(path, FileRefusal::Damaged("a row refers to one that is not there".into())));
    }
    Ok(())
}

fn resolve(path: &Path) -> Result<PathBuf, Error> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    };
    let name = path.file_name().ok_or_else(|| refuse(path, FileRefusal::NotAPlainFile))?;
    Ok(directory.canonicalize().map_err(io_error("find the directory", directory))?.join(name))
}

fn inspect(path: &Path, metadata: &fs::Metadata) -> Result<(), Error> {
    if !metadata.is_file() {
        return Err(refuse(path, FileRefusal::NotAPlainFile));
    }
    check_mode(path, metadata)?;
    let mut header = [0; HEADER_LENGTH];
    match File::open(path).and_then(|mut file| file.read_exact(&mut header)) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(refuse(path, FileRefusal::NotOurs)),
        Err(error) => return Err(io_error("read", path)(error)),
    }
    if !header.starts_with(MAGIC) || big_endian(&header, 68) != Some(APPLICATION_ID) {
        return Err(refuse(path, FileRefusal::NotOurs));
    }
    let supported = migrations::supported();
    match big_endian(&header, 60) {
        Some(found) if found > supported => Err(refuse(path, FileRefusal::Newer { found, supported })),
        Some(_) | None => Ok(()),
    }
}

#[cfg(unix)]
fn check_mode(path: &Path, metadata: &fs::Metadata) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(refuse(path, FileRefusal::LooseMode { mode })) }
}

#[cfg(not(unix))]
fn check_mode(_: &Path, _: &fs::Metadata) -> Result<(), Error> {
    Ok(())
}

fn big_endian(header: &[u8], at: usize) -> Option<u32> {
    header.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

/// Makes the file under another name and gives it its own when it is complete and on disk. When another process was
/// first, its file stays.
fn found(path: &Path, founding: &Founding) -> Result<(), Error> {
    let directory = path.parent().unwrap_or(path);
    // Mode 0600 from its first moment.
    let file = tempfile::Builder::new()
        .prefix(".symbolon-new-")
        .tempfile_in(directory)
        .map_err(io_error("make a file in", directory))?;
    fill(&file, founding).map_err(driver("found the database"))?;
    file.as_file().sync_all().map_err(io_error("sync", path))?;
    match file.persist_noclobber(path) {
        Ok(_) => {}
        Err(first) if first.error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(failed) => return Err(io_error("name", path)(failed.error)),
    }
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(io_error("sync", directory))
}

fn fill(file: &NamedTempFile, founding: &Founding) -> rusqlite::Result<()> {
    let mut connection = Connection::open_with_flags(file.path(), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.execute_batch("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;")?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    migrations::run(&mut connection)?;
    connection.execute(
        "INSERT INTO installation (one, installation, epoch) VALUES (1, ?1, ?2)",
        (founding.installation.to_string(), founding.epoch.to_string()),
    )?;
    connection.close().map_err(|(_, error)| error)
}

fn connect(path: &Path, access: OpenFlags) -> Result<Connection, Error> {
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags).map_err(refusal(path, "open the database"))?;
    connection.busy_timeout(PATIENCE).map_err(driver("configure the database"))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Without it a kept statement is compiled anew whenever other values are bound to it (sqlite.org/queryplanner-ng.html §6).
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(driver("configure the database"))?;
    connection
        .execute_batch("PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;")
        .map_err(refusal(path, "configure the database"))?;
    Ok(connection)
}

fn refuse(path: &Path, refusal: FileRefusal) -> Error {
    Error::File { path: path.to_owned(), refusal }
}

/// What SQLite says about a file that it cannot make sense of, as a refusal.
fn refusal(path: &Path, doing: &'static str) -> impl FnOnce(rusqlite::Error) -> Error {
    let path = path.to_owned();
    move |error| match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => refuse(&path, FileRefusal::NotOurs),
        Some(ErrorCode::DatabaseCorrupt) => refuse(&path, FileRefusal::Damaged(error.into())),
        Some(_) => driver(doing)(error),
        // A table, a row or a column that is not there.
        None => refuse(&path, FileRefusal::Damaged(error.into())),
    }
}

fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { doing, path, source }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn nothing_stays_of_secrets_that_an_earlier_version_kept() {
        let folder = tempfile::tempdir().unwrap();
        let founding = Founding { installation: Uuid::from_u128(1), epoch: Uuid::from_u128(2) };
        let path = folder.path().join("symbolon.db");
        let file = NamedTempFile::new_in(folder.path()).unwrap();
        let connection = Connection::open(file.path()).unwrap();
        connection.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        migrations::begin(&connection, 3);
        // One that is deleted by now, and one that the next step takes out.
        let secret =
            |number: u32| format!("{{\"properties\":{{\"password\":\"SECRET-{number}-{}\"}}}}", "x".repeat(9_000));
        for number in [1, 2] {
            let sql = "INSERT INTO resource VALUES (?1, ?1, NULL, '{}', ?2, 0, 0)";
            connection.execute(sql, (format!("/{number}"), secret(number))).unwrap();
        }
        connection.execute("DELETE FROM resource WHERE key = '/1'", []).unwrap();
        let values = (founding.installation.to_string(), founding.epoch.to_string());
        connection.execute("INSERT INTO installation (one, installation, epoch) VALUES (1, ?1, ?2)", values).unwrap();
        connection.close().unwrap();
        let there = |path: &Path| fs::read(path).unwrap().windows(7).any(|part| part == b"SECRET-");
        assert!(there(file.path()));
        file.persist(&path).unwrap();

        let path = ensure(&path, &founding).unwrap();
        let connection = open_writer(&path).unwrap();
        for file in fs::read_dir(folder.path()).unwrap() {
            let file = file.unwrap().path();
            assert!(!there(&file), "{}", file.display());
        }
        // Nor of what is deleted from now on.
        let sql = "INSERT INTO resource VALUES ('/3', '/3', NULL, '{}', ?1, 0, 0)";
        connection.execute(sql, [secret(3)]).unwrap();
        connection.execute("DELETE FROM resource WHERE key = '/3'", []).unwrap();
        connection.close().unwrap();
        assert!(!there(&path));
    }

    #[test]
    fn what_is_saved_is_on_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let founding = Founding { installation: Uuid::from_u128(1), epoch: Uuid::from_u128(2) };
        let path = ensure(&folder.path().join("symbolon.db"), &founding).unwrap();
        let connection = open_writer(&path).unwrap();
        let pragma = |name: &str| -> String {
            connection
                .query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, rusqlite::types::Value>(0))
                .map(|value| format!("{value:?}"))
                .unwrap()
        };
        // 2 is FULL: a commit is synced before it is told.
        assert_eq!((pragma("synchronous"), pragma("journal_mode")), ("Integer(2)".into(), "Text(\"wal\")".into()));
        forgo_durability(&connection).unwrap();
        assert_eq!(pragma("synchronous"), "Integer(0)");
    }
}
