//! What a long command did, told at its end: nobody scrolls back through all of it.

use std::time::Instant;

use anyhow::{Result, bail};

use crate::process::say;

/// The stages of a command, in their order.
#[derive(Default)]
pub(crate) struct Stages(Vec<Stage>);

struct Stage {
    name: &'static str,
    outcome: Outcome,
}

enum Outcome {
    Passed(u64),
    Failed(String),
    Skipped(&'static str),
}

impl Stages {
    /// Runs a stage. One that fails doesn't keep the next from being run: a person wants to know all that is wrong.
    #[expect(clippy::disallowed_methods, reason = "a person is told how long it took; nothing depends on it")]
    pub(crate) fn run(&mut self, name: &'static str, stage: impl FnOnce() -> Result<()>) {
        let start = Instant::now();
        let outcome = match stage() {
            Ok(()) => Outcome::Passed(start.elapsed().as_secs()),
            Err(why) => Outcome::Failed(format!("{why:#}")),
        };
        self.0.push(Stage { name, outcome });
    }

    /// Notes what was left out, and what to do to have it.
    pub(crate) fn skip(&mut self, name: &'static str, why: &'static str) {
        self.0.push(Stage { name, outcome: Outcome::Skipped(why) });
    }

    /// Tells it all.
    ///
    /// # Errors
    /// When a stage failed.
    pub(crate) fn end(self, command: &str) -> Result<()> {
        say(&format!("\n{command}:"));
        for stage in &self.0 {
            say(&stage.line());
        }
        let failed = self.0.iter().filter(|stage| matches!(stage.outcome, Outcome::Failed(_))).count();
        if failed > 0 {
            bail!("{failed} of {} stages failed", self.0.len());
        }
        Ok(())
    }
}

impl Stage {
    fn line(&self) -> String {
        match &self.outcome {
            Outcome::Passed(seconds) => format!("  passed   {} ({seconds} s)", self.name),
            Outcome::Failed(why) => format!("  FAILED   {}: {why}", self.name),
            Outcome::Skipped(why) => format!("  SKIPPED  {}: {why}", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_stage_fails_the_command_and_lets_the_next_run() {
        let mut stages = Stages::default();
        let mut reached = false;
        stages.run("first", || bail!("broken"));
        stages.run("second", || {
            reached = true;
            Ok(())
        });
        assert!(reached);
        assert_eq!(stages.end("test").unwrap_err().to_string(), "1 of 2 stages failed");
    }

    #[test]
    fn what_is_skipped_fails_nothing_and_is_told() {
        let mut stages = Stages::default();
        stages.skip("fuzzing", "run it yourself");
        assert_eq!(stages.0[0].line(), "  SKIPPED  fuzzing: run it yourself");
        stages.end("test").unwrap();
    }
}
