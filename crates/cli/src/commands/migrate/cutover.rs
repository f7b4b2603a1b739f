//! `symbolon migrate cutover`.

use std::time::Duration;

use anyhow::{Context, bail};
use domain::Step;
use http::Method;
use hyper::body::Bytes;
use migrate::cutover::{Goal, Move, back, described, forwards, left};
use migrate::machine::Machine;
use migrate::plan::Plan;
use serde::Serialize;
use serde_json::json;

use super::machines::{self, named};
use super::{ExitStatus, usage};
use crate::args::migrate::machines::MigrateCutoverArgs;
use crate::arm::Arm;
use crate::arm::operation::Change;
use crate::arm::target::{CUTOVER, SCALE_SET, Target, VM};
use crate::printer::Printer;
use crate::retry::rest;

/// How long a guest may take for a step, in looks of one second.
const LOOKS: u32 = 180;
const LOOK_EVERY: Duration = Duration::from_secs(1);
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

pub(super) async fn cutover(args: &MigrateCutoverArgs, printer: &Printer) -> anyhow::Result<ExitStatus> {
    let undo = match args.back_to() {
        Ok(undo) => undo,
        Err(why) => return usage(why, printer),
    };
    let arm = Arm::open(&args.arm).await?;
    let (_, all) = machines::all(&arm, DAYS).await?;
    let course = Course { arm: &arm, goal: args.to.unwrap_or(Goal::Removed), undo, args, printer };
    let mut outcomes = Vec::new();
    for machine in selected(args, &all, printer)? {
        let outcome = course.take(machine).await?;
        if !args.arm.json {
            tell(&outcome, args.dry_run, printer)?;
        }
        outcomes.push(outcome);
    }
    if args.arm.json {
        printer.json_pretty(&outcomes)?;
    }
    let done = args.dry_run || outcomes.iter().all(|outcome| outcome.done);
    Ok(if done { ExitStatus::Ok } else { ExitStatus::Failed })
}

/// The machines that are meant. Those of a wave that have no extension any more are done.
fn selected<'m>(args: &MigrateCutoverArgs, all: &'m [Machine], printer: &Printer) -> anyhow::Result<Vec<&'m Machine>> {
    let Some((number, file)) = args.wave.zip(args.plan.as_ref()) else {
        let mut found = Vec::new();
        for name in &args.vm {
            found.extend(named(all, name)?);
        }
        return Ok(found);
    };
    let unreadable = || format!("{} isn't a plan that migrate plan --json wrote", file.display());
    let text = std::fs::read(file).with_context(unreadable)?;
    let plan: Plan = serde_json::from_slice(&text).with_context(unreadable)?;
    let wave = plan.waves.iter().find(|wave| wave.number == number);
    let wave =
        wave.with_context(|| format!("the plan has {} waves and none of the number {number}", plan.waves.len()))?;
    let mut found = Vec::new();
    for planned in &wave.machines {
        match all.iter().find(|machine| machine.id.eq_ignore_ascii_case(&planned.id)) {
            Some(machine) => found.push(machine),
            None => printer.note(format!("{}: it has no extension any more", planned.name))?,
        }
    }
    Ok(found)
}

/// The way that machines are taken.
struct Course<'a> {
    arm: &'a Arm,
    goal: Goal,
    /// Back to this step.
    undo: Option<Step>,
    args: &'a MigrateCutoverArgs,
    printer: &'a Printer,
}

