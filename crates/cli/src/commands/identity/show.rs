//! `symbolon identity show`.

use serde_json::Value;

use crate::args::arm::NamedArgs;
use crate::arm::Arm;
use crate::arm::document::{tags, word};
use crate::arm::target::IDENTITY;
use crate::printer::Printer;

pub(super) async fn show(args: &NamedArgs, printer: &Printer) -> anyhow::Result<()> {
    let arm = Arm::open(&args.arm).await?;
    let found = arm.get(&arm.one(&IDENTITY, &args.name)?).await?;
    if args.arm.json { printer.json_pretty(&found) } else { print(&found, printer) }
}

/// An identity for people.
pub(super) fn print(found: &Value, printer: &Printer) -> anyhow::Result<()> {
    let fields = [
        ("name", word(found, "/name")),
        ("id", word(found, "/id")),
        ("location", word(found, "/location")),
        ("client id", word(found, "/properties/clientId")),
        ("principal id", word(found, "/properties/principalId")),
        ("tenant id", word(found, "/properties/tenantId")),
        ("tags", tags(found)),
    ];
    Ok(printer.fields(&fields)?)
}
