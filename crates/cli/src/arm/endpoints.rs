//! Where a machine's endpoints are.

use std::time::Duration;

use serde_json::Value;

use super::{Arm, document};
use crate::args::arm::ArmArgs;
use crate::up::instance;
use crate::{data_dir, retry};

/// How often it is looked for a new machine's endpoints, and how long that is apart.
const LOOKS: u32 = 50;
const APART: Duration = Duration::from_millis(100);

/// The metadata service and the extension of the machine that a document describes.
pub(crate) fn of(arm: &Arm, machine: &Value) -> [String; 2] {
    let id = document::text(machine, "/id").unwrap_or_default();
    let known = arm.instance.vms.iter().find(|vm| vm.id.eq_ignore_ascii_case(id));
    let or_none = |text: Option<&String>| text.cloned().unwrap_or_else(|| "-".to_owned());
    [or_none(known.map(|vm| &vm.imds)), or_none(known.and_then(|vm| vm.extension.as_ref()))]
}

/// Looks again until the running `up` has told where a new machine listens: that comes just after the answer.
pub(crate) async fn once_told(mut arm: Arm, args: &ArmArgs, machine: &Value) -> anyhow::Result<Arm> {
    let data = data_dir::locate(args.data.data_dir.as_deref())?;
    for _ in 0..LOOKS {
        if of(&arm, machine).iter().any(|endpoint| endpoint != "-") {
            break;
        }
        retry::rest(APART).await;
        arm.instance = instance::find(&data)?;
    }
    Ok(arm)
}
