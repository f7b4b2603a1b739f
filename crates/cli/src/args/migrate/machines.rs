//! Arguments of the commands of `symbolon migrate` that are about machines.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use domain::Step;
use migrate::cutover::Goal;

use crate::args::arm::ArmArgs;

/// Which calls are looked at.
#[derive(Debug, Args)]
pub(crate) struct DaysArgs {
    /// For how many days calls are looked at, today among them
    #[arg(long, value_name = "N", default_value = "7", value_parser = clap::value_parser!(u32).range(1..=90))]
    pub(crate) days: u32,
}

#[derive(Debug, Args)]
pub(crate) struct MigratePlanArgs {
    /// How many machines go together, after the first one alone
    #[arg(long, value_name = "N", default_value = "20", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) wave_size: u16,
    #[command(flatten)]
    pub(crate) days: DaysArgs,
    #[command(flatten)]
    pub(crate) arm: ArmArgs,
}

#[derive(Debug, Args)]
pub(crate) struct MigrateStatusArgs {
    /// All that is known of one machine: its name or resource id
    #[arg(long, value_name = "NAME")]
    pub(crate) vm: Option<String>,
    #[command(flatten)]
    pub(crate) days: DaysArgs,
    #[command(flatten)]
    pub(crate) arm: ArmArgs,
}

#[derive(Debug, Args)]
pub(crate) struct MigrateCutoverArgs {
    /// A machine's name or resource id, or a scale set's for all its machines; may be repeated
    #[arg(long, value_name = "NAME", required_unless_present = "wave")]
    pub(crate) vm: Vec<String>,
    /// The machines of a wave of the plan
    #[arg(long, value_name = "N", requires = "plan", conflicts_with = "vm")]
    pub(crate) wave: Option<usize>,
    /// The plan, as `migrate plan --json` wrote it
    #[arg(long, value_name = "FILE", requires = "wave")]
    pub(crate) plan: Option<PathBuf>,
    /// How far to go: forwarding, revoked, closed or removed; with --undo back to serving, forwarding or revoked
    #[arg(long, value_name = "STEP", value_parser = goal)]
    pub(crate) to: Option<Goal>,
    /// Go back: to serving when nothing else is said
    #[arg(long)]
    pub(crate) undo: bool,
    /// For how long nobody must have called the extension before its port is closed, e.g. 30m, 24h, 7d
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = duration)]
    pub(crate) quiet: Duration,
    /// Only say what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) arm: ArmArgs,
}

impl MigrateCutoverArgs {
    /// How far back to go; an error when that isn't back.
    pub(crate) fn back_to(&self) -> Result<Option<Step>, &'static str> {
        match (self.undo, self.to) {
            (false, _) => Ok(None),
            (true, None) => Ok(Some(Step::Serving)),
            (true, Some(Goal::Step(step))) if step < Step::Closed => Ok(Some(step)),
            (true, Some(_)) => Err("--undo goes back to serving, forwarding or revoked"),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct MigrateVerifyArgs {
    /// The root of the machine's files: a mounted disk or a copy of one
    #[arg(long, value_name = "DIR")]
    pub(crate) guest_root: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

fn goal(text: &str) -> Result<Goal, String> {
    Goal::of(text).ok_or_else(|| "it is serving, forwarding, revoked, closed or removed".to_owned())
}

/// A number with a unit.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "write it as 0s, 30m, 24h or 7d".to_owned();
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let seconds: u64 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("90m"), Ok(Duration::from_secs(5_400)));
        assert_eq!(duration("7d"), Ok(Duration::from_secs(604_800)));
        for wrong in ["", "7", "d", "-1d", "1.5h", "1w", "9999999999999999999d", "1é"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
