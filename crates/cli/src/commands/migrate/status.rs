//! `symbolon migrate status`.

use migrate::machine::{Calls, Machine};
use migrate::plan::obstacles;

use super::machines::{self, MODEL, instant, named};
use crate::args::migrate::machines::MigrateStatusArgs;
use crate::arm::Arm;
use crate::arm::document::items;
use crate::printer::Printer;

pub(super) async fn status(args: &MigrateStatusArgs, printer: &Printer) -> anyhow::Result<()> {
    let arm = Arm::open(&args.arm).await?;
    let days = args.days.days;
    let (list, all) = machines::all(&arm, days).await?;
    if let Some(name) = &args.vm {
        let wanted = named(&all, name)?;
        for machine in wanted {
            if args.arm.json {
                let shown = items(&list).iter().find(|shown| shown.get("id").is_some_and(|id| *id == machine.id));
                printer.json_pretty(&shown)?;
            } else {
                page(machine, days, printer)?;
            }
        }
        return Ok(());
    }
    if args.arm.json {
        return printer.json_pretty(&list);
    }
    if all.is_empty() {
        printer.note("no machine has the extension")?;
        return Ok(());
    }
    let rows = all.iter().map(|machine| {
        let of = &machine.properties;
        vec![
            machine.name.clone(),
            step(machine),
            port(machine),
            instant(of.extension_calls.last_call.as_deref()),
            of.extension_calls.count().to_string(),
            of.extension_calls.callers.len().to_string(),
            instant(of.imds_calls.last_call.as_deref()),
            of.usable_credentials.to_string(),
        ]
    });
    let calls = format!("calls in {days} d");
    let head = ["machine", "step", "port", "last call", &calls, "callers", "last call of imds", "credentials"];
    Ok(printer.table(&head, &rows.collect::<Vec<_>>())?)
}

/// Where it is, and where it is to go.
fn step(machine: &Machine) -> String {
    let cutover = &machine.properties.cutover;
    if machine.is_model() {
        return MODEL.to_owned();
    }
    match (cutover.step == cutover.reached, &cutover.failed) {
        (true, _) => cutover.step.as_str().to_owned(),
        (false, None) => format!("{} -> {}", cutover.reached.as_str(), cutover.step.as_str()),
        (false, Some(_)) => format!("{} -> {} (fails)", cutover.reached.as_str(), cutover.step.as_str()),
    }
}

fn port(machine: &Machine) -> String {
    machine.properties.extension.port.map_or_else(|| "-".to_owned(), |port| port.to_string())
}

/// All that is known of a machine.
fn page(machine: &Machine, days: u32, printer: &Printer) -> anyhow::Result<()> {
    let of = &machine.properties;
    printer.fields(&[
        ("machine", machine.name.clone()),
        ("id", machine.id.clone()),
        ("power", of.power.clone().unwrap_or_else(|| "-".to_owned())),
        ("extension", format!("{} ({}), port {}", of.extension.name, of.extension.state, port(machine))),
        ("step", step(machine)),
        ("credentials", format!("{} that the authority takes", of.usable_credentials)),
    ])?;
    for (number, identity) in of.identities.iter().enumerate() {
        let title = if number == 0 { "identities" } else { "" };
        printer.line(format!("{title:11}  {} {}", identity.client_id, identity.resource_id).trim_end())?;
    }
    let in_the_way = obstacles(machine, days);
    for (number, obstacle) in in_the_way.iter().enumerate() {
        let title = if number == 0 { "in the way" } else { "" };
        let of = obstacle.blocks.map_or("note", domain::Step::as_str);
        printer.line(format!("{title:11}  {of}: {}", obstacle.what))?;
    }
    callers("the extension", &of.extension_calls, days, printer)?;
    callers("the metadata service", &of.imds_calls, days, printer)
}

fn callers(of: &str, calls: &Calls, days: u32, printer: &Printer) -> anyhow::Result<()> {
    printer.line("")?;
    let last = instant(calls.last_call.as_deref());
    printer.line(format!("{of} was called {} times in {days} days, last {last}", calls.count()))?;
    if calls.callers.is_empty() {
        return Ok(());
    }
    let dash = || "-".to_owned();
    let rows = calls.callers.iter().map(|caller| {
        vec![
            if caller.client.is_empty() { dash() } else { caller.client.clone() },
            caller.process.clone().unwrap_or_else(dash),
            caller.uid.map_or_else(dash, |uid| uid.to_string()),
            caller.client_id.clone().unwrap_or_else(dash),
            caller.calls.to_string(),
            instant(caller.last_call.as_deref()),
        ]
    });
    let head = ["client", "process", "uid", "identity", "calls", "last call"];
    Ok(printer.table(&head, &rows.collect::<Vec<_>>())?)
}
