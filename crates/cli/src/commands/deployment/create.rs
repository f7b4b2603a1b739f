//! `symbolon deployment create`.

use http::Method;

use super::template;
use crate::args::deployment::DeploymentCreateArgs;
use crate::arm::Arm;
use crate::arm::operation::Change;
use crate::arm::target::DEPLOYMENT;
use crate::printer::Printer;

pub(super) async fn create(args: &DeploymentCreateArgs, printer: &Printer) -> anyhow::Result<()> {
    let body = template::body(&args.template)?;
    let arm = Arm::open(&args.long.arm).await?;
    let target = arm.one(&DEPLOYMENT, &args.name)?;
    let doing = format!("deploying '{}'", args.name);
    let change = Change { method: Method::PUT, target: &target, body, doing: &doing };
    let changed = arm.change(change, !args.long.no_wait, printer).await?;
    let Some(found) = changed.body else { return Ok(()) };
    if args.long.arm.json { printer.json_pretty(&found) } else { super::show::print(&found, printer) }
}