impl Course<'_> {
    /// Takes a machine as far as it goes. What the control plane refuses is told, and keeps no other machine back.
    async fn take(&self, machine: &Machine) -> anyhow::Result<Outcome> {
        let mut outcome = Outcome {
            id: machine.id.clone(),
            name: machine.name.clone(),
            moves: Vec::new(),
            step: machine.properties.cutover.reached.as_str(),
            done: false,
            why: None,
        };
        if self.args.dry_run {
            let moves = match self.undo {
                Some(to) => vec![back(machine, to)],
                None => left(machine, self.goal),
            };
            outcome.moves = moves.into_iter().map(described).collect();
            return Ok(outcome);
        }
        let mut current = Some(machine.clone());
        // What failed before is tried again, once.
        let mut again = machine.properties.cutover.failed.is_some();
        while let Some(machine) = &current {
            outcome.step = machine.properties.cutover.reached.as_str();
            let next = self.undo.map_or_else(|| forwards(machine, self.goal), |to| back(machine, to));
            let moved = match next {
                Move::Done => break,
                Move::Want(step) => self.want(machine, step).await.map(|()| outcome.moves.push(described(next))),
                Move::Wait(step) if std::mem::take(&mut again) => self.want(machine, step).await,
                Move::Wait(step) => self.wait(machine, step).await,
                Move::Remove => self.remove(machine).await.map(|()| outcome.moves.push(described(next))),
            };
            if let Err(why) = moved {
                outcome.why = Some(format!("{why:#}"));
                return Ok(outcome);
            }
            current = self.look(&machine.id).await?;
        }
        if current.is_none() {
            outcome.step = "removed";
        }
        outcome.done = true;
        Ok(outcome)
    }

    /// The machine as it is now; none when it has no extension any more.
    async fn look(&self, id: &str) -> anyhow::Result<Option<Machine>> {
        let (_, all) = machines::all(self.arm, DAYS).await?;
        Ok(all.into_iter().find(|machine| machine.id == id))
    }

    async fn want(&self, machine: &Machine, step: Step) -> anyhow::Result<()> {
        let target = Target::of(&CUTOVER, &format!("{}/providers/{}/default", machine.id, CUTOVER.resource_type()));
        let body = json!({"properties": {"step": step.as_str(), "quietSeconds": self.args.quiet.as_secs()}});
        let doing = format!("{}: {}", machine.name, step.as_str());
        self.change(Method::PUT, &target, body.to_string().into(), &doing).await
    }

    /// Waits until the guest has come to the step that is wanted.
    async fn wait(&self, machine: &Machine, step: Step) -> anyhow::Result<()> {
        for _ in 0..LOOKS {
            let Some(now) = self.look(&machine.id).await? else { return Ok(()) };
            let cutover = now.properties.cutover;
            if cutover.step == cutover.reached || cutover.step != step {
                return Ok(());
            }
            if let Some(why) = cutover.failed {
                bail!("its guest can't come to '{}': {why}", step.as_str());
            }
            rest(LOOK_EVERY).await;
        }
        bail!("its guest has not come to '{}' yet; run the same command again to go on", step.as_str())
    }

    async fn remove(&self, machine: &Machine) -> anyhow::Result<()> {
        let name = &machine.properties.extension.name;
        let doing = format!("{}: removing the extension", machine.name);
        let Some(scale_set) = &machine.properties.scale_set else {
            let target = Target::of(&VM, &machine.id).below(&["extensions", name]);
            return self.change(Method::DELETE, &target, Bytes::new(), &doing).await;
        };
        // The model decides what its machines have; they may all go only when all of them are so far.
        let (_, all) = machines::all(self.arm, DAYS).await?;
        let behind = all.iter().filter(|other| other.properties.scale_set.as_ref() == Some(scale_set));
        let behind: Vec<_> = behind
            .filter(|other| {
                let cutover = &other.properties.cutover;
                (cutover.step, cutover.reached) != (Step::Closed, Step::Closed)
            })
            .map(|other| other.name.clone())
            .collect();
        anyhow::ensure!(behind.is_empty(), "its scale set has machines that are not closed yet: {}", behind.join(", "));
        let target = Target::of(&SCALE_SET, scale_set);
        self.change(Method::DELETE, &target.below(&["extensions", name]), Bytes::new(), &doing).await?;
        let all = json!({"instanceIds": ["*"]}).to_string();
        self.change(Method::POST, &target.below(&["manualupgrade"]), all.into(), &doing).await
    }

    async fn change(&self, method: Method, target: &Target, body: Bytes, doing: &str) -> anyhow::Result<()> {
        let change = Change { method, target, body, doing };
        self.arm.change(change, true, self.printer).await.map(drop)
    }
}

fn tell(outcome: &Outcome, dry: bool, printer: &Printer) -> anyhow::Result<()> {
    let Outcome { name, moves, step, .. } = outcome;
    for one in moves {
        printer.line(format!("{name}: {}{one}", if dry { "would " } else { "done: " }))?;
    }
    if let Some(why) = &outcome.why {
        printer.line(format!("{name}: stays at {step}: {why}"))?;
    } else if !dry {
        printer.line(format!("{name}: at {step}"))?;
    }
    Ok(())
}
