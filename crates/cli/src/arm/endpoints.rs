//! Where a machine's endpoints are.

use serde_json::Value;

use super::{Arm, document};

/// The metadata service and the extension of the machine that a document describes.
pub(crate) fn of(arm: &Arm, machine: &Value) -> [String; 2] {
    let id = document::text(machine, "/id").unwrap_or_default();
    let known = arm.instance.vms.iter().find(|vm| vm.id.eq_ignore_ascii_case(id));
    let or_none = |text: Option<&String>| text.cloned().unwrap_or_else(|| "-".to_owned());
    [or_none(known.map(|vm| &vm.imds)), or_none(known.and_then(|vm| vm.extension.as_ref()))]
}
