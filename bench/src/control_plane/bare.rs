//! The same rows in one bare transaction: what SQLite itself takes for a change that the control plane made.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use anyhow::{Context, Result};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

/// The rows of every table of a database.
#[derive(Default)]
pub(super) struct Rows(BTreeMap<String, Vec<Vec<Value>>>);

impl Rows {
    /// Reads them; there should be few.
    pub(super) fn read(database: &Path) -> Result<Self> {
        let connection = Connection::open(database)?;
        let mut names =
            connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")?;
        let names: Vec<String> = names.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut tables = BTreeMap::new();
        for name in names {
            let mut statement = connection.prepare(&format!("SELECT * FROM \"{name}\""))?;
            let width = statement.column_count();
            let rows = statement.query_map([], |row| (0..width).map(|column| row.get(column)).collect())?;
            tables.insert(name, rows.collect::<Result<_, _>>()?);
        }
        Ok(Self(tables))
    }

    /// Those that are here and weren't before.
    pub(super) fn beyond(self, before: &Self) -> Self {
        let mut new = BTreeMap::new();
        for (name, rows) in self.0 {
            let had: HashSet<String> =
                before.0.get(&name).into_iter().flatten().map(|row| format!("{row:?}")).collect();
            let rows: Vec<_> = rows.into_iter().filter(|row| !had.contains(&format!("{row:?}"))).collect();
            if !rows.is_empty() {
                new.insert(name, rows);
            }
        }
        Self(new)
    }

    /// How many.
    pub(super) fn count(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }
}

/// Writes rows again and again, each time under other keys.
pub(super) struct Bare {
    connection: Connection,
    rows: Rows,
    /// What stands in the rows for the name of the thing.
    name: String,
    written: u128,
}

impl Bare {
    /// On a database as the program would open it: write-ahead log, every commit on the disk, statements kept.
    pub(super) fn new(database: &Path, rows: Rows, name: &str) -> Result<Self> {
        let connection = Connection::open(database)?;
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")?;
        connection.execute_batch("PRAGMA defer_foreign_keys = ON")?;
        connection.set_prepared_statement_cache_capacity(128);
        Ok(Self { connection, rows, name: name.to_owned(), written: 0 })
    }

    /// Writes them once.
    pub(super) fn write(&mut self) -> Result<()> {
        self.written += 1;
        let (name, fresh) = (self.name.as_str(), format!("bare{}", self.written));
        let tx = self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        // The rows come by table, not in the order in which they refer to each other.
        tx.execute_batch("PRAGMA defer_foreign_keys = ON")?;
        let mut keys = BTreeMap::new();
        for table in self.rows.0.keys() {
            let most = format!("SELECT coalesce(max(rowid), 0) FROM \"{table}\"");
            // A table without row numbers has none to give.
            if let Ok(mut statement) = tx.prepare_cached(&most) {
                keys.insert(table.as_str(), statement.query_row([], |row| row.get::<_, i64>(0))?);
            }
        }
        for (table, rows) in &self.rows.0 {
            let width = rows.first().context("a table without rows")?.len();
            let marks = vec!["?"; width].join(", ");
            let mut insert = tx.prepare_cached(&format!("INSERT INTO \"{table}\" VALUES ({marks})"))?;
            for (at, row) in rows.iter().enumerate() {
                let mut values: Vec<Value> =
                    row.iter().map(|value| renamed(value, name, &fresh, self.written)).collect();
                if let (Some(most), Some(first)) = (keys.get(table.as_str()), values.first_mut()) {
                    *first = Value::Integer(most + 1 + i64::try_from(at)?);
                }
                insert.execute(params_from_iter(values))?;
            }
        }
        Ok(tx.commit()?)
    }
}

/// A value under another key: names are replaced, and so are the GUIDs that came with the thing.
fn renamed(value: &Value, name: &str, fresh: &str, number: u128) -> Value {
    let Value::Text(text) = value else { return value.clone() };
    if let Ok(id) = uuid::Uuid::parse_str(text) {
        // The fixed ids of the world are small numbers or derived; random ones say so in their version.
        return match id.get_version_num() {
            4 => Value::Text(uuid::Uuid::from_u128(id.as_u128().wrapping_add(number)).to_string()),
            _ => value.clone(),
        };
    }
    Value::Text(text.replace(name, fresh))
}
