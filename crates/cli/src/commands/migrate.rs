//! `symbolon migrate`: leave the VM extension.

mod scan;

use super::ExitStatus;
use crate::args::migrate::{MigrateCommand, TreeArgs};
use crate::printer::Printer;

pub(crate) fn migrate(command: &MigrateCommand, printer: &Printer) -> anyhow::Result<ExitStatus> {
    match command {
        MigrateCommand::Scan(args) => scan::scan(args, printer),
    }
}

/// Where to look.
fn options(tree: &TreeArgs) -> migrate::scan::Options {
    let walk = migrate::scan::Walk {
        no_ignore: tree.no_ignore,
        follow: tree.follow,
        exclude: tree.exclude.clone(),
        threads: tree.threads,
    };
    migrate::scan::Options { walk, ports: tree.ports.clone() }
}
