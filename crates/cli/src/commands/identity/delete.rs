//! `symbolon identity delete`.

use crate::args::arm::NamedArgs;
use crate::arm::target::IDENTITY;
use crate::arm::{Arm, operation};
use crate::printer::Printer;

pub(super) async fn delete(args: &NamedArgs, printer: &Printer) -> anyhow::Result<()> {
    let arm = Arm::open(&args.arm).await?;
    let how = operation::Manner { wait: true, json: args.arm.json };
    operation::delete(&arm, &arm.one(&IDENTITY, &args.name)?, how, printer).await
}
