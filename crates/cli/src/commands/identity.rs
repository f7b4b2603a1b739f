//! `symbolon identity`: the user-assigned identities of a running `up`.

mod create;
mod delete;
mod list;
mod show;

use super::ExitStatus;
use crate::args::identity::IdentityCommand;
use crate::printer::Printer;

pub(crate) async fn identity(command: &IdentityCommand, printer: &Printer) -> anyhow::Result<ExitStatus> {
    match command {
        IdentityCommand::List(args) => list::list(args, printer).await,
        IdentityCommand::Show(args) => show::show(args, printer).await,
        IdentityCommand::Create(args) => create::create(args, printer).await,
        IdentityCommand::Delete(args) => delete::delete(args, printer).await,
    }?;
    Ok(ExitStatus::Ok)
}
