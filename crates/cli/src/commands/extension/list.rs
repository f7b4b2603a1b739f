//! `symbolon extension list`.

use crate::args::extension::ExtensionListArgs;
use crate::arm::Arm;
use crate::arm::document::{items, word};
use crate::printer::Printer;

pub(super) async fn list(args: &ExtensionListArgs, printer: &Printer) -> anyhow::Result<()> {
    let arm = Arm::open(&args.arm).await?;
    let list = arm.list(&super::host(&arm, &args.host)?.below(&["extensions"])).await?;
    if args.arm.json {
        return printer.json_pretty(&list);
    }
    let members = ["publisher", "type", "typeHandlerVersion", "settings", "provisioningState"];
    let rows = items(&list).iter().map(|found| {
        let properties = members.map(|member| word(found, &format!("/properties/{member}")));
        std::iter::once(word(found, "/name")).chain(properties).collect()
    });
    Ok(printer.table(&["name", "publisher", "type", "version", "settings", "state"], &rows.collect::<Vec<_>>())?)
}
