//! `symbolon vm identity remove`.

use crate::args::vm::VmIdentityArgs;
use crate::arm::target::VM;
use crate::arm::{Arm, identities};
use crate::printer::Printer;

pub(super) async fn remove(args: &VmIdentityArgs, printer: &Printer) -> anyhow::Result<()> {
    let arm = Arm::open(&args.long.arm).await?;
    let target = arm.one(&VM, &args.name)?;
    let identity = identities::fewer(&arm, &arm.get(&target).await?, &args.identities)?;
    super::assign::change(&arm, &target, args, &identity, printer).await
}
