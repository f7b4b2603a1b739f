//! `symbolon identity create`.

use http::Method;
use serde_json::Value;

use crate::args::identity::IdentityCreateArgs;
use crate::arm::operation::Change;
use crate::arm::target::IDENTITY;
use crate::arm::{Arm, document};
use crate::printer::Printer;

pub(super) async fn create(args: &IdentityCreateArgs, printer: &Printer) -> anyhow::Result<()> {
    let arm = Arm::open(&args.arm).await?;
    let target = arm.one(&IDENTITY, &args.name)?;
    let body = Value::from(document::placed(&arm, &args.place).await?).to_string().into();
    let doing = format!("making {}", target.title);
    let found = arm.ask(Change { method: Method::PUT, target: &target, body, doing: &doing }, printer).await?;
    if args.arm.json { printer.json_pretty(&found) } else { super::show::print(&found, printer) }
}
