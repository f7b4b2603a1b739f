//! Where a command's words go. Data goes to standard output, everything else to standard error.

use std::io::{self, IsTerminal, Write};

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

    /// Names with their values, one a line.
    pub(crate) fn fields(&self, fields: &[(&str, String)]) -> io::Result<()> {
        let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        for (name, value) in fields {
            self.line(format!("{name:width$}  {value}").trim_end())?;
        }
        Ok(())
    }

    /// Says what is being done: a line, which grows on a terminal as long as it goes on.
    pub(crate) fn progress(&self, doing: &str) -> io::Result<Progress> {
        let mut stderr = io::stderr().lock();
        let terminal = stderr.is_terminal();
        quiet(write!(stderr, "{doing} ...{}", if terminal { "" } else { "\n" }))?;
        Ok(Progress { terminal })
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

/// Work that goes on; it ends with this.
pub(crate) struct Progress {
    terminal: bool,
}

impl Progress {
    /// It still goes on.
    pub(crate) fn goes_on(&self) -> io::Result<()> {
        if self.terminal { quiet(write!(io::stderr().lock(), ".")) } else { Ok(()) }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.terminal {
            // A line that can't be ended is a terminal that is gone.
            drop(writeln!(io::stderr().lock()));
        }
    }
}

fn quiet(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
