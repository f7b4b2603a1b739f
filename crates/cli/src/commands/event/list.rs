//! `symbolon event list`.

use crate::args::arm::NamedArgs;
use crate::arm::Arm;
use crate::arm::document::{items, word};
use crate::arm::target::VM;
use crate::printer::Printer;

pub(super) async fn list(args: &NamedArgs, printer: &Printer) -> anyhow::Result<()> {
    let arm = Arm::open(&args.arm).await?;
    let vm = arm.one(&VM, &args.name)?;
    let list = arm.get(&vm.below(&["scheduledEvents"])).await?;
    if args.arm.json {
        return printer.json_pretty(&list);
    }
    let rows = items(&list).iter().map(|event| {
        ["/eventId", "/eventType", "/eventStatus", "/notBefore", "/description"]
            .map(|place| word(event, place))
            .to_vec()
    });
    let head = ["id", "type", "status", "not before", "description"];
    Ok(printer.table(&head, &rows.collect::<Vec<_>>())?)
}
