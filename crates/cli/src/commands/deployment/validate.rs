//! `symbolon deployment validate`.

use http::Method;
use serde_json::Value;

use super::template;
use crate::args::deployment::DeploymentCheckArgs;
use crate::arm::Arm;
use crate::arm::document::word;
use crate::arm::operation::Change;
use crate::arm::target::DEPLOYMENT;
use crate::printer::Printer;

pub(super) async fn validate(args: &DeploymentCheckArgs, printer: &Printer) -> anyhow::Result<()> {
    let body = template::body(&args.template)?;
    let arm = Arm::open(&args.arm).await?;
    let target = arm.one(&DEPLOYMENT, &args.name)?.below(&["validate"]);
    let change = Change { method: Method::POST, target: &target, body, doing: "checking" };
    let found = arm.ask(change, printer).await?;
    if args.arm.json {
        return printer.json_pretty(&found);
    }
    printer.line("the template is valid; it would deploy:")?;
    let resources = found.pointer("/properties/validatedResources").and_then(Value::as_array);
    for resource in resources.into_iter().flatten() {
        printer.line(format!("  {}", word(resource, "/id")))?;
    }
    Ok(())
}
