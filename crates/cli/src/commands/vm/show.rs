//! `symbolon vm show`.

use serde_json::Value;

use crate::args::arm::NamedArgs;
use crate::arm::document::{identity, name_of, power, tags, text, word};
use crate::arm::target::VM;
use crate::arm::{Arm, endpoints};
use crate::printer::Printer;

pub(super) async fn show(args: &NamedArgs, printer: &Printer) -> anyhow::Result<()> {
    let arm = Arm::open(&args.arm).await?;
    let vm = arm.get(&arm.one(&VM, &args.name)?.with("&$expand=instanceView")).await?;
    if args.arm.json { printer.json_pretty(&vm) } else { print(&arm, &vm, printer) }
}

/// A VM for people.
pub(super) fn print(arm: &Arm, vm: &Value, printer: &Printer) -> anyhow::Result<()> {
    let [imds, extension] = endpoints::of(arm, vm);
    let resources = vm.get("resources").and_then(Value::as_array);
    let extensions: Vec<_> =
        resources.into_iter().flatten().filter_map(|extension| text(extension, "/id")).map(name_of).collect();
    let extensions = if extensions.is_empty() { "-".to_owned() } else { extensions.join(", ") };
    let fields = [
        ("name", word(vm, "/name")),
        ("id", word(vm, "/id")),
        ("location", word(vm, "/location")),
        ("size", word(vm, "/properties/hardwareProfile/vmSize")),
        ("state", word(vm, "/properties/provisioningState")),
        ("power", power(vm)),
        ("identity", identity(vm)),
        ("principal id", word(vm, "/identity/principalId")),
        ("extensions", extensions),
        ("metadata service", imds),
        ("extension", extension),
        ("tags", tags(vm)),
    ];
    Ok(printer.fields(&fields)?)
}
