//! `symbolon vmss show`.

use serde_json::Value;

use crate::args::arm::NamedArgs;
use crate::arm::Arm;
use crate::arm::document::{identity, tags, word};
use crate::arm::target::SCALE_SET;
use crate::printer::Printer;

pub(super) async fn show(args: &NamedArgs, printer: &Printer) -> anyhow::Result<()> {
    let arm = Arm::open(&args.arm).await?;
    let found = arm.get(&arm.one(&SCALE_SET, &args.name)?).await?;
    if args.arm.json { printer.json_pretty(&found) } else { print(&found, printer) }
}

/// A scale set for people.
pub(super) fn print(found: &Value, printer: &Printer) -> anyhow::Result<()> {
    let extensions = found.pointer("/properties/virtualMachineProfile/extensionProfile/extensions");
    let extensions = extensions.and_then(Value::as_array).into_iter().flatten();
    let extensions: Vec<_> = extensions.map(|extension| word(extension, "/name")).collect();
    let fields = [
        ("name", word(found, "/name")),
        ("id", word(found, "/id")),
        ("location", word(found, "/location")),
        ("size", word(found, "/sku/name")),
        ("machines", word(found, "/sku/capacity")),
        ("upgrade policy", word(found, "/properties/upgradePolicy/mode")),
        ("state", word(found, "/properties/provisioningState")),
        ("identity", identity(found)),
        ("principal id", word(found, "/identity/principalId")),
        ("extensions", if extensions.is_empty() { "-".to_owned() } else { extensions.join(", ") }),
        ("tags", tags(found)),
    ];
    Ok(printer.fields(&fields)?)
}
