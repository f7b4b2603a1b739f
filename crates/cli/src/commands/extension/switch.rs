//! `symbolon extension enable` and `disable`.

use http::Method;
use hyper::body::Bytes;

use crate::args::extension::ExtensionSwitchArgs;
use crate::arm::Arm;
use crate::arm::operation::Change;
use crate::arm::target::VM;
use crate::printer::Printer;

/// What becomes of an extension.
pub(super) struct Switch {
    segment: &'static str,
    doing: &'static str,
    done: &'static str,
}

pub(super) const ENABLE: Switch = Switch { segment: "enable", doing: "enabling", done: "is enabled" };
pub(super) const DISABLE: Switch = Switch { segment: "disable", doing: "disabling", done: "is disabled" };

pub(super) async fn switch(args: &ExtensionSwitchArgs, switch: &Switch, printer: &Printer) -> anyhow::Result<()> {
    let arm = Arm::open(&args.long.arm).await?;
    let vm = arm.one(&VM, &args.vm)?;
    let title = format!("extension '{}' of {}", args.name, vm.title);
    let doing = format!("{} {title}", switch.doing);
    let target = vm.below(&["extensions", &args.name, switch.segment]);
    let change = Change { method: Method::POST, target: &target, body: Bytes::new(), doing: &doing };
    let changed = arm.change(change, !args.long.no_wait, printer).await?;
    if args.long.arm.json {
        return changed.body.map_or(Ok(()), |body| printer.json_pretty(&body));
    }
    Ok(if changed.going_on { Ok(()) } else { printer.line(format!("{title} {}", switch.done)) }?)
}
