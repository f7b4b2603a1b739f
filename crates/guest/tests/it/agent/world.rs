//! An agent at work on a machine below a folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use contract::guest_agent::status_blob::{HandlerAggregate, StatusBlob};
use guest::agent::Agent;
use guest::agent::host::Host;
use guest::resolver::Resolver;
use guest::time::Time;
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::host::FakeHost;

/// Longer than anything under test takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct World {
    pub(crate) host: FakeHost,
    root: tempfile::TempDir,
    agent: Option<(JoinHandle<()>, oneshot::Sender<()>)>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let mut world = Self::without_agent().await;
        world.start_agent();
        world
    }

    pub(crate) async fn without_agent() -> Self {
        let root = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        fs::create_dir_all(root.path().join("etc")).expect("made");
        fs::write(root.path().join("etc/os-release"), "ID=debian\nVERSION_ID=\"12\"\n").expect("written");
        Self { host: FakeHost::start().await, root, agent: None }
    }

    pub(crate) fn start_agent(&mut self) {
        let names = Arc::new(Resolver::new(self.root()));
        let host = Host::new(&format!("http://{}", self.host.wire), self.host.plugin.port(), names).expect("a host");
        let agent =
            Agent::new(self.root().to_owned(), host, Duration::from_millis(50), Time::system()).expect("the only one");
        let (end, ended) = oneshot::channel();
        let running = tokio::spawn(agent.run(async move { drop(ended.await) }));
        self.agent = Some((running, end));
    }

    pub(crate) async fn stop_agent(&mut self) {
        let (running, end) = self.agent.take().expect("it runs");
        end.send(()).expect("it listens");
        running.await.expect("it ended");
    }

    /// Ends the agent wherever it is, as a signal does that it can't heed.
    pub(crate) async fn kill_agent(&mut self) {
        let (running, _) = self.agent.take().expect("it runs");
        running.abort();
        assert!(running.await.expect_err("ended").is_cancelled());
    }

    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.root().join("var/lib/waagent")
    }

    pub(crate) fn folder(&self, name: &str, version: &str) -> PathBuf {
        self.home().join(format!("{name}-{version}"))
    }

    /// What the handlers were told so far, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.home().join("calls")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// The commands alone, each with its version.
    pub(crate) fn commands(&self) -> Vec<String> {
        let words = |line: &String| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
        self.calls().iter().map(words).collect()
    }

    pub(crate) fn forget_calls(&self) {
        fs::remove_file(self.home().join("calls")).expect("there were some");
    }

    pub(crate) fn note(&self, name: &str, text: &str) {
        fs::create_dir_all(self.home()).expect("made");
        fs::write(self.home().join(name), text).expect("written");
    }

    pub(crate) fn unnote(&self, name: &str) {
        fs::remove_file(self.home().join(name)).expect("it is there");
    }

    pub(crate) fn state(&self, name: &str, version: &str) -> String {
        fs::read_to_string(self.folder(name, version).join("config/HandlerState")).expect("a state")
    }

    /// Waits for a status that is as it should be.
    pub(crate) async fn status(&self, so: impl Fn(&StatusBlob) -> bool) -> StatusBlob {
        let mut found = None;
        let look = || {
            found = self.host.status().filter(&so);
            found.is_some()
        };
        Time::system().within(PATIENCE, Duration::from_millis(10), look).await;
        found.unwrap_or_else(|| panic!("the last status is {:#?}", self.host.status()))
    }

    /// Waits until a goal state was gone through, and gives the status then.
    pub(crate) async fn gone_through(&self, number: u64) -> StatusBlob {
        self.status(|blob| {
            let aggregate = &blob.aggregate_status.vm_artifacts_aggregate_status.goal_state_aggregate_status;
            aggregate.in_svd_seq_no == Some(number) && aggregate.status == "Success"
        })
        .await
    }

    pub(crate) async fn until(&self, so: impl FnMut() -> bool) {
        assert!(Time::system().within(PATIENCE, Duration::from_millis(10), so).await, "it never came to that");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some((running, _)) = self.agent.take() {
            running.abort();
        }
    }
}

/// What a status says of the only handler: its word, its code, and its text.
pub(crate) fn of_handler(blob: &StatusBlob) -> (&str, i32, &str) {
    let handler = only(blob);
    (&handler.status, handler.code, &handler.formatted_message.message)
}

pub(crate) fn only(blob: &StatusBlob) -> &HandlerAggregate {
    let [handler] = &blob.aggregate_status.handler_aggregate_status[..] else { panic!("one handler: {blob:#?}") };
    handler
}

/// What it says of the settings: their number, the word, and the text.
pub(crate) fn of_settings(blob: &StatusBlob) -> (u64, &str, &str) {
    let settings = only(blob).runtime_settings_status.as_ref().expect("a status of settings");
    let text = |pointer: &str| settings.settings_status.pointer(pointer).and_then(Value::as_str).expect("text");
    (settings.sequence_number, text("/status/status"), text("/status/formattedMessage/message"))
}
