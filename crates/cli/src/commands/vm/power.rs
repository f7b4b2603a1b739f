//! `symbolon vm start`, `restart`, `stop` and `deallocate`.

use crate::args::arm::NamedLongArgs;
use crate::arm::Arm;
use crate::arm::operation::{Action, act};
use crate::arm::target::VM;
use crate::printer::Printer;

pub(super) const START: Action = Action { segment: "start", doing: "starting", done: "runs" };
pub(super) const RESTART: Action = Action { segment: "restart", doing: "restarting", done: "runs again" };
pub(super) const STOP: Action = Action { segment: "powerOff", doing: "stopping", done: "is stopped" };
pub(super) const DEALLOCATE: Action =
    Action { segment: "deallocate", doing: "deallocating", done: "is stopped and deallocated" };

pub(super) async fn power(args: &NamedLongArgs, action: &Action, printer: &Printer) -> anyhow::Result<()> {
    let arm = Arm::open(&args.long.arm).await?;
    act(&arm, &arm.one(&VM, &args.name)?, action, (&args.long).into(), printer).await
}
