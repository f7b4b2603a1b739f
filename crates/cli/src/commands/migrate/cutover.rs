//! `symbolon migrate cutover`.

mod course;

use anyhow::Context;
use domain::Step;
use migrate::cutover::Goal;
use migrate::machine::Machine;
use migrate::plan::Plan;
use serde::Serialize;

use self::course::Course;
use super::machines::{self, MODEL, named};
use super::{ExitStatus, usage};
use crate::args::migrate::machines::MigrateCutoverArgs;
use crate::arm::Arm;
use crate::printer::Printer;

/// Calls don't matter here but for the last one, which is told with any number of days.
const DAYS: u32 = 1;

/// What became of a machine.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    id: String,
    name: String,
    /// The moves that were made, or would be.
    moves: Vec<&'static str>,
    /// The step that it is at; `removed` when it has no extension any more.
    step: &'static str,
    done: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl Outcome {
    /// The machine as it is before anything is done.
    fn of(machine: &Machine) -> Self {
        let (id, name) = (machine.id.clone(), machine.name.clone());
        Self { id, name, moves: Vec::new(), step: reached(machine), done: false, why: None }
    }

    /// With what was done afterwards.
    fn goes_on(&mut self, Self { mut moves, step, done, why, .. }: Self) {
        self.moves.append(&mut moves);
        (self.step, self.done, self.why) = (step, done, why);
    }
}

pub(super) async fn cutover(args: &MigrateCutoverArgs, printer: &Printer) -> anyhow::Result<ExitStatus> {
    let undo = match args.back_to() {
        Ok(undo) => undo,
        Err(why) => return usage(why, printer),
    };
    let arm = Arm::open(&args.arm).await?;
    let (_, all) = machines::all(&arm, DAYS).await?;
    let course = Course { arm: &arm, undo, args, printer };
    let chosen = selected(&course, &all).await?;
    let mut outcomes = Vec::new();
    let ended = go(&course, chosen, &mut outcomes).await;
    if args.arm.json {
        printer.json_pretty(&outcomes)?;
    }
    ended?;
    let done = args.dry_run || outcomes.iter().all(|outcome| outcome.done);
    Ok(if done { ExitStatus::Ok } else { ExitStatus::Failed })
}

/// Takes all of them, with those that a scale set gets meanwhile. The extension of a scale set goes for all its machines at
/// once, so each of them is first taken to the step before.
async fn go(course: &Course<'_>, mut chosen: Vec<Machine>, outcomes: &mut Vec<Outcome>) -> anyhow::Result<()> {
    let &Course { args, printer, .. } = course;
    let goal = args.to.unwrap_or(Goal::Removed);
    let together = |machine: &Machine| {
        let one_of_many = machine.properties.scale_set.is_some() && !machine.is_model();
        goal == Goal::Removed && !args.undo && !args.dry_run && one_of_many
    };
    while let Some(machine) = chosen.get(outcomes.len()) {
        let first = if together(machine) { Goal::Step(Step::Closed) } else { goal };
        let outcome = course.take(machine, first).await;
        tell(&outcome, args, printer)?;
        outcomes.push(outcome);
        if outcomes.len() == chosen.len() && !args.dry_run && outcomes.iter().all(|outcome| outcome.done) {
            let (_, all) = machines::all(course.arm, DAYS).await?;
            let named = args.vm.iter().flat_map(|name| named(&all, name).unwrap_or_default());
            let new: Vec<_> = named.filter(|one| chosen.iter().all(|other| other.id != one.id)).cloned().collect();
            chosen.extend(new);
        }
    }
    for (machine, outcome) in chosen.iter().zip(outcomes).filter(|(machine, outcome)| outcome.done && together(machine))
    {
        let last = course.take(machine, goal).await;
        tell(&last, args, printer)?;
        outcome.goes_on(last);
    }
    Ok(())
}

/// The machines that are meant, each once. Those that have no extension any more are done.
async fn selected(course: &Course<'_>, all: &[Machine]) -> anyhow::Result<Vec<Machine>> {
    let &Course { arm, args, printer, .. } = course;
    let mut found: Vec<Machine> = Vec::new();
    let mut add = |machine: &Machine| {
        if found.iter().all(|other| other.id != machine.id) {
            found.push(machine.clone());
        }
    };
    let gone = |name: &str| printer.note(format!("{name}: it has no extension any more"));
    let Some((number, file)) = args.wave.zip(args.plan.as_ref()) else {
        for name in &args.vm {
            match named(all, name) {
                Ok(machines) => machines.into_iter().for_each(&mut add),
                Err(_) if machines::exists(arm, name).await? => gone(name)?,
                Err(why) => return Err(why),
            }
        }
        return Ok(found);
    };
    let unreadable = || format!("{} isn't a plan that migrate plan --json wrote", file.display());
    let text = std::fs::read(file).with_context(unreadable)?;
    let plan: Plan = serde_json::from_slice(&text).with_context(unreadable)?;
    let wave = plan.waves.iter().find(|wave| wave.number == number);
    let wave =
        wave.with_context(|| format!("the plan has {} waves and none of the number {number}", plan.waves.len()))?;
    for planned in &wave.machines {
        match all.iter().find(|machine| machine.id.eq_ignore_ascii_case(&planned.id)) {
            Some(machine) => add(machine),
            None => gone(&planned.name)?,
        }
    }
    Ok(found)
}

/// The step that it is at.
fn reached(machine: &Machine) -> &'static str {
    if machine.is_model() { MODEL } else { machine.properties.cutover.reached.as_str() }
}

fn tell(outcome: &Outcome, args: &MigrateCutoverArgs, printer: &Printer) -> anyhow::Result<()> {
    if args.arm.json {
        return Ok(());
    }
    let Outcome { name, moves, step, .. } = outcome;
    for one in moves {
        printer.line(format!("{name}: {}{one}", if args.dry_run { "would " } else { "done: " }))?;
    }
    if let Some(why) = &outcome.why {
        printer.line(format!("{name}: stays at {step}: {why}"))?;
    } else if !args.dry_run {
        let at = if *step == MODEL {
            "still in the model, from which it can only be removed".to_owned()
        } else {
            format!("at {step}")
        };
        printer.line(format!("{name}: {at}"))?;
    }
    Ok(())
}
