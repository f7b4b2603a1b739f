//! `symbolon vmss upgrade`.

use http::Method;
use serde_json::json;

use crate::args::vmss::VmssUpgradeArgs;
use crate::arm::Arm;
use crate::arm::operation::Change;
use crate::arm::target::SCALE_SET;
use crate::printer::Printer;

pub(super) async fn upgrade(args: &VmssUpgradeArgs, printer: &Printer) -> anyhow::Result<()> {
    let arm = Arm::open(&args.long.arm).await?;
    let scale_set = arm.one(&SCALE_SET, &args.name)?;
    let target = scale_set.below(&["manualupgrade"]);
    let all = vec!["*".to_owned()];
    let instances = if args.instances.is_empty() { &all } else { &args.instances };
    let body = json!({"instanceIds": instances}).to_string().into();
    let doing = format!("upgrading {}", scale_set.title);
    let change = Change { method: Method::POST, target: &target, body, doing: &doing };
    let changed = arm.change(change, !args.long.no_wait, printer).await?;
    if args.long.arm.json {
        return changed.body.map_or(Ok(()), |body| printer.json_pretty(&body));
    }
    let which = if args.instances.is_empty() { "every machine" } else { "what was named" };
    Ok(if changed.going_on {
        Ok(())
    } else {
        printer.line(format!("{which} of {} follows the model", scale_set.title))
    }?)
}
