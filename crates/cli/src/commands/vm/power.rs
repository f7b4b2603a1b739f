//! `symbolon vm start`, `restart`, `stop` and `deallocate`.

use http::Method;
use hyper::body::Bytes;

use crate::args::arm::NamedLongArgs;
use crate::arm::Arm;
use crate::arm::operation::Change;
use crate::arm::target::VM;
use crate::printer::Printer;

/// What becomes of a machine's power.
pub(super) struct Action {
    segment: &'static str,
    doing: &'static str,
    done: &'static str,
}

pub(super) const START: Action = Action { segment: "start", doing: "starting", done: "runs" };
pub(super) const RESTART: Action = Action { segment: "restart", doing: "restarting", done: "runs again" };
pub(super) const STOP: Action = Action { segment: "powerOff", doing: "stopping", done: "is stopped" };
pub(super) const DEALLOCATE: Action =
    Action { segment: "deallocate", doing: "deallocating", done: "is stopped and deallocated" };

pub(super) async fn power(args: &NamedLongArgs, action: &Action, printer: &Printer) -> anyhow::Result<()> {
    let arm = Arm::open(&args.long.arm).await?;
    let vm = arm.one(&VM, &args.name)?;
    let doing = format!("{} {}", action.doing, vm.title);
    let target = vm.below(&[action.segment]);
    let change = Change { method: Method::POST, target: &target, body: Bytes::new(), doing: &doing };
    let changed = arm.change(change, !args.long.no_wait, printer).await?;
    if args.long.arm.json {
        return changed.body.map_or(Ok(()), |body| printer.json_pretty(&body));
    }
    Ok(if changed.going_on { Ok(()) } else { printer.line(format!("{} {}", vm.title, action.done)) }?)
}
