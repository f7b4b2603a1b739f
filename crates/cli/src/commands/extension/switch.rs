//! `symbolon extension enable` and `disable`.

use crate::args::extension::ExtensionSwitchArgs;
use crate::arm::Arm;
use crate::arm::operation::{Action, act};
use crate::arm::target::VM;
use crate::printer::Printer;

pub(super) const ENABLE: Action = Action { segment: "enable", doing: "enabling", done: "is enabled" };
pub(super) const DISABLE: Action = Action { segment: "disable", doing: "disabling", done: "is disabled" };

pub(super) async fn switch(args: &ExtensionSwitchArgs, action: &Action, printer: &Printer) -> anyhow::Result<()> {
    let arm = Arm::open(&args.long.arm).await?;
    let extension = super::on(&arm.one(&VM, &args.vm)?, &args.name);
    act(&arm, &extension, action, (&args.long).into(), printer).await
}
