//! `symbolon playbook stop`.

use http::Method;
use hyper::body::Bytes;

use super::show;
use crate::args::arm::ArmArgs;
use crate::args::playbook::PlaybookArgs;
use crate::arm::Arm;
use crate::arm::operation::Change;
use crate::printer::Printer;

pub(super) async fn stop(args: &PlaybookArgs, printer: &Printer) -> anyhow::Result<()> {
    let arm = Arm::open(&ArmArgs::from(args)).await?;
    let target = arm.playbook();
    let doing = "stopping the playbook";
    let change = Change { method: Method::DELETE, target: &target, body: Bytes::new(), doing };
    match arm.change(change, true, printer).await?.body {
        Some(shown) if args.json => printer.json_pretty(&shown),
        Some(shown) => show::print(&shown, printer),
        None => Ok(printer.note("no playbook was running")?),
    }
}
