//! `cargo xtask gen`: documents that are made from the program.

use std::fs;

use anyhow::{Result, bail};
use clap::Args;

use crate::process::{build_symbolon, output, root, say};

/// Whether the documents are written or only compared.
#[derive(Args)]
pub(crate) struct GenArgs {
    /// Write nothing; fail when a document isn't what would be written
    #[arg(long)]
    pub(crate) check: bool,
}

const CLI_REFERENCE: &str = "docs/reference/cli.md";
const COMMANDS: [&str; 6] = ["up", "run", "env", "token", "doctor", "version"];

pub(crate) fn generate(args: &GenArgs) -> Result<()> {
    let path = root().join(CLI_REFERENCE);
    let wanted = cli_reference()?;
    let found = fs::read_to_string(&path).unwrap_or_default();
    if found == wanted {
        say("gen: up to date");
        return Ok(());
    }
    if args.check {
        bail!("{CLI_REFERENCE} is not what the program says; run: cargo xtask gen");
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&path, wanted)?;
    say(&format!("gen: wrote {CLI_REFERENCE}"));
    Ok(())
}

fn cli_reference() -> Result<String> {
    let symbolon = build_symbolon(false)?;
    let mut text = String::from(
        "# The command line\n\nMade by `cargo xtask gen` from the program's own help; don't edit.\n\n\
         Exit codes: 0 done, 1 refused or failed, 2 wrong usage.\n",
    );
    let mut section = |title: &str, args: &[&str]| -> Result<()> {
        let help = output(&symbolon, args)?;
        text.push_str(&format!("\n## {title}\n\n```text\n{}\n```\n", help.trim_end()));
        Ok(())
    };
    section("symbolon", &["--help"])?;
    for command in COMMANDS {
        section(&format!("symbolon {command}"), &[command, "--help"])?;
    }
    Ok(text)
}
