//! What an agent's status means for the extensions of its VM.

use contract::guest_agent::handler::StatusWord;
use contract::guest_agent::status_blob::{AgentStatus, HandlerAggregate, Message, StatusBlob};
use contract::guest_agent::substatus::{CALLERS, CUTOVER, CallerCount, callers, cutover};
use domain::caller::REMEMBERED_DAYS;
use domain::{
    CalledEndpoint, Caller, Calls, Day, HandlerOutcome, HandlerStatus, ProvisioningState, Step, Timestamp, VmExtension,
};
use serde::Deserialize;
use serde_json::Value;

use super::wanted::handler;
use crate::arm::guest::Report;

/// The longest text of a handler that is kept, in characters: what Azure shows.
const MAX_MESSAGE: usize = 4_096;

/// The longest version or word of an agent that is kept, in characters.
const MAX_WORD: usize = 64;
/// The most calls of a caller on one day that are believed, more than a machine can make: they are added up later.
const MOST_CALLS: u64 = 1 << 40;

/// What a status says of the agent itself, as far as it is kept.
pub(super) fn of_agent(blob: &StatusBlob) -> AgentStatus {
    let said = &blob.aggregate_status.guest_agent_status;
    let word = |text: &str| text.chars().take(MAX_WORD).collect();
    AgentStatus {
        version: word(&said.version),
        status: word(&said.status),
        formatted_message: Message::new(shortened(&said.formatted_message.message)),
    }
}

/// What a status says of these extensions that wasn't known yet. `incarnation` is that of the goal state that the agent
/// could have gone through by now, `wanted` the step of the cutover in that.
pub(super) fn reports(
    extensions: &[VmExtension],
    wanted: Step,
    incarnation: u64,
    blob: &StatusBlob,
    now: Timestamp,
) -> Vec<Report> {
    let status = &blob.aggregate_status;
    let gone_through = status.vm_artifacts_aggregate_status.goal_state_aggregate_status.in_svd_seq_no;
    let current = gone_through == Some(incarnation);
    let mut reports = Vec::new();
    for extension in extensions {
        let name = handler(extension);
        let said = status.handler_aggregate_status.iter().find(|said| said.handler_name.eq_ignore_ascii_case(&name));
        match (extension.state, said) {
            (ProvisioningState::Deleting, None) if current => {
                reports.push(Report::Gone { extension: extension.id.clone() });
            }
            (ProvisioningState::Deleting, _) | (_, None) => {}
            (_, Some(said)) => {
                if extension.is_managed_identity() {
                    reports.extend(substatus(extension, wanted, said, current, now));
                }
                let new = outcome(extension, said, current).map(|(sequence, outcome, message)| HandlerStatus {
                    sequence,
                    outcome,
                    version: said.handler_version.clone(),
                    message,
                    at: now,
                });
                if let Some(status) = new.filter(|new| is_news(extension, new)) {
                    reports.push(Report::Handler { extension: extension.id.clone(), status });
                }
            }
        }
    }
    reports
}

/// What the extension for managed identities tells of itself beside how it fares. How far its cutover is holds only when
/// the agent has gone through the present goal state: before, it is that of the last one.
fn substatus(
    extension: &VmExtension,
    wanted: Step,
    said: &HandlerAggregate,
    current: bool,
    now: Timestamp,
) -> Vec<Report> {
    let said = said.runtime_settings_status.as_ref();
    let said = said.and_then(|runtime| Settings::deserialize(&runtime.settings_status).ok()?.status);
    let told = |name: &str| {
        let below = &said.as_ref()?.substatus;
        below.iter().find(|one| one.name == name).map(|one| message(&one.formatted_message))
    };
    let vm = extension.vm.clone();
    let mut reports = Vec::new();
    let counts = told(CALLERS).map(callers).unwrap_or_default();
    let calls: Vec<Calls> = counts.into_iter().filter_map(|count| calls(count, now)).collect();
    if !calls.is_empty() {
        reports.push(Report::Calls { vm: vm.clone(), calls });
    }
    if let Some((step, failed)) = told(CUTOVER).filter(|_| current).map(cutover)
        && let Some(reached) = Step::of(step)
    {
        reports.push(Report::Cutover { vm, wanted, reached, failed: failed.map(shortened) });
    }
    reports
}

/// What a guest counted on a day that is remembered. A guest's clock may be wrong, so nothing is believed of days to come.
fn calls(count: CallerCount, now: Timestamp) -> Option<Calls> {
    let (day, today) = (Day(count.day), Day::of(now));
    if day > today || day < today.before(REMEMBERED_DAYS) {
        return None;
    }
    Some(Calls {
        endpoint: CalledEndpoint::Extension,
        day,
        caller: Caller::new(
            count.client_id.and_then(|id| id.parse().ok()),
            &count.client,
            count.process.as_deref(),
            count.uid,
        ),
        count: count.calls.min(MOST_CALLS),
        last_at: Timestamp::from_unix(count.last).min(now),
    })
}

/// Whether a status says something else than the one before.
fn is_news(extension: &VmExtension, new: &HandlerStatus) -> bool {
    extension.status.as_ref().is_none_or(|known| HandlerStatus { at: known.at, ..new.clone() } != *known)
}

/// What came of which number, and the text for people. Nothing when what is said isn't about a number: an agent that
/// hasn't gone through the present goal state yet repeats what came of the last one.
fn outcome(extension: &VmExtension, said: &HandlerAggregate, current: bool) -> Option<(u64, HandlerOutcome, String)> {
    let of_handler = said.runtime_settings_status.as_ref().and_then(|runtime| {
        let settings = Settings::deserialize(&runtime.settings_status).ok()?.status?;
        Some((runtime.sequence_number, settings))
    });
    // A handler that isn't ready for another reason than a command that failed may be so only for now.
    let failed = said.code != 0 && current;
    let is_disabled = extension.disabled && current && said.code == 0 && said.status == "NotReady";
    match of_handler {
        // A handler that wasn't enabled isn't told to be disabled, and says nothing of it.
        _ if is_disabled => {
            Some((extension.sequence, HandlerOutcome::Success, shortened(&said.formatted_message.message)))
        }
        Some((sequence, settings)) => {
            let message = settings.text();
            let outcome = match settings.status {
                // What the handler itself says tells more than its exit code does.
                StatusWord::Error => HandlerOutcome::Error(settings.code),
                _ if failed && sequence == extension.sequence => {
                    return Some((
                        sequence,
                        HandlerOutcome::Terminal(said.code),
                        shortened(&said.formatted_message.message),
                    ));
                }
                StatusWord::Transitioning => HandlerOutcome::Transitioning,
                StatusWord::Warning | StatusWord::Success => HandlerOutcome::Success,
            };
            Some((sequence, outcome, message))
        }
        None if failed => {
            let message = shortened(&said.formatted_message.message);
            Some((extension.sequence, HandlerOutcome::Terminal(said.code), message))
        }
        None => None,
    }
}

/// A handler's status file, as far as it matters here.
#[derive(Deserialize)]
struct Settings {
    status: Option<Said>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    status: StatusWord,
    #[serde(default)]
    code: i32,
    #[serde(default)]
    formatted_message: Value,
    #[serde(default)]
    substatus: Vec<Below>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Below {
    name: String,
    formatted_message: Value,
}

fn message(formatted: &Value) -> &str {
    formatted.get("message").and_then(Value::as_str).unwrap_or_default()
}

impl Said {
    fn text(&self) -> String {
        shortened(message(&self.formatted_message))
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(MAX_MESSAGE).collect()
}
