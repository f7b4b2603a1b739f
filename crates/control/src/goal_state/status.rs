//! What an agent's status means for the extensions of its VM.

use contract::guest_agent::handler::StatusWord;
use contract::guest_agent::status_blob::{HandlerAggregate, StatusBlob};
use domain::{HandlerOutcome, HandlerStatus, ProvisioningState, Timestamp, VmExtension};
use serde::Deserialize;
use serde_json::Value;

use super::wanted::handler;
use crate::arm::guest::Report;

/// The longest text of a handler that is kept, in characters: what Azure shows.
const MAX_MESSAGE: usize = 4_096;

/// What a status says of these extensions that wasn't known yet. `incarnation` is that of the goal state that the agent
/// could have gone through by now.
pub(super) fn reports(extensions: &[VmExtension], incarnation: u64, blob: &StatusBlob, now: Timestamp) -> Vec<Report> {
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
}

impl Said {
    fn text(&self) -> String {
        shortened(self.formatted_message.get("message").and_then(Value::as_str).unwrap_or_default())
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(MAX_MESSAGE).collect()
}
