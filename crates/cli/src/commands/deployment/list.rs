//! `symbolon deployment list`.

use crate::args::arm::ArmArgs;
use crate::arm::Arm;
use crate::arm::document::{items, word};
use crate::arm::target::DEPLOYMENT;
use crate::printer::Printer;

pub(super) async fn list(args: &ArmArgs, printer: &Printer) -> anyhow::Result<()> {
    let arm = Arm::open(args).await?;
    let list = arm.list(&arm.all(&DEPLOYMENT)?).await?;
    if args.json {
        return printer.json_pretty(&list);
    }
    let rows = items(&list).iter().map(|found| {
        let properties = ["provisioningState", "mode", "timestamp", "duration"];
        let properties = properties.map(|member| word(found, &format!("/properties/{member}")));
        std::iter::once(word(found, "/name")).chain(properties).collect()
    });
    Ok(printer.table(&["name", "state", "mode", "time", "duration"], &rows.collect::<Vec<_>>())?)
}
