//! `symbolon migrate`: leave the VM extension.

mod apply;
mod cutover;
mod machines;
mod plan;
mod scan;
mod status;
mod verify;

use super::ExitStatus;
use crate::args::migrate::{MigrateCommand, TreeArgs};
use crate::printer::Printer;

pub(crate) async fn migrate(command: &MigrateCommand, printer: &Printer) -> anyhow::Result<ExitStatus> {
    match command {
        MigrateCommand::Scan(args) => scan::scan(args, printer),
        MigrateCommand::Apply(args) => apply::apply(args, printer),
        MigrateCommand::Plan(args) => plan::plan(args, printer).await.map(|()| ExitStatus::Ok),
        MigrateCommand::Status(args) => status::status(args, printer).await.map(|()| ExitStatus::Ok),
        MigrateCommand::Cutover(args) => cutover::cutover(args, printer).await,
        MigrateCommand::Verify(args) => verify::verify(args, printer),
    }
}

/// Arguments that don't go together.
fn usage(why: &str, printer: &Printer) -> anyhow::Result<ExitStatus> {
    printer.note(format!("error: {why}"))?;
    Ok(ExitStatus::Usage)
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
