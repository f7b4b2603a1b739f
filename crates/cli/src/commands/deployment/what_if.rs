//! `symbolon deployment what-if`.

use http::Method;
use serde_json::Value;

use super::template;
use crate::args::deployment::DeploymentCheckArgs;
use crate::arm::Arm;
use crate::arm::document::{bare, word};
use crate::arm::operation::Change;
use crate::arm::target::DEPLOYMENT;
use crate::printer::Printer;

pub(super) async fn what_if(args: &DeploymentCheckArgs, printer: &Printer) -> anyhow::Result<()> {
    let body = template::body(&args.template)?;
    let arm = Arm::open(&args.arm).await?;
    let target = arm.one(&DEPLOYMENT, &args.name)?.below(&["whatIf"]);
    let change = Change { method: Method::POST, target: &target, body, doing: "comparing" };
    let found = arm.ask(change, printer).await?;
    if args.arm.json {
        return printer.json_pretty(&found);
    }
    let changes = found.pointer("/properties/changes").and_then(Value::as_array);
    for change in changes.into_iter().flatten() {
        printer.line(format!("{:8}  {}", word(change, "/changeType"), word(change, "/resourceId")))?;
        let delta = change.get("delta").and_then(Value::as_array);
        print_delta(delta.map(Vec::as_slice).unwrap_or_default(), "", printer)?;
    }
    Ok(())
}

/// What differs, each with its path.
fn print_delta(delta: &[Value], above: &str, printer: &Printer) -> anyhow::Result<()> {
    for change in delta {
        let path = format!("{above}{}", word(change, "/path"));
        let children = change.get("children").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        if !children.is_empty() {
            print_delta(children, &format!("{path}."), printer)?;
            continue;
        }
        let value = |name: &str| change.get(name).filter(|value| !value.is_null()).map_or("nothing".to_owned(), bare);
        printer.line(format!("            {path}: {} -> {}", value("before"), value("after")))?;
    }
    Ok(())
}
