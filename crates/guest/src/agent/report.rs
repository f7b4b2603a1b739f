//! What the agent says of the machine: the status blob.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use contract::guest_agent::handler::{HandlerStatus, Heartbeat, MAX_STATUS, StatusWord};
use contract::guest_agent::status_blob::{
    AgentStatus, AggregateStatus, ArtifactsAggregate, GoalStateAggregate, HandlerAggregate, Message,
    RuntimeSettingsStatus, StatusBlob,
};
use contract::guest_agent::{WantedExtension, WantedState};
use domain::{SharedClock, Timestamp};
use serde_json::{Value, json};

use super::Goal;
use super::folder::{self, HandlerFolder, HandlerState};
use super::outcome::{Outcome, Outcomes};
use crate::files;

/// The agent's version, as it is told.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// How much is said of an outcome, in characters.
const LONGEST: usize = 4_000;

/// How everything fares at this moment.
#[must_use]
pub fn blob(root: &Path, goal: &Goal, outcomes: &Outcomes, done: Option<&Goal>, clock: &SharedClock) -> StatusBlob {
    // While a goal state is being gone through, the number of the one before says so.
    let is_done = done.is_some_and(|done| done.number == goal.number);
    let now = timestamp(clock.now());
    let handlers = goal.settings.extensions().filter_map(|wanted| {
        // One that is gone isn't told of: that is how the host hears that it is.
        let outcome = outcomes.get(&wanted.name, goal.number).or_else(|| pending(root, &wanted))?;
        Some(handler(root, &wanted, outcome, clock))
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

fn handler(root: &Path, wanted: &WantedExtension, outcome: Outcome, clock: &SharedClock) -> HandlerAggregate {
    let folder = HandlerFolder::new(root, &wanted.name, &wanted.version);
    let (status, message) = match judged(&folder, &outcome, clock.now()) {
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

/// What the heartbeat says of a handler that should be at work and says so itself in that way.
fn judged(folder: &HandlerFolder, outcome: &Outcome, now: Timestamp) -> Option<(String, String)> {
    let reports = folder.manifest().is_ok_and(|manifest| manifest.report_heartbeat);
    if outcome.status != "Ready" || folder.state() != HandlerState::Enabled || !reports {
        return None;
    }
    let path = folder.heartbeat();
    let not_ready = |message: String| Some(("NotReady".to_owned(), message));
    let Ok(Some(text)) = files::read(&path, folder::MAX) else {
        return not_ready(format!("[ExtensionError] Failed to get heart beat file {}", path.display()));
    };
    let age = fs::metadata(&path).and_then(|found| found.modified()).map(|at| age(at, now)).unwrap_or_default();
    if age > Duration::from_secs(Heartbeat::MAX_AGE) {
        let message = format!("The handler's last heartbeat is {} s old", age.as_secs());
        return Some(("Unresponsive".to_owned(), message));
    }
    match Heartbeat::parse(&text) {
        Ok(beat) if matches!(beat.status.as_str(), "Ready" | "NotReady") => {
            let is_ready = beat.status == "Ready";
            Some((beat.status, if is_ready { outcome.message.clone() } else { beat.message }))
        }
        Ok(_) | Err(_) => not_ready(format!("[ExtensionError] {} isn't a heartbeat", path.display())),
    }
}

fn age(at: SystemTime, now: Timestamp) -> Duration {
    let at = at.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |after| after.as_secs());
    now.since(Timestamp::from_unix(i64::try_from(at).unwrap_or(i64::MAX)))
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
