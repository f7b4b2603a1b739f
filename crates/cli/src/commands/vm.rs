//! `symbolon vm`: the VMs of a running `up`.

mod assign;
mod create;
mod delete;
mod list;
mod power;
mod remove;
pub(super) mod show;

use super::ExitStatus;
use crate::args::vm::{VmCommand, VmIdentityCommand};
use crate::printer::Printer;

pub(crate) async fn vm(command: &VmCommand, printer: &Printer) -> anyhow::Result<ExitStatus> {
    match command {
        VmCommand::List(args) => list::list(args, printer).await,
        VmCommand::Show(args) => show::show(args, printer).await,
        VmCommand::Create(args) => create::create(args, printer).await,
        VmCommand::Delete(args) => delete::delete(args, printer).await,
        VmCommand::Start(args) => power::power(args, &power::START, printer).await,
        VmCommand::Restart(args) => power::power(args, &power::RESTART, printer).await,
        VmCommand::Stop(args) => power::power(args, &power::STOP, printer).await,
        VmCommand::Deallocate(args) => power::power(args, &power::DEALLOCATE, printer).await,
        VmCommand::Identity(VmIdentityCommand::Assign(args)) => assign::assign(args, printer).await,
        VmCommand::Identity(VmIdentityCommand::Remove(args)) => remove::remove(args, printer).await,
    }?;
    Ok(ExitStatus::Ok)
}
