//! Why the store failed.

use std::error::Error as StdError;
use std::path::PathBuf;

use crate::{InvalidCursor, Noun};

pub(crate) type Source = Box<dyn StdError + Send + Sync>;

/// Why the store failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database or its driver failed.
    #[error("the database failed: {doing}")]
    Driver {
        /// What was being done.
        doing: String,
        /// Why it failed.
        source: Source,
    },
    /// Others kept the database busy for longer than we wait; the same again may succeed.
    #[error("the database is busy: {doing}")]
    Busy {
        /// What was being done.
        doing: String,
    },
    /// What is stored cannot be what we stored.
    #[error("stored data is inconsistent: table {table}, row {row}")]
    Stored {
        /// The table.
        table: &'static str,
        /// The row's key.
        row: String,
        /// What is wrong with it.
        source: Source,
    },
    /// A statement changed another number of rows than it must.
    #[error("a change of {noun} '{key}' touched {actual} rows and not {expected}")]
    Rows {
        /// What was being changed.
        noun: Noun,
        /// Its key.
        key: String,
        /// How many rows it must touch.
        expected: usize,
        /// How many it touched.
        actual: usize,
    },
    /// Something unique belongs to another, living or deleted.
    #[error("{noun} '{key}' cannot be stored: {what} is taken")]
    Taken {
        /// What was to be stored.
        noun: Noun,
        /// Its key.
        key: String,
        /// What is unique.
        what: Unique,
    },
    /// What the change refers to is not there.
    #[error("{noun} '{key}' does not exist")]
    Missing {
        /// What is not there.
        noun: Noun,
        /// Its key.
        key: String,
    },
    /// It cannot be removed while others refer to it.
    #[error("{noun} '{key}' is in use")]
    InUse {
        /// What was to be removed.
        noun: Noun,
        /// Its key.
        key: String,
    },
    /// What was to be stored contradicts itself, or changes what cannot change.
    #[error("{noun} '{key}' cannot be stored: {why}")]
    Contradiction {
        /// What was to be stored.
        noun: Noun,
        /// Its key.
        key: String,
        /// Why not.
        why: &'static str,
    },
    /// An earlier change of this transaction failed.
    #[error("the transaction cannot be saved: a change in it failed")]
    Spoilt,
    /// A reader of the change feed must start again from a snapshot.
    #[error("the change feed cannot go on from this cursor")]
    Cursor(#[source] CursorExpired),
    /// A file is not one we may use. It was not changed.
    #[error("the database file {} is refused", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        refusal: FileRefusal,
    },
    /// The operating system refused something.
    #[error("{doing} {}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The task that ran the transaction ended without a result; nothing was saved.
    #[error("a database task was stopped")]
    Stopped,
}

/// What is unique in an installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[expect(missing_docs, reason = "each message is the description")]
pub enum Unique {
    #[error("its id")]
    Id,
    #[error("its name")]
    Name,
    #[error("its principal id")]
    PrincipalId,
    #[error("its client id")]
    ClientId,
    #[error("its vmId")]
    VmId,
    #[error("its attachment")]
    Attachment,
    #[error("the thumbprint of its certificate")]
    Thumbprint,
    #[error("this principal, role and scope")]
    RoleAssignment,
}

/// Why a cursor is of no more use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CursorExpired {
    /// Changes after it have been pruned.
    #[error("it is older than the changes that are kept")]
    TooOld,
    /// It is from another store, or from before a restore.
    #[error("it belongs to another history of the store")]
    OtherEpoch,
    /// It is ahead of everything here.
    #[error("it is ahead of every change")]
    Ahead,
}

/// Why a database file is refused.
#[derive(Debug, thiserror::Error)]
pub enum FileRefusal {
    /// Something else wrote it.
    #[error("it is not a symbolon database; choose another data directory")]
    NotOurs,
    /// A newer symbolon wrote it.
    #[error("it has format {found} and this symbolon knows formats up to {supported}; use a newer symbolon")]
    Newer {
        /// Its format.
        found: u32,
        /// The newest we know.
        supported: u32,
    },
    /// Its migrations are not the ones we know.
    #[error("its format {version} was made by another line of development")]
    OtherHistory {
        /// The first format that differs.
        version: u32,
    },
    /// It is ours, and broken.
    #[error("it is damaged; restore it from a backup")]
    Damaged(#[source] Source),
    /// A directory, a device, a symbolic link.
    #[error("it is not a plain file")]
    NotAPlainFile,
    /// Others may read or write it.
    #[error("its mode {mode:03o} lets others in; run chmod 600 on it")]
    LooseMode {
        /// The permission bits.
        mode: u32,
    },
}

impl Error {
    /// Whether the same again may succeed with nothing changed.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::Busy { .. } => true,
            Self::Driver { .. }
            | Self::Stored { .. }
            | Self::Rows { .. }
            | Self::Taken { .. }
            | Self::Missing { .. }
            | Self::InUse { .. }
            | Self::Contradiction { .. }
            | Self::Spoilt
            | Self::Cursor(_)
            | Self::File { .. }
            | Self::Io { .. }
            | Self::Stopped => false,
        }
    }

    pub(crate) fn stored(table: &'static str, row: impl Into<String>, source: impl Into<Source>) -> Self {
        Self::Stored { table, row: row.into(), source: source.into() }
    }
}

impl From<InvalidCursor> for Error {
    /// A cursor we did not write is one of another history.
    fn from(_: InvalidCursor) -> Self {
        Self::Cursor(CursorExpired::OtherEpoch)
    }
}

impl From<Error> for domain::Error {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::Taken { .. } | Error::InUse { .. } | Error::Contradiction { .. } => Self::conflict(text),
            Error::Missing { .. } => Self::not_found(text),
            Error::Cursor(_) => Self::Gone(domain::error::Detail::new(text)),
            Error::Busy { .. } => Self::unavailable(std::time::Duration::from_secs(1), "use the store", error),
            Error::Driver { .. }
            | Error::Stored { .. }
            | Error::Rows { .. }
            | Error::Spoilt
            | Error::File { .. }
            | Error::Io { .. }
            | Error::Stopped => Self::internal("use the store", error),
        }
    }
}
