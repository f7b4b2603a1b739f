//! `symbolon migrate plan`.

use migrate::plan::{Plan, Planned};

use super::machines;
use crate::args::migrate::machines::MigratePlanArgs;
use crate::arm::Arm;
use crate::printer::Printer;

pub(super) async fn plan(args: &MigratePlanArgs, printer: &Printer) -> anyhow::Result<()> {
    let arm = Arm::open(&args.arm).await?;
    let (_, machines) = machines::all(&arm, args.days.days).await?;
    let plan = Plan::of(&machines, args.days.days, args.wave_size.into());
    if args.arm.json {
        return printer.json_pretty(&plan);
    }
    if machines.is_empty() {
        printer.note("no machine has the extension")?;
        return Ok(());
    }
    let mut rows = Vec::new();
    for wave in &plan.waves {
        rows.extend(wave.machines.iter().map(|machine| row(&wave.number.to_string(), machine)));
    }
    rows.extend(plan.blocked.iter().map(|machine| row("-", machine)));
    let calls = format!("calls in {} d", plan.days);
    let head = ["wave", "machine", "step", &calls, "last call", "in the way"];
    Ok(printer.table(&head, &rows)?)
}

fn row(wave: &str, machine: &Planned) -> Vec<String> {
    let obstacles = machine.obstacles.iter().map(|obstacle| match obstacle.blocks {
        Some(step) => format!("{}: {}", step.as_str(), obstacle.what),
        None => format!("note: {}", obstacle.what),
    });
    vec![
        wave.to_owned(),
        machine.name.clone(),
        machine.reached.as_str().to_owned(),
        machine.calls.to_string(),
        machines::instant(machine.last_call.as_deref()),
        obstacles.collect::<Vec<_>>().join("; "),
    ]
}
