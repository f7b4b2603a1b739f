//! `symbolon vmss delete`.

use crate::args::arm::NamedLongArgs;
use crate::arm::target::SCALE_SET;
use crate::arm::{Arm, operation};
use crate::printer::Printer;

pub(super) async fn delete(args: &NamedLongArgs, printer: &Printer) -> anyhow::Result<()> {
    let arm = Arm::open(&args.long.arm).await?;
    operation::delete(&arm, &arm.one(&SCALE_SET, &args.name)?, (&args.long).into(), printer).await
}
