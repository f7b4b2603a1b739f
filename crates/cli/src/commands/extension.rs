//! `symbolon extension`: the extensions of VMs and scale sets of a running `up`.

mod delete;
mod list;
mod set;
mod show;
mod switch;

use super::ExitStatus;
use crate::args::extension::{ExtensionCommand, HostArgs};
use crate::arm::Arm;
use crate::arm::target::{SCALE_SET, Target, VM};
use crate::printer::Printer;

pub(crate) async fn extension(command: &ExtensionCommand, printer: &Printer) -> anyhow::Result<ExitStatus> {
    match command {
        ExtensionCommand::List(args) => list::list(args, printer).await,
        ExtensionCommand::Show(args) => show::show(args, printer).await,
        ExtensionCommand::Set(args) => set::set(args, printer).await,
        ExtensionCommand::Enable(args) => switch::switch(args, &switch::ENABLE, printer).await,
        ExtensionCommand::Disable(args) => switch::switch(args, &switch::DISABLE, printer).await,
        ExtensionCommand::Delete(args) => delete::delete(args, printer).await,
    }?;
    Ok(ExitStatus::Ok)
}

/// What it is on.
fn host(arm: &Arm, args: &HostArgs) -> anyhow::Result<Target> {
    match (&args.vm, &args.vmss) {
        (_, Some(scale_set)) => arm.one(&SCALE_SET, scale_set),
        (vm, None) => arm.one(&VM, vm.as_deref().unwrap_or_default()),
    }
}

/// The extension itself.
fn one(arm: &Arm, args: &HostArgs, name: &str) -> anyhow::Result<Target> {
    Ok(on(&host(arm, args)?, name))
}

fn on(host: &Target, name: &str) -> Target {
    host.below(&["extensions", name]).called(format!("extension '{name}' of {}", host.title))
}
