//! `symbolon vmss list`.

use crate::args::arm::ArmArgs;
use crate::arm::Arm;
use crate::arm::document::{identity, items, word};
use crate::arm::target::SCALE_SET;
use crate::printer::Printer;

pub(super) async fn list(args: &ArmArgs, printer: &Printer) -> anyhow::Result<()> {
    let arm = Arm::open(args).await?;
    let list = arm.list(&arm.all(&SCALE_SET)?).await?;
    if args.json {
        return printer.json_pretty(&list);
    }
    let rows = items(&list).iter().map(|found| {
        let policy = word(found, "/properties/upgradePolicy/mode");
        let (size, capacity) = (word(found, "/sku/name"), word(found, "/sku/capacity"));
        vec![word(found, "/name"), word(found, "/location"), size, capacity, policy, identity(found)]
    });
    let head = ["name", "location", "size", "machines", "upgrade policy", "identity"];
    Ok(printer.table(&head, &rows.collect::<Vec<_>>())?)
}
