//! Columns as domain values. What cannot be one names its table and row.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::str::FromStr;

use domain::{ResourceId, Scope, Sealed, Timestamp};
use rusqlite::types::FromSql;

use crate::{Error, Page};

/// A row of one table while it is read.
pub(super) struct Row<'r, 's> {
    row: &'r rusqlite::Row<'s>,
    table: &'static str,
    /// The column that names the row in an error.
    key: &'static str,
    /// The column behind the one that was read last.
    next: Cell<usize>,
}

impl<'r, 's> Row<'r, 's> {
    pub(super) fn new(row: &'r rusqlite::Row<'s>, table: &'static str, key: &'static str) -> Self {
        Self { row, table, key, next: Cell::new(0) }
    }

    /// A column as it is stored.
    pub(super) fn get<T: FromSql>(&self, column: &'static str) -> Result<T, Error> {
        self.index(column).and_then(|index| self.row.get(index)).map_err(|error| self.bad(error))
    }

    /// A text column that stands for something.
    pub(super) fn parse<T>(&self, column: &'static str) -> Result<T, Error>
    where
        T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
    {
        self.text(column, |text| text.parse().map_err(|error| self.bad::<T::Err>(error)))
    }

    /// The same where the column may be NULL.
    pub(super) fn parse_optional<T>(&self, column: &'static str) -> Result<Option<T>, Error>
    where
        T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
    {
        let text: Option<String> = self.get(column)?;
        text.map(|text| text.parse().map_err(|error| self.bad::<T::Err>(error))).transpose()
    }

    /// A word of ours.
    pub(super) fn word<T>(&self, column: &'static str, known: impl Fn(&str) -> Option<T>) -> Result<T, Error> {
        self.text(column, |text| known(text).ok_or_else(|| self.bad(format!("unknown {column} '{text}'"))))
    }

    pub(super) fn resource_id(&self, column: &'static str) -> Result<ResourceId, Error> {
        self.parse(column)
    }

    pub(super) fn time(&self, column: &'static str) -> Result<Timestamp, Error> {
        self.get(column).map(Timestamp::from_unix)
    }

    pub(super) fn optional_time(&self, column: &'static str) -> Result<Option<Timestamp>, Error> {
        let seconds: Option<i64> = self.get(column)?;
        Ok(seconds.map(Timestamp::from_unix))
    }

    pub(super) fn bytes<const N: usize>(&self, column: &'static str) -> Result<[u8; N], Error> {
        let bytes: Vec<u8> = self.get(column)?;
        <[u8; N]>::try_from(bytes).map_err(|bytes| self.bad(format!("{column} has {} bytes", bytes.len())))
    }

    /// A count, a number in a sequence.
    pub(super) fn number(&self, column: &'static str) -> Result<u64, Error> {
        let number: i64 = self.get(column)?;
        u64::try_from(number).map_err(|error| self.bad(error))
    }

    /// Sealed bytes, from the column of their key and their own.
    pub(super) fn sealed(&self, kek_id: &'static str, bytes: &'static str) -> Result<Option<Sealed>, Error> {
        let (kek_id, bytes): (Option<String>, Option<Vec<u8>>) = (self.get(kek_id)?, self.get(bytes)?);
        Ok(kek_id.zip(bytes).map(|(kek_id, bytes)| Sealed { kek_id, bytes }))
    }

    pub(super) fn tags(&self, column: &'static str) -> Result<BTreeMap<String, String>, Error> {
        self.text(column, |text| serde_json::from_str(text).map_err(|error| self.bad(error)))
    }

    /// The error that says this row is wrong.
    pub(super) fn bad<E>(&self, source: E) -> Error
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let key = match self.row.get_ref(self.key) {
            Ok(rusqlite::types::ValueRef::Text(text)) => String::from_utf8_lossy(text).into_owned(),
            Ok(rusqlite::types::ValueRef::Integer(number)) => number.to_string(),
            Ok(rusqlite::types::ValueRef::Blob(bytes)) => hex(bytes),
            Ok(rusqlite::types::ValueRef::Real(_) | rusqlite::types::ValueRef::Null) | Err(_) => "?".to_owned(),
        };
        Error::stored(self.table, key, source)
    }

    fn text<T>(&self, column: &'static str, read: impl FnOnce(&str) -> Result<T, Error>) -> Result<T, Error> {
        let value = self.index(column).and_then(|index| self.row.get_ref(index)).map_err(|error| self.bad(error))?;
        read(value.as_str().map_err(|error| self.bad(error))?)
    }

    /// Where a column is. Most are read in the order in which the statement has them, so the next one is looked at first:
    /// a search compares the names of all that come before.
    fn index(&self, column: &str) -> rusqlite::Result<usize> {
        let (statement, next) = (self.row.as_ref(), self.next.get());
        let index = match statement.column_name(next) {
            Ok(name) if name == column => next,
            Ok(_) | Err(_) => statement.column_index(column)?,
        };
        self.next.set(index + 1);
        Ok(index)
    }
}

/// Tags as they are stored.
pub(super) fn tags_text(tags: &BTreeMap<String, String>) -> String {
    let object = tags.iter().map(|(name, value)| (name.clone(), serde_json::Value::from(value.as_str())));
    serde_json::Value::Object(object.collect()).to_string()
}

/// A count, or a number in a sequence, as it is stored.
pub(super) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bounds of the keys within a scope: equal to the first, or from the second to below the third. (`0` follows `/`.)
pub(super) fn within(scope: &Scope) -> [String; 3] {
    match scope {
        Scope::Root => ["/".to_owned(), "/".to_owned(), "0".to_owned()],
        Scope::At(id) => [id.key().to_owned(), format!("{}/", id.key()), format!("{}0", id.key())],
    }
}

/// Reads a piece of a list of what is within a scope, which is ordered by key: `read` gives what there is from a key to
/// below another, so many at most. So the database seeks the first of them, however many there are.
pub(super) fn listed<T>(
    scope: &Scope,
    piece: &Page,
    mut read: impl FnMut(&str, &str, i64) -> Result<Vec<T>, Error>,
) -> Result<Vec<T>, Error> {
    let [own, from, below] = within(scope);
    // Nothing stands between a key and the same with a zero at its end.
    let next = |key: &str| format!("{key}\0");
    let past = piece.after.as_deref().map(next);
    let mut found = Vec::new();
    for (from, below) in [(own.clone(), next(&own)), (from, below)] {
        let from = past.clone().map_or(from.clone(), |past| past.max(from));
        let left = piece.limit.saturating_sub(found.len());
        if from < below && left > 0 {
            found.extend(read(&from, &below, i64::try_from(left).unwrap_or(i64::MAX))?);
        }
    }
    Ok(found)
}
