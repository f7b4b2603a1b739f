//! The commands of a handler, with what each is told and how long it may take (Azure/WALinuxAgent
//! `ga/exthandlers.py`).

use std::time::Duration;

use contract::guest_agent::handler::HandlerManifest;

use crate::agent::command::{CommandError, Ended, Run};
use crate::agent::folder::HandlerFolder;
use crate::agent::outcome::{self, Outcome};
use crate::env_vars;
use crate::time::Time;

/// How long `install`, `update` and `disable` may take.
pub(super) const LONG: Duration = Duration::from_secs(900);
/// How long `enable` and `uninstall` may take.
pub(super) const SHORT: Duration = Duration::from_secs(300);
/// What a command is told of one that wasn't run.
const NOT_RUN: &str = "NOT_RUN";
/// What handlers may make use of.
const FEATURES: &str = "[{\"Key\": \"ExtensionTelemetryPipeline\", \"Value\": \"1.0\"}]";

/// The commands for one change of an extension.
pub(super) struct Commands<'a> {
    host: &'a str,
    sequence: u64,
    time: &'a Time,
}

impl<'a> Commands<'a> {
    pub(super) fn new(host: &'a str, sequence: u64, time: &'a Time) -> Self {
        Self { host, sequence, time }
    }

    pub(super) async fn install(
        &self,
        folder: &HandlerFolder,
        manifest: &HandlerManifest,
        uninstalled: Option<i32>,
    ) -> Result<(), Outcome> {
        let told = [(env_vars::UNINSTALL_EXIT_CODE, code(uninstalled))];
        self.done(folder, &manifest.install_command, LONG, &told, outcome::INSTALL).await
    }

    pub(super) async fn enable(
        &self,
        folder: &HandlerFolder,
        manifest: &HandlerManifest,
        uninstalled: Option<i32>,
    ) -> Result<(), Outcome> {
        let told = [(env_vars::UNINSTALL_EXIT_CODE, code(uninstalled))];
        self.done(folder, &manifest.enable_command, SHORT, &told, outcome::ENABLE).await
    }

    pub(super) async fn disable(&self, folder: &HandlerFolder, manifest: &HandlerManifest) -> Result<(), Outcome> {
        self.done(folder, &manifest.disable_command, LONG, &[], outcome::DISABLE).await
    }

    pub(super) async fn uninstall(&self, folder: &HandlerFolder, manifest: &HandlerManifest) -> Result<(), Outcome> {
        self.done(folder, &manifest.uninstall_command, SHORT, &[], outcome::PROCESSING).await
    }

    /// `update`, which is told from which version and to which.
    pub(super) async fn update(
        &self,
        folder: &HandlerFolder,
        manifest: &HandlerManifest,
        from: &str,
        to: &str,
        disabled: Option<i32>,
    ) -> Result<(), Outcome> {
        let told = [
            (env_vars::DISABLE_EXIT_CODE, code(disabled)),
            (env_vars::UPDATING_FROM, from.to_owned()),
            (env_vars::VERSION, to.to_owned()),
        ];
        self.done(folder, &manifest.update_command, LONG, &told, outcome::UPDATE).await
    }

    /// A command of a version that gives way: its exit code, also when it fails and that is to be borne.
    pub(super) async fn old(
        &self,
        folder: &HandlerFolder,
        command: &str,
        limit: Duration,
        go_on: bool,
    ) -> Result<Option<i32>, Outcome> {
        let run = self.run(folder, command, limit, &[]);
        match run.run().await {
            Ok(ended) if ended.code == 0 || go_on => Ok(Some(ended.code)),
            Ok(ended) => Err(nonzero(&run, &ended, outcome::UPDATE)),
            Err(_) if go_on => Ok(None),
            Err(why) => Err(unended(&why, outcome::UPDATE)),
        }
    }

    async fn done(
        &self,
        folder: &HandlerFolder,
        command: &str,
        limit: Duration,
        told: &[(&'static str, String)],
        failed: i32,
    ) -> Result<(), Outcome> {
        let run = self.run(folder, command, limit, told);
        match run.run().await {
            Ok(ended) if ended.code == 0 => Ok(()),
            Ok(ended) => Err(nonzero(&run, &ended, failed)),
            Err(why) => Err(unended(&why, failed)),
        }
    }

    fn run(&self, folder: &HandlerFolder, command: &str, limit: Duration, told: &[(&'static str, String)]) -> Run {
        let path = folder.path();
        let common = [
            (env_vars::SEQUENCE, self.sequence.to_string()),
            (env_vars::EXTENSION_PATH, path.display().to_string()),
            (env_vars::EXTENSION_VERSION, folder.version().to_owned()),
            (env_vars::WIRE_ADDRESS, self.host.to_owned()),
            (env_vars::SUPPORTED_FEATURES, FEATURES.to_owned()),
        ];
        let variables = common.into_iter().chain(told.iter().cloned()).collect();
        let (command, logs, time) = (command.to_owned(), folder.logs().to_owned(), self.time.clone());
        Run { folder: path, command, variables, limit, logs, time }
    }
}

fn code(of: Option<i32>) -> String {
    of.map_or_else(|| NOT_RUN.to_owned(), |code| code.to_string())
}

/// In the words of Azure's agent.
fn nonzero(run: &Run, ended: &Ended, failed: i32) -> Outcome {
    let message =
        format!("[ExtensionOperationError] Non-zero exit code: {}, {}\n{}", ended.code, run.line(), ended.words);
    Outcome::failed(failed, message)
}

fn unended(why: &CommandError, failed: i32) -> Outcome {
    Outcome::failed(failed, format!("[ExtensionOperationError] {why}"))
}
