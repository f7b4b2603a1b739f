//! `symbolon extension show`.

use serde_json::Value;

use crate::args::extension::ExtensionShowArgs;
use crate::arm::Arm;
use crate::arm::document::{text, word};
use crate::printer::Printer;

pub(super) async fn show(args: &ExtensionShowArgs, printer: &Printer) -> anyhow::Result<()> {
    let arm = Arm::open(&args.arm).await?;
    let target = super::one(&arm, &args.host, &args.name)?;
    // A scale set's extension is but a wish: it has no instance view.
    let target = if args.host.vm.is_some() { target.with("&$expand=instanceView") } else { target };
    let found = arm.get(&target).await?;
    if args.arm.json { printer.json_pretty(&found) } else { print(&found, printer) }
}

/// An extension for people.
pub(super) fn print(found: &Value, printer: &Printer) -> anyhow::Result<()> {
    let property = |name: &str| word(found, &format!("/properties/{name}"));
    let mut fields = vec![
        ("name", word(found, "/name")),
        ("id", word(found, "/id")),
        ("publisher", property("publisher")),
        ("type", property("type")),
        ("version", property("typeHandlerVersion")),
        ("settings", property("settings")),
        ("update tag", property("forceUpdateTag")),
        ("state", property("provisioningState")),
    ];
    let statuses = found.pointer("/properties/instanceView/statuses").and_then(Value::as_array);
    for status in statuses.into_iter().flatten() {
        let message = text(status, "/message").filter(|message| !message.is_empty());
        let shown = message.or(text(status, "/displayStatus")).unwrap_or("-");
        fields.push(("report", shown.to_owned()));
    }
    Ok(printer.fields(&fields)?)
}
