//! `symbolon migrate`.

pub(crate) mod machines;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use self::machines::{MigrateCutoverArgs, MigratePlanArgs, MigrateStatusArgs, MigrateVerifyArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum MigrateCommand {
    /// Find what uses the VM extension in source code, templates, settings and dependencies
    ///
    /// Exit codes: 0 nothing was found, 1 something was (or a file could not be read), 2 wrong usage. Notes (mentions in prose
    /// and comments) don't count. A comment `symbolon:ignore SYM001` on a line or above it suppresses what is meant;
    /// `symbolon:ignore-file` near the start of a file suppresses all of it. The rules: docs/reference/migrate-rules.md
    Scan(MigrateScanArgs),
    /// Change what is safe to change so that it asks the metadata service; say what to do by hand
    ///
    /// Prints a unified diff and changes nothing, unless --write is given. Exit codes: 0 nothing is left to do, 1 something is,
    /// 2 wrong usage
    Apply(MigrateApplyArgs),
    /// Say in which order machines leave the extension, and what is in the way of each
    Plan(MigratePlanArgs),
    /// Show who still calls the extension, and how far each machine is
    Status(MigrateStatusArgs),
    /// Cut machines over to the metadata service, step by step, or go back
    ///
    /// Steps: forwarding (the port stays open and forwards to the metadata service), revoked (the credentials are revoked and
    /// wiped), closed (the port is closed), removed (the extension is gone). Every step but the last can be taken back with
    /// --undo. Whoever is interrupted runs the same command again
    Cutover(MigrateCutoverArgs),
    /// Search a machine's files for credentials, keys and tokens
    ///
    /// Exit codes: 0 nothing usable is left, 1 something is (or a file could not be searched), 2 wrong usage
    Verify(MigrateVerifyArgs),
}

/// Which files.
#[derive(Debug, Args)]
pub(crate) struct TreeArgs {
    /// Files and folders
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Leave out what matches this glob; may be repeated. A file .symbolonignore does the same
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// Also look at what .gitignore and its like leave out
    #[arg(long)]
    pub(crate) no_ignore: bool,
    /// Follow symbolic links to folders
    #[arg(long)]
    pub(crate) follow: bool,
    /// A port that the extension has here; may be repeated. 50342 and those that templates name are known
    #[arg(long = "port", value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) ports: Vec<u16>,
    /// How many threads [default: one per processor]
    #[arg(long, value_name = "N", default_value = "0", hide_default_value = true)]
    pub(crate) threads: usize,
}

/// How findings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScanFormat {
    /// Each line underlined, with what to do
    Human,
    /// One JSON document
    Json,
    /// SARIF 2.1.0
    Sarif,
}

#[derive(Debug, Args)]
pub(crate) struct MigrateScanArgs {
    #[command(flatten)]
    pub(crate) tree: TreeArgs,
    /// How to write what was found
    #[arg(long, value_enum, default_value = "human")]
    pub(crate) format: ScanFormat,
    /// Also show notes; JSON and SARIF always have them
    #[arg(long)]
    pub(crate) notes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct MigrateApplyArgs {
    #[command(flatten)]
    pub(crate) tree: TreeArgs,
    /// Change the files; each is replaced whole, and only if it is still what was read
    #[arg(long)]
    pub(crate) write: bool,
}
