//! `symbolon vmss`: the scale sets of a running `up`.

mod create;
mod delete;
mod instances;
mod list;
mod show;
mod upgrade;

use super::ExitStatus;
use crate::args::vmss::VmssCommand;
use crate::printer::Printer;

pub(crate) async fn vmss(command: &VmssCommand, printer: &Printer) -> anyhow::Result<ExitStatus> {
    match command {
        VmssCommand::List(args) => list::list(args, printer).await,
        VmssCommand::Show(args) => show::show(args, printer).await,
        VmssCommand::Create(args) => create::create(args, printer).await,
        VmssCommand::Delete(args) => delete::delete(args, printer).await,
        VmssCommand::Instances(args) => instances::instances(args, printer).await,
        VmssCommand::Upgrade(args) => upgrade::upgrade(args, printer).await,
    }?;
    Ok(ExitStatus::Ok)
}
