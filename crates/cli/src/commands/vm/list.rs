//! `symbolon vm list`.

use crate::args::arm::ArmArgs;
use crate::arm::document::{identity, items, word};
use crate::arm::target::VM;
use crate::arm::{Arm, endpoints};
use crate::printer::Printer;

pub(super) async fn list(args: &ArmArgs, printer: &Printer) -> anyhow::Result<()> {
    let arm = Arm::open(args).await?;
    let list = arm.list(&arm.all(&VM)?).await?;
    if args.json {
        return printer.json_pretty(&list);
    }
    let rows = items(&list).iter().map(|vm| {
        let [imds, extension] = endpoints::of(&arm, vm);
        let size = word(vm, "/properties/hardwareProfile/vmSize");
        vec![word(vm, "/name"), word(vm, "/location"), size, identity(vm), imds, extension]
    });
    let head = ["name", "location", "size", "identity", "metadata service", "extension"];
    Ok(printer.table(&head, &rows.collect::<Vec<_>>())?)
}
