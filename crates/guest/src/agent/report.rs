//! What the agent says of the machine: the status blob.

use std::path::Path;

use contract::guest_agent::handler::{HandlerStatus, MAX_STATUS, StatusWord};
use contract::guest_agent::status_blob::{
    AgentStatus, AggregateStatus, ArtifactsAggregate, GoalStateAggregate, HandlerAggregate, Message,
    RuntimeSettingsStatus, StatusBlob,
};
use contract::guest_agent::{WantedExtension, WantedState};
use domain::{SharedClock, Timestamp};
use serde_json::{Value, json};

use super::Goal;
use super::folder::{HandlerFolder, HandlerState};
use super::heartbeat::Heartbeats;
use super::outcome::{Outcome, Outcomes};
use crate::files;

/// The agent's version, as it is told.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// How much is said of an outcome, in characters.
const LONGEST: usize = 4_000;

/// How everything fares at this moment.
#[must_use]
pub fn blob(
    root: &Path,
    goal: &Goal,
    outcomes: &Outcomes,
    heartbeats: &Heartbeats,
    done: Option<&Goal>,
    clock: &SharedClock,
) -> StatusBlob {
    // While a goal state is being gone through, the number of the one before says so.
    let is_done = done.is_some_and(|done| done.number == goal.number);
    let now = timestamp(clock.now());
    let handlers = goal.settings.extensions().filter_map(|wanted| {
        // One that is gone isn't told of: that is how the host hears that it is.
        let outcome = outcomes.get(&wanted.name, goal.number).or_else(|| pending(root, &wanted))?;
        Some(handler(root, &wanted, outcome, heartbeats, clock))
    });
    let aggregate = GoalStateAggregate {
        status: if is_done { "Success" } else { "Transitioning" }.to_owned(),
        code: 0,
        in_svd_seq_no: done.map(|done| done.settings.in_svd_seq_no),
        timestamp_utc: now.clone(),
        formatted_message: Message::new(if is_done {
            "GoalState executed successfully"
        } else {
            "GoalState is being executed"
        }),
    };
    StatusBlob {
        version: "1.1".to_owned(),
        aggregate_status: AggregateStatus {
            guest_agent_status: AgentStatus {
                version: VERSION.to_owned(),
                status: "Ready".to_owned(),
                formatted_message: Message::new("Guest Agent is running"),
            },
            handler_aggregate_status: handlers.collect(),
            vm_artifacts_aggregate_status: ArtifactsAggregate { goal_state_aggregate_status: aggregate },
        },
        timestamp_utc: now,
        guest_os_info: Some(system(root)),
        supported_features: json!([]),
    }
}

/// One that is wanted and wasn't looked after yet.
fn pending(root: &Path, wanted: &WantedExtension) -> Option<Outcome> {
    let there = HandlerFolder::new(root, &wanted.name, &wanted.version).state();
    match wanted.state {
        WantedState::Enabled if there == HandlerState::Enabled => Some(Outcome::ready()),
        WantedState::Enabled => Some(Outcome::installing()),
        WantedState::Disabled | WantedState::Uninstall => None,
    }
}

fn handler(
    root: &Path,
    wanted: &WantedExtension,
    outcome: Outcome,
    heartbeats: &Heartbeats,
    clock: &SharedClock,
) -> HandlerAggregate {
    let folder = HandlerFolder::new(root, &wanted.name, &wanted.version);
    let (status, message) = match heartbeats.judge(&folder, &outcome, clock.monotonic()) {
        Some((status, message)) => (status, message),
        None => (outcome.status.to_owned(), outcome.message),
    };
    let settings_status = settings_status(&folder, wanted, clock.now());
    HandlerAggregate {
        handler_version: wanted.version.clone(),
        handler_name: wanted.name.clone(),
        status,
        code: outcome.code,
        use_exact_version: true,
        formatted_message: Message::new(message.chars().take(LONGEST).collect::<String>()),
        runtime_settings_status: settings_status
            .map(|settings_status| RuntimeSettingsStatus { sequence_number: wanted.sequence, settings_status }),
    }
}

/// What the handler says of the settings, or what is said in its place.
fn settings_status(folder: &HandlerFolder, wanted: &WantedExtension, now: Timestamp) -> Option<Value> {
    let path = folder.status(wanted.sequence);
    // Longer ones are shortened, within reason.
    let most = u64::try_from(MAX_STATUS).unwrap_or(u64::MAX).saturating_mul(4);
    let told = |status, message: String| {
        let (name, operation, at) = (folder.name().to_owned(), "Enable".to_owned(), timestamp(now));
        Some(HandlerStatus { name, operation, at, status, code: 0, message, substatus: Vec::new() }.value())
    };
    match files::read(&path, most) {
        Ok(Some(text)) => match HandlerStatus::entry(&text) {
            Ok(entry) => Some(entry),
            Err(why) => told(StatusWord::Error, format!("[ExtensionStatusError] {}: {why}", path.display())),
        },
        Ok(None) if folder.state() == HandlerState::NotInstalled => None,
        Ok(None) => {
            let (name, path) = (folder.name(), path.display());
            let message = format!(
                "This status is being reported by the Guest Agent since no status file was reported by extension {name}: \
                 [ExtensionStatusError] Status file {path} does not exist"
            );
            told(StatusWord::Transitioning, message)
        }
        Err(why) => told(StatusWord::Error, format!("[ExtensionStatusError] {}: {why}", path.display())),
    }
}

/// What system it is.
fn system(root: &Path) -> Value {
    let release = crate::handler::distribution::found(root);
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    json!({"computerName": name, "osName": release.id, "osVersion": release.version, "version": VERSION})
}

fn timestamp(at: Timestamp) -> String {
    jiff::Timestamp::from_second(at.unix()).unwrap_or_default().to_string()
}
