//! `symbolon event fire`.

use http::Method;
use serde_json::json;

use crate::args::event::EventFireArgs;
use crate::arm::Arm;
use crate::arm::document::word;
use crate::arm::operation::Change;
use crate::arm::target::VM;
use crate::printer::Printer;

pub(super) async fn fire(args: &EventFireArgs, printer: &Printer) -> anyhow::Result<()> {
    let arm = Arm::open(&args.arm).await?;
    let vm = arm.one(&VM, &args.name)?;
    let body = json!({
        "eventType": args.event_type.word(),
        "noticeInSeconds": args.notice,
        "durationInSeconds": args.duration,
        "description": args.description,
    });
    let (target, doing) = (vm.below(&["fireScheduledEvent"]), format!("scheduling an event of {}", vm.title));
    let change = Change { method: Method::POST, target: &target, body: body.to_string().into(), doing: &doing };
    let event = arm.ask(change, printer).await?;
    if args.arm.json {
        return printer.json_pretty(&event);
    }
    let (id, at) = (word(&event, "/eventId"), word(&event, "/notBefore"));
    Ok(printer.line(format!("{}: {} at {at} or when the VM approves it ({id})", vm.title, args.event_type.word()))?)
}
