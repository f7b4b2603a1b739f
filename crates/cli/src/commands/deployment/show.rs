//! `symbolon deployment show`.

use serde_json::Value;

use crate::args::arm::NamedArgs;
use crate::arm::Arm;
use crate::arm::document::{bare, text, word};
use crate::arm::target::DEPLOYMENT;
use crate::printer::Printer;

pub(super) async fn show(args: &NamedArgs, printer: &Printer) -> anyhow::Result<()> {
    let arm = Arm::open(&args.arm).await?;
    let found = arm.get(&arm.one(&DEPLOYMENT, &args.name)?).await?;
    if args.arm.json { printer.json_pretty(&found) } else { print(&found, printer) }
}

/// A deployment for people.
pub(super) fn print(found: &Value, printer: &Printer) -> anyhow::Result<()> {
    let property = |name: &str| word(found, &format!("/properties/{name}"));
    let mut fields = vec![
        ("name", word(found, "/name")),
        ("state", property("provisioningState")),
        ("mode", property("mode")),
        ("time", property("timestamp")),
        ("duration", property("duration")),
    ];
    let resources = found.pointer("/properties/outputResources").and_then(Value::as_array);
    for resource in resources.into_iter().flatten() {
        fields.push(("resource", word(resource, "/id")));
    }
    let outputs = found.pointer("/properties/outputs").and_then(Value::as_object);
    for (name, output) in outputs.into_iter().flatten() {
        fields.push(("output", format!("{name} = {}", output.get("value").map(bare).unwrap_or_default())));
    }
    if let Some(code) = text(found, "/properties/error/code") {
        fields.push(("error", format!("{code}: {}", word(found, "/properties/error/message"))));
    }
    Ok(printer.fields(&fields)?)
}
