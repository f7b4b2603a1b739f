//! `symbolon event`: what is going to happen to the VMs of a running `up`.

mod fire;
mod list;

use super::ExitStatus;
use crate::args::event::EventCommand;
use crate::printer::Printer;

pub(crate) async fn event(command: &EventCommand, printer: &Printer) -> anyhow::Result<ExitStatus> {
    match command {
        EventCommand::Fire(args) => fire::fire(args, printer).await,
        EventCommand::List(args) => list::list(args, printer).await,
    }?;
    Ok(ExitStatus::Ok)
}
