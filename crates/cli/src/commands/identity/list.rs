//! `symbolon identity list`.

use crate::args::arm::ArmArgs;
use crate::arm::Arm;
use crate::arm::document::{items, word};
use crate::arm::target::IDENTITY;
use crate::printer::Printer;

pub(super) async fn list(args: &ArmArgs, printer: &Printer) -> anyhow::Result<()> {
    let arm = Arm::open(args).await?;
    let list = arm.list(&arm.all(&IDENTITY)?).await?;
    if args.json {
        return printer.json_pretty(&list);
    }
    let rows = items(&list).iter().map(|found| {
        let (client, principal) = (word(found, "/properties/clientId"), word(found, "/properties/principalId"));
        vec![word(found, "/name"), word(found, "/location"), client, principal]
    });
    Ok(printer.table(&["name", "location", "client id", "principal id"], &rows.collect::<Vec<_>>())?)
}
