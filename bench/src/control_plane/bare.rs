//! The same rows in one bare transaction: what SQLite itself takes for a change that the control plane made.

use std::collections::HashSet;
use std::path::Path;

use anyhow::{Context, Result};
use rusqlite::config::DbConfig;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

/// The rows of every table of a database, by table, in the order in which the tables were made: none refers to a later one.
#[derive(Default)]
pub(super) struct Rows(Vec<(String, Vec<Vec<Value>>)>);

impl Rows {
    /// Reads them; there should be few.
    pub(super) fn read(database: &Path) -> Result<Self> {
        let connection = Connection::open(database)?;
        let mut names = connection.prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY rowid",
        )?;
        let names: Vec<String> = names.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut tables = Vec::new();
        for name in names {
            let mut statement = connection.prepare(&format!("SELECT * FROM \"{name}\""))?;
            let width = statement.column_count();
            let rows = statement.query_map([], |row| (0..width).map(|column| row.get(column)).collect())?;
            tables.push((name, rows.collect::<Result<_, _>>()?));
        }
        Ok(Self(tables))
    }

    /// Those that are here and weren't before.
    pub(super) fn beyond(self, before: &Self) -> Self {
        let mut new = Vec::new();
        for (name, rows) in self.0 {
            let had = before.0.iter().filter(|(table, _)| *table == name).flat_map(|(_, rows)| rows);
            let had: HashSet<String> = had.map(|row| format!("{row:?}")).collect();
            let rows: Vec<_> = rows.into_iter().filter(|row| !had.contains(&format!("{row:?}"))).collect();
            if !rows.is_empty() {
                new.push((name, rows));
            }
        }
        Self(new)
    }

    /// How many.
    pub(super) fn count(&self) -> usize {
        self.0.iter().map(|(_, rows)| rows.len()).sum()
    }
}

/// Writes rows again and again, each time under other keys.
pub(super) struct Bare {
    connection: Connection,
    tables: Vec<Table>,
    /// What stands in the rows for the name of the thing.
    name: String,
    written: u128,
}

/// The rows of one table.
struct Table {
    insert: String,
    rows: Vec<Vec<Value>>,
    /// The highest number of a row, where rows have one.
    highest: Option<i64>,
}

impl Bare {
    /// On a database as the program would open it: write-ahead log, every commit on the disk, statements kept.
    pub(super) fn new(database: &Path, rows: Rows, name: &str) -> Result<Self> {
        let connection = Connection::open(database)?;
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_prepared_statement_cache_capacity(128);
        let mut tables = Vec::new();
        for (table, rows) in rows.0 {
            let most = format!("SELECT coalesce(max(rowid), 0) FROM \"{table}\"");
            // A table without row numbers has none to give.
            let highest = match connection.prepare(&most) {
                Ok(mut statement) => Some(statement.query_row([], |row| row.get(0))?),
                Err(_) => None,
            };
            let marks = vec!["?"; rows.first().context("a table without rows")?.len()].join(", ");
            tables.push(Table { insert: format!("INSERT INTO \"{table}\" VALUES ({marks})"), rows, highest });
        }
        Ok(Self { connection, tables, name: name.to_owned(), written: 0 })
    }

    /// Writes them once.
    pub(super) fn write(&mut self) -> Result<()> {
        self.written += 1;
        let (name, fresh) = (self.name.as_str(), format!("bare{}", self.written));
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        for table in &mut self.tables {
            let mut insert = self.connection.prepare_cached(&table.insert)?;
            for row in &table.rows {
                let mut values: Vec<Value> =
                    row.iter().map(|value| renamed(value, name, &fresh, self.written)).collect();
                if let (Some(highest), Some(first)) = (&mut table.highest, values.first_mut()) {
                    *highest += 1;
                    *first = Value::Integer(*highest);
                }
                insert.execute(params_from_iter(values))?;
            }
        }
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }
}

/// A value under another key: names are replaced, and so are the GUIDs that came with the thing.
fn renamed(value: &Value, name: &str, fresh: &str, number: u128) -> Value {
    let Value::Text(text) = value else { return value.clone() };
    if let Ok(id) = uuid::Uuid::parse_str(text) {
        // The fixed ids of the world are small numbers or derived; random ones say so in their version.
        return match id.get_version_num() {
            // As far from the one before as random ones are: each has a page of its own in every index.
            4 => Value::Text(uuid::Uuid::new_v5(&id, &number.to_be_bytes()).to_string()),
            _ => value.clone(),
        };
    }
    Value::Text(text.replace(name, fresh))
}
