//! `cargo xtask gen`: documents that are made from the program.

mod rules;

use std::fs;
use std::path::Path;

use anyhow::{Result, bail};
use clap::Args;

use crate::process::{build_symbolon, help, root, say};

/// Whether the documents are written or only compared.
#[derive(Args)]
pub(crate) struct GenArgs {
    /// Write nothing; fail when a document isn't what would be written
    #[arg(long)]
    pub(crate) check: bool,
}

const CLI_REFERENCE: &str = "docs/reference/cli.md";

const RULES_REFERENCE: &str = "docs/reference/migrate-rules.md";

pub(crate) fn generate(args: &GenArgs) -> Result<()> {
    let documents = [(RULES_REFERENCE, rules::reference()), (CLI_REFERENCE, cli_reference()?)];
    for (name, wanted) in documents {
        let path = root().join(name);
        let found = fs::read_to_string(&path).unwrap_or_default();
        if found == wanted {
            say(&format!("gen: {name} is up to date"));
            continue;
        }
        if args.check {
            bail!("{name} is not what the program says; run: cargo xtask gen");
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, wanted)?;
        say(&format!("gen: wrote {name}"));
    }
    Ok(())
}

fn cli_reference() -> Result<String> {
    let symbolon = build_symbolon(false)?;
    let overview = help(&symbolon, &["--help"])?;
    let mut text = String::from(
        "# The command line\n\nMade by `cargo xtask gen` from the program's own help; don't edit.\n\n\
         Exit codes: 0 done, 1 refused or failed, 2 wrong usage.\n",
    );
    section(&mut text, "symbolon", &overview);
    let commands = commands(&overview);
    if commands.is_empty() {
        bail!("the help of symbolon names no command");
    }
    for command in commands {
        sections(&mut text, &symbolon, &[command])?;
    }
    Ok(text)
}

/// A command, and then those below it.
fn sections(text: &mut String, symbolon: &Path, command: &[&str]) -> Result<()> {
    let words: Vec<_> = command.iter().copied().chain(["--help"]).collect();
    let told = help(symbolon, &words)?;
    section(text, &format!("symbolon {}", command.join(" ")), &told);
    for below in commands(&told) {
        let command: Vec<_> = command.iter().copied().chain([below]).collect();
        sections(text, symbolon, &command)?;
    }
    Ok(())
}

fn section(text: &mut String, title: &str, help: &str) {
    text.push_str(&format!("\n## {title}\n\n```text\n{}\n```\n", help.trim_end()));
}

/// The commands that a help text lists, without `help` itself.
fn commands(overview: &str) -> Vec<&str> {
    let listed = overview.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // A line that is indented further goes on with the words of the one before.
    let own = listed.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
    own.filter_map(|line| line.split(' ').next()).filter(|name| *name != "help").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_those_that_the_help_lists() {
        let overview = "What\n\nUsage: symbolon <COMMAND>\n\nCommands:\n  up    Run everything\n          in one process\n  \
                        doctor  Look\n  help  Print this\n\nOptions:\n  -h, --help  Print help\n";
        assert_eq!(commands(overview), ["up", "doctor"]);
        assert!(commands("no list").is_empty());
    }
}
