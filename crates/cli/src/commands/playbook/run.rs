//! `symbolon playbook run`.

use anyhow::Context;
use http::Method;

use crate::args::arm::ArmArgs;
use crate::args::playbook::PlaybookRunArgs;
use crate::arm::Arm;
use crate::arm::operation::Change;
use crate::playbook_file;
use crate::printer::Printer;

pub(super) async fn run(args: &PlaybookRunArgs, printer: &Printer) -> anyhow::Result<()> {
    // A mistake is told with the file's name, before anybody is asked.
    let (text, playbook) = playbook_file::read(&args.file)?;
    let arm = Arm::open(&ArmArgs::from(&args.at)).await?;
    let target = arm.playbook();
    let change = Change { method: Method::PUT, target: &target, body: text.into(), doing: "running the playbook" };
    let shown = arm.change(change, true, printer).await?.body.context("the control plane answered nothing")?;
    if args.at.json {
        return printer.json_pretty(&shown);
    }
    let steps = playbook.steps.len();
    let noun = if steps == 1 { "step" } else { "steps" };
    Ok(printer
        .line(format!("{} runs with {steps} {noun}; stop it with: symbolon playbook stop", args.file.display()))?)
}
