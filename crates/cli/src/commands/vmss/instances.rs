//! `symbolon vmss instances`.

use crate::args::arm::NamedArgs;
use crate::arm::document::{items, word};
use crate::arm::target::SCALE_SET;
use crate::arm::{Arm, endpoints};
use crate::printer::Printer;

pub(super) async fn instances(args: &NamedArgs, printer: &Printer) -> anyhow::Result<()> {
    let arm = Arm::open(&args.arm).await?;
    let target = arm.one(&SCALE_SET, &args.name)?.below(&["virtualMachines"]);
    let list = arm.list(&target).await?;
    if args.arm.json {
        return printer.json_pretty(&list);
    }
    let rows = items(&list).iter().map(|machine| {
        let [imds, extension] = endpoints::of(&arm, machine);
        let latest = match word(machine, "/properties/latestModelApplied").as_str() {
            "true" => "yes",
            _ => "no; vmss upgrade brings it there",
        };
        vec![word(machine, "/instanceId"), word(machine, "/name"), latest.to_owned(), imds, extension]
    });
    let head = ["instance", "name", "follows the model", "metadata service", "extension"];
    Ok(printer.table(&head, &rows.collect::<Vec<_>>())?)
}
