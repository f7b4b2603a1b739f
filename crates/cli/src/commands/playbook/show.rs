//! `symbolon playbook show`.

use anyhow::Context;
use serde_json::Value;

use crate::args::arm::ArmArgs;
use crate::args::playbook::PlaybookArgs;
use crate::arm::Arm;
use crate::arm::document::{name_of, text, word};
use crate::printer::Printer;

pub(super) async fn show(args: &PlaybookArgs, printer: &Printer) -> anyhow::Result<()> {
    let arm = Arm::open(&ArmArgs::from(args)).await?;
    let shown = arm.find(&arm.playbook()).await?;
    let shown = shown.context("no playbook runs; begin one with: symbolon playbook run FILE")?;
    if args.json { printer.json_pretty(&shown) } else { print(&shown, printer) }
}

/// The steps and what was asked, for people.
pub(super) fn print(shown: &Value, printer: &Printer) -> anyhow::Result<()> {
    let list = |pointer: &str| shown.pointer(pointer).and_then(Value::as_array).cloned().unwrap_or_default();
    let steps = list("/properties/steps");
    let steps = steps.iter().map(|step| vec![word(step, "/number"), word(step, "/fault"), word(step, "/taken")]);
    printer.table(&["step", "what it does", "requests"], &steps.collect::<Vec<_>>())?;
    printer.line("")?;
    let calls = list("/properties/calls");
    let calls = calls.iter().map(|call| {
        let vm = name_of(text(call, "/vm").unwrap_or("-")).to_owned();
        let done = text(call, "/fault").unwrap_or("answered").to_owned();
        let number = word(call, "/number");
        vec![number, word(call, "/afterMs"), vm, word(call, "/path"), word(call, "/step"), done, word(call, "/status")]
    });
    let head = ["request", "after ms", "VM", "path", "step", "what was done", "status"];
    Ok(printer.table(&head, &calls.collect::<Vec<_>>())?)
}
