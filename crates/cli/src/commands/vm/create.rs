//! `symbolon vm create`.

use http::Method;
use serde_json::{Value, json};

use crate::args::vm::VmCreateArgs;
use crate::arm::operation::Change;
use crate::arm::target::VM;
use crate::arm::{Arm, document, endpoints, identities};
use crate::printer::Printer;

pub(super) async fn create(args: &VmCreateArgs, printer: &Printer) -> anyhow::Result<()> {
    let arm = Arm::open(&args.long.arm).await?;
    let target = arm.one(&VM, &args.name)?;
    let mut body = document::placed(&arm, &args.place).await?;
    body.extend(identities::wanted(&arm, &args.identities)?.map(|identity| ("identity".to_owned(), identity)));
    body.insert("properties".to_owned(), json!({"hardwareProfile": {"vmSize": args.size}}));
    let doing = format!("making {}", target.title);
    let body = Value::from(body).to_string().into();
    let change = Change { method: Method::PUT, target: &target, body, doing: &doing };
    let changed = arm.change(change, !args.long.no_wait, printer).await?;
    if args.long.arm.json {
        return changed.body.map_or(Ok(()), |body| printer.json_pretty(&body));
    }
    if changed.going_on {
        return Ok(());
    }
    let vm = arm.get(&target.with("&$expand=instanceView")).await?;
    super::show::print(&endpoints::once_told(arm, &args.long.arm, &vm).await?, &vm, printer)
}
