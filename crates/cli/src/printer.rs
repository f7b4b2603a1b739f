//! Where a command's words go. Data goes to standard output, everything else to standard error.

use std::io::{self, Write};

use serde::Serialize;

/// Writes what a command has to say. A closed pipe (`symbolon … | head`) ends the output quietly.
#[derive(Debug, Default)]
pub(crate) struct Printer;

impl Printer {
    /// One line of the command's data.
    pub(crate) fn line(&self, text: impl AsRef<str>) -> io::Result<()> {
        quiet(writeln!(io::stdout().lock(), "{}", text.as_ref()))
    }

    /// The command's data as one line of JSON.
    pub(crate) fn json(&self, value: &impl Serialize) -> anyhow::Result<()> {
        Ok(self.line(serde_json::to_string(value)?)?)
    }

    /// The command's data as JSON for people.
    pub(crate) fn json_pretty(&self, value: &impl Serialize) -> anyhow::Result<()> {
        Ok(self.line(serde_json::to_string_pretty(value)?)?)
    }

    /// A remark that isn't data.
    pub(crate) fn note(&self, text: impl AsRef<str>) -> io::Result<()> {
        quiet(writeln!(io::stderr().lock(), "{}", text.as_ref()))
    }

    /// A table with a head.
    pub(crate) fn table(&self, head: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING).set_header(head.to_vec());
        for row in rows {
            table.add_row(row);
        }
        for line in table.lines() {
            self.line(line.trim_end())?;
        }
        Ok(())
    }
}

fn quiet(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
