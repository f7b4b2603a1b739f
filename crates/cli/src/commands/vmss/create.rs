//! `symbolon vmss create`.

use http::Method;
use serde_json::{Value, json};

use crate::args::vmss::{UpgradePolicy, VmssCreateArgs};
use crate::arm::operation::Change;
use crate::arm::target::SCALE_SET;
use crate::arm::{Arm, document, identities};
use crate::printer::Printer;

pub(super) async fn create(args: &VmssCreateArgs, printer: &Printer) -> anyhow::Result<()> {
    let arm = Arm::open(&args.long.arm).await?;
    let target = arm.one(&SCALE_SET, &args.name)?;
    let mut body = document::placed(&arm, &args.place).await?;
    body.extend(identities::wanted(&arm, &args.identities)?.map(|identity| ("identity".to_owned(), identity)));
    let policy = match args.upgrade_policy {
        UpgradePolicy::Manual => "Manual",
        UpgradePolicy::Automatic => "Automatic",
    };
    body.insert("sku".to_owned(), json!({"name": args.size, "tier": "Standard", "capacity": args.capacity}));
    body.insert("properties".to_owned(), json!({"upgradePolicy": {"mode": policy}}));
    let doing = format!("making {}", target.title);
    let body = Value::from(body).to_string().into();
    let change = Change { method: Method::PUT, target: &target, body, doing: &doing };
    let changed = arm.change(change, !args.long.no_wait, printer).await?;
    match changed.body {
        Some(found) if args.long.arm.json => printer.json_pretty(&found),
        Some(found) if !changed.going_on => super::show::print(&found, printer),
        Some(_) | None => Ok(()),
    }
}
