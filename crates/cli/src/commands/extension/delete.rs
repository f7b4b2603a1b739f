//! `symbolon extension delete`.

use crate::args::extension::ExtensionDeleteArgs;
use crate::arm::{Arm, operation};
use crate::printer::Printer;

pub(super) async fn delete(args: &ExtensionDeleteArgs, printer: &Printer) -> anyhow::Result<()> {
    let arm = Arm::open(&args.long.arm).await?;
    let target = super::one(&arm, &args.host, &args.name)?;
    operation::delete(&arm, &target, (&args.long).into(), printer).await
}
