//! The way that machines are taken: one move after the other, as what the control plane shows says.

use std::time::Duration;

use anyhow::bail;
use domain::Step;
use http::Method;
use hyper::body::Bytes;
use migrate::cutover::{Goal, Move, back, described, forwards, left};
use migrate::machine::Machine;
use serde_json::json;

use super::super::machines;
use super::{DAYS, Outcome, reached};
use crate::args::migrate::machines::MigrateCutoverArgs;
use crate::arm::Arm;
use crate::arm::operation::Change;
use crate::arm::target::{CUTOVER, SCALE_SET, Target, VM};
use crate::printer::Printer;
use crate::retry::rest;

/// How long a guest may take for a step, in looks of one second.
const LOOKS: u32 = 180;
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The way that machines are taken.
pub(super) struct Course<'a> {
    pub(super) arm: &'a Arm,
    /// Back to this step.
    pub(super) undo: Option<Step>,
    pub(super) args: &'a MigrateCutoverArgs,
    pub(super) printer: &'a Printer,
}

impl Course<'_> {
    /// Takes a machine as far as it goes. What fails is told, and keeps no other machine back.
    pub(super) async fn take(&self, machine: &Machine, goal: Goal) -> Outcome {
        let mut outcome = Outcome::of(machine);
        if self.args.dry_run {
            let moves = match self.undo {
                Some(to) => vec![back(machine, to)],
                None => left(machine, goal),
            };
            outcome.moves = moves.into_iter().map(described).collect();
            return outcome;
        }
        match self.advance(&machine.id, goal, &mut outcome).await {
            Ok(()) => outcome.done = true,
            Err(why) => outcome.why = Some(format!("{why:#}")),
        }
        outcome
    }

    /// Makes one move after the other until there is none left.
    async fn advance(&self, id: &str, goal: Goal, outcome: &mut Outcome) -> anyhow::Result<()> {
        let mut first = true;
        while let Some(machine) = &self.look(id).await? {
            let cutover = &machine.properties.cutover;
            outcome.step = reached(machine);
            let next = self.undo.map_or_else(|| forwards(machine, goal), |to| back(machine, to));
            // What failed before is tried again, once.
            let again = std::mem::take(&mut first) && cutover.failed.is_some();
            match next {
                Move::Done => return Ok(()),
                Move::Wait(step) if again => self.want(machine, step).await?,
                Move::Wait(step) => self.wait(machine, step).await?,
                Move::Want(step) => {
                    self.want(machine, step).await?;
                    outcome.moves.push(described(next));
                }
                Move::Remove => {
                    self.remove(machine).await?;
                    outcome.moves.push(described(next));
                }
            }
        }
        outcome.step = "removed";
        Ok(())
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
                !other.is_model() && (cutover.step, cutover.reached) != (Step::Closed, Step::Closed)
            })
            .map(|other| other.name.clone())
            .collect();
        anyhow::ensure!(behind.is_empty(), "its scale set has machines that are not closed yet: {}", behind.join(", "));
        let target = Target::of(&SCALE_SET, scale_set);
        self.change(Method::DELETE, &target.below(&["extensions", name]), Bytes::new(), &doing).await?;
        if machine.is_model() {
            // None of its machines has it, so none need follow the model for this.
            return Ok(());
        }
        let all = json!({"instanceIds": ["*"]}).to_string();
        self.change(Method::POST, &target.below(&["manualupgrade"]), all.into(), &doing).await
    }

    async fn change(&self, method: Method, target: &Target, body: Bytes, doing: &str) -> anyhow::Result<()> {
        let change = Change { method, target, body, doing };
        self.arm.change(change, true, self.printer).await.map(drop)
    }
}
