//! `symbolon vm identity assign`.

use http::Method;
use serde_json::{Value, json};

use crate::args::vm::VmIdentityArgs;
use crate::arm::operation::Change;
use crate::arm::target::{Target, VM};
use crate::arm::{Arm, document, identities};
use crate::printer::Printer;

pub(super) async fn assign(args: &VmIdentityArgs, printer: &Printer) -> anyhow::Result<()> {
    let arm = Arm::open(&args.long.arm).await?;
    let target = arm.one(&VM, &args.name)?;
    let identity = identities::more(&arm, &arm.get(&target).await?, &args.identities)?;
    change(&arm, &target, args, &identity, printer).await
}

/// Changes a VM's identities, and says which it has.
pub(super) async fn change(
    arm: &Arm,
    target: &Target,
    args: &VmIdentityArgs,
    identity: &Value,
    printer: &Printer,
) -> anyhow::Result<()> {
    let doing = format!("changing the identities of {}", target.title);
    let body = json!({"identity": identity}).to_string().into();
    let change = Change { method: Method::PATCH, target, body, doing: &doing };
    let changed = arm.change(change, !args.long.no_wait, printer).await?;
    let Some(vm) = changed.body else { return Ok(()) };
    if args.long.arm.json {
        return printer.json_pretty(&vm);
    }
    Ok(printer.line(format!("{} has: {}", target.title, document::identity(&vm)))?)
}
