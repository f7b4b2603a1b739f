//! `symbolon playbook`: faults on purpose, in a running `up`.

mod run;
mod show;
mod stop;

use super::ExitStatus;
use crate::args::playbook::PlaybookCommand;
use crate::printer::Printer;

pub(crate) async fn playbook(command: &PlaybookCommand, printer: &Printer) -> anyhow::Result<ExitStatus> {
    match command {
        PlaybookCommand::Run(args) => run::run(args, printer).await,
        PlaybookCommand::Show(args) => show::show(args, printer).await,
        PlaybookCommand::Stop(args) => stop::stop(args, printer).await,
    }?;
    Ok(ExitStatus::Ok)
}
